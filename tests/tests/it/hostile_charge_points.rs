//! Everything at once that nobody should send to the port of the charge points: refused and bounded, said once a minute, and no
//! other charger is a second late.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use headroom_tests::{
    charge_point::{ChargePoint, Refused},
    controller::{Controller, charge_point_id, password},
    house::House,
    pty::MeterPort,
    wait,
};
use serde_json::{Value, json};
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(30);
/// Overloads that are measured, at least, and wrong passwords: so long lasts the storm.
const OVERLOADS: usize = 4;
const GUESSES: u64 = 1_000;
/// More than this a storm may not cost in memory, in kilobytes: the connections of all of it at once.
const MEMORY_KB: u64 = 60_000;
/// A kind of line may come again when its minute is over; the storm lasts about one.
const LINES_OF_A_KIND: usize = 3;

struct Lab {
    controller: Controller,
    house: House,
    _dir: TempDir,
}

impl Lab {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let port = MeterPort::new(&dir.path().join("meter"));
        let controller = Controller::start(&dir.path().join("data"), Some(&port.source()));
        let tuning = json!({"raise_after_s": 1, "restart_after_s": 1, "hold_s": 1});
        controller.configure_site(63.0, &tuning);
        // Those that are not there are counted in full.
        for id in ["good", "bad", "tried"] {
            controller.add_charger(id, &json!({}));
        }
        Self {
            controller,
            house: House::new(port),
            _dir: dir,
        }
    }

    /// From the telegram that shows an overload to the reduction at the charge point that behaves.
    fn reduction(&self, good: &mut ChargePoint) -> Duration {
        self.house.background([2, 2, 2]);
        until_limit(good, |limit| limit >= 6.0);
        self.house.background([2, 70, 2]);
        let telegram = wait::until("the meter shows the overload", SOON, || {
            let (at, current_ma) = self.house.last()?;
            (current_ma[1] > 63_000).then_some(at)
        });
        until_limit(good, |limit| limit == 0.0).saturating_duration_since(telegram)
    }

    fn memory_kb(&self) -> u64 {
        let status = format!("/proc/{}/status", self.controller.process.id());
        let status = fs::read_to_string(status).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        line.unwrap()
            .split_whitespace()
            .nth(1)
            .unwrap()
            .parse()
            .unwrap()
    }
}

fn until_limit(good: &mut ChargePoint, wanted: fn(f64) -> bool) -> Instant {
    let end = Instant::now() + SOON;
    while Instant::now() < end {
        let Some(call) = good.next_call("SetChargingProfile", Duration::from_millis(500)) else {
            good.meter_values(0.0);
            continue;
        };
        if limit(&call.payload).is_some_and(wanted) {
            return call.at;
        }
    }
    panic!("no such command within {SOON:?}");
}

/// The first period of a lease: of a profile with two periods, or above the base.
fn limit(payload: &Value) -> Option<f64> {
    let profile = &payload["csChargingProfiles"];
    let periods = profile["chargingSchedule"]["chargingSchedulePeriod"].as_array()?;
    (periods.len() > 1 || profile["stackLevel"].as_u64() > Some(0))
        .then(|| periods[0]["limit"].as_f64())?
}

/// A request whose path no client would send, and the status of its answer.
fn knock(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
    );
    drop(stream.write_all(request.as_bytes()));
    let mut answer = [0; 12];
    drop(stream.read_exact(&mut answer));
    String::from_utf8_lossy(&answer[9..]).into_owned()
}

/// The parts of the storm, each again and again until the end.
fn attack(part: usize, at: u16, round: u64) {
    let identity = charge_point_id("bad");
    let known = || ChargePoint::connect(at, &identity, Some(&password("bad")));
    let boot = json!({"chargePointVendor": "Tests", "chargePointModel": "Storm"});
    match part {
        // Frames of 2 MB, binary ones, and the deepest JSON; of one of the house and of a stranger.
        0 => {
            let huge = json!([2, "x", "DataTransfer", {"data": "y".repeat(2_000_000)}]).to_string();
            let deep = format!("[2,\"d\",\"Heartbeat\",{}", "[".repeat(100_000));
            for mut point in [known(), ChargePoint::connect(at, "STRANGER", None)]
                .into_iter()
                .flatten()
            {
                for _ in 0..20 {
                    point.try_send_binary(vec![0xff; 4_000]);
                    point.try_send(deep.clone());
                }
                point.try_send(huge.clone());
                assert!(point.closed_within(SOON), "2 MB end a connection");
            }
        }
        // Messages as fast as they go; a boot with each.
        1 => {
            if let Ok(mut point) = known() {
                for number in 0..3_000 {
                    let call = json!([2, format!("f{number}"), "BootNotification", boot]);
                    if !point.try_send(call.to_string()) {
                        break;
                    }
                }
            }
        }
        // Guesses at a password, one after the other.
        2 => {
            let wrong = format!("guess {round}");
            let refused = ChargePoint::connect(at, &charge_point_id("tried"), Some(&wrong));
            assert!(matches!(refused, Err(Refused(401 | 429))), "{refused:?}");
        }
        // Names that are none.
        3 => {
            let long = format!("/{}", "x".repeat(4_096));
            for path in ["/..", "/%2e%2e%2fCP-good", "/CP-good%00", "/a%2Fb", &long] {
                let status = knock(at, path);
                assert!(["400", "431"].contains(&&*status), "{path}: {status}");
            }
        }
        // Strangers that come and go, each with another name, and boot.
        _ => {
            if let Ok(mut stranger) = ChargePoint::connect(at, &format!("S{round}"), None) {
                stranger.try_send(json!([2, "b", "BootNotification", boot]).to_string());
            }
        }
    }
}

/// A line without its time and without what differs from one charge point to the next.
fn kind(line: &str) -> String {
    let line = line.split_once(' ').map_or(line, |(_, rest)| rest);
    line.split_whitespace()
        .filter(|word| !word.contains('='))
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn a_storm_makes_no_other_charger_a_second_late_and_fills_neither_memory_nor_log() {
    let lab = Lab::new();
    let identity = charge_point_id("good");
    let port = lab.controller.ocpp_port;
    let mut good = ChargePoint::connect(port, &identity, Some(&password("good"))).unwrap();
    good.begin();
    let calm = lab.reduction(&mut good);
    let before_kb = lab.memory_kb();
    let mark = lab.controller.process.stderr.mark();

    let (end, rounds) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let guesses = Arc::new(AtomicU64::new(0));
    let storm: Vec<_> = (0..5)
        .map(|part| {
            let (end, rounds, guesses) =
                (Arc::clone(&end), Arc::clone(&rounds), Arc::clone(&guesses));
            thread::spawn(move || {
                while !end.load(Ordering::Relaxed) {
                    attack(part, port, rounds.fetch_add(1, Ordering::Relaxed));
                    if part == 2 {
                        guesses.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    let mut late = Vec::new();
    while late.len() < OVERLOADS || guesses.load(Ordering::Relaxed) < GUESSES {
        late.push(lab.reduction(&mut good));
    }
    let highest_kb = lab.memory_kb();
    let tried = guesses.load(Ordering::Relaxed);
    end.store(true, Ordering::Relaxed);
    for part in storm {
        part.join().unwrap();
    }
    let all = rounds.load(Ordering::Relaxed);
    println!(
        "benchmark: {all} attacks, {tried} of them wrong passwords; reading to reduction {calm:?} without, {late:?} with them; \
         memory {before_kb} kB, {highest_kb} kB"
    );
    let worst = late.iter().max().unwrap();
    assert!(
        *worst < calm + Duration::from_secs(1),
        "{worst:?} instead of {calm:?}"
    );
    assert!(highest_kb < before_kb + MEMORY_KB, "{highest_kb} kB");
    assert_eq!(lab.controller.load("good")["connected"], true);
    let unmatched = lab
        .controller
        .api
        .get("chargers/unmatched")
        .expect(200)
        .json;
    let listed = unmatched["items"].as_array().map_or(0, Vec::len);
    assert!(listed <= 50, "{listed}");

    // What is said of charge points: each kind about once a minute for each of those of the house, and for all strangers together.
    let log = lab.controller.process.stderr.all();
    let mut kinds: Vec<(String, usize)> = Vec::new();
    for line in &log[mark..] {
        let kind = kind(line);
        // The charger that behaves is told what to do, and a new name is worth a line, up to a number of them.
        if line.contains(&identity) || line.contains("an unknown charge point has connected") {
            continue;
        }
        match kinds.iter_mut().find(|(own, _)| *own == kind) {
            Some((_, count)) => *count += 1,
            None => kinds.push((kind, 1)),
        }
    }
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (kind, count) in kinds.iter().take(12) {
        println!("{count:4} x {kind}");
    }
    let newcomers = log
        .iter()
        .filter(|line| line.contains("an unknown charge point has connected"));
    assert!(newcomers.count() <= 24);
    // Two of the house and the strangers.
    assert!(
        kinds.iter().all(|(_, count)| *count <= 3 * LINES_OF_A_KIND),
        "{:?}",
        kinds.first()
    );
}

/// A charge point that waits to be adopted asks again each second, for days.
#[test]
fn what_a_pending_charge_point_repeats_is_logged_once_a_minute() {
    let lab = Lab::new();
    let boot = json!({"chargePointVendor": "Tests", "chargePointModel": "Patient"});
    let mark = lab.controller.process.stderr.mark();
    for _ in 0..6 {
        let port = lab.controller.ocpp_port;
        let mut pending = ChargePoint::connect(port, "PATIENT", None).unwrap();
        for _ in 0..5 {
            let answer = pending.call("BootNotification", &boot);
            assert_eq!(answer["status"], "Pending");
        }
    }
    let log = lab.controller.process.stderr.all();
    let lines: Vec<_> = log[mark..]
        .iter()
        .filter(|line| line.contains("PATIENT"))
        .collect();
    for what in ["booted", "charge point connected", "unknown charge point"] {
        let count = lines.iter().filter(|line| line.contains(what)).count();
        assert_eq!(count, 1, "{what}: {lines:#?}");
    }
    assert!(lines.len() <= 8, "{lines:#?}");
}
