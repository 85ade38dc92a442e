//! What the product costs and how fast it is: printed, never asserted.
//!
//! Binary size; memory and processor share of the demo and of the service at one telegram per second; and
//! the time from the last byte of a telegram to the command on a charge point's socket, with four of them.
//! `HEADROOM_BIN` names the binary; give a release build.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::float_cmp,
    clippy::duration_suboptimal_units,
    clippy::too_many_lines,
    reason = "a measurement that fails may panic"
)]

use std::{
    fs,
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use headroom_tests::{
    charge_point::ChargePoint,
    controller::{self, Controller, charge_point_id, password},
    house::House,
    process::Process,
    program,
    pty::MeterPort,
    telegram::{Values, p1},
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Overloads that are measured.
const OVERLOADS: usize = 110;
const CHARGERS: [&str; 4] = ["ev1", "ev2", "ev3", "ev4"];
/// Four times 16 A and some background.
const FUSE_A: u32 = 80;

fn main() {
    let size = fs::metadata(program::headroom()).unwrap().len();
    say(
        "binary size",
        &format!("{:.2} MB", size as f64 / 1e6),
        "under 12 MB",
    );
    demo();
    idle();
    latency();
}

fn say(what: &str, value: &str, aim: &str) {
    println!("benchmark: {what}: {value} (aim: {aim})");
}

/// Settles for 30 s, then 30 s are measured.
fn demo() {
    let process = Process::start(&mut controller::command(&[
        "demo",
        "--seed",
        "1",
        "--listen",
        "127.0.0.1:0",
    ]));
    controller::address(&process);
    // The time is what is measured: its first half minute is its start, the second one is looked at.
    thread::sleep(Duration::from_secs(30));
    let (cpu, wall) = (processor(process.id()), Instant::now());
    thread::sleep(Duration::from_secs(30));
    let share = (processor(process.id()) - cpu) / wall.elapsed().as_secs_f64() * 100.0;
    say(
        "demo, resident memory after 60 s",
        &memory(process.id()),
        "under 30 MB",
    );
    say(
        "demo with its house, cars and relay, processor",
        &format!("{share:.2} % of a core"),
        "none",
    );
}

/// The service with a meter at one telegram per second, and nothing else to do.
fn idle() {
    let dir = TempDir::new().unwrap();
    let port = MeterPort::new(&dir.path().join("meter"));
    let controller = Controller::start(&dir.path().join("data"), Some(&port.source()));
    controller.configure_site(25.0, &json!({}));
    let _house = House::new(port);
    controller.wait_status("the meter is read", Duration::from_secs(20), |status| {
        (status["meter"]["state"] == "ok").then_some(())
    });
    // What the start leaves to do is over; then half a minute is looked at.
    thread::sleep(Duration::from_secs(5));
    let (cpu, wall) = (processor(controller.process.id()), Instant::now());
    thread::sleep(Duration::from_secs(30));
    let share = (processor(controller.process.id()) - cpu) / wall.elapsed().as_secs_f64() * 100.0;
    say(
        "idle at 1 telegram/s, processor",
        &format!("{share:.2} % of a core"),
        "under 1 %",
    );
    say(
        "idle at 1 telegram/s, resident memory",
        &memory(controller.process.id()),
        "under 30 MB",
    );
}

/// User and system time of a process so far, in seconds (proc(5), `stat`, in ticks of 10 ms).
fn processor(id: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    let after_name = stat.rsplit_once(") ").unwrap().1;
    let ticks: Vec<f64> = after_name
        .split(' ')
        .skip(11)
        .take(2)
        .map(|field| field.parse().unwrap())
        .collect();
    (ticks[0] + ticks[1]) / 100.0
}

fn memory(id: u32) -> String {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let kib = |name: &str| -> f64 {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    format!(
        "{:.1} MB (highest {:.1} MB)",
        kib("VmRSS:") * 1.024 / 1e3,
        kib("VmHWM:") * 1.024 / 1e3
    )
}

/// A command on a socket: when, which charger, how much.
type Heard = (Instant, usize, f64);

/// Telegrams with ever more background, so that each one lowers all four chargers; then room again.
fn latency() {
    let dir = TempDir::new().unwrap();
    let port = MeterPort::new(&dir.path().join("meter"));
    let controller = Controller::start(&dir.path().join("data"), Some(&port.source()));
    let tuning = json!({"raise_after_s": 1, "restart_after_s": 1, "hold_s": 1});
    controller.configure_site(f64::from(FUSE_A), &tuning);
    let (sender, heard) = channel();
    for (number, id) in CHARGERS.into_iter().enumerate() {
        controller.add_charger(id, &json!({}));
        charge_point(controller.ocpp_port, id, number, sender.clone());
    }
    let mut bench = Bench {
        port,
        heard,
        limits: [0.0; 4],
        second: 0,
        samples: Vec::new(),
    };
    while bench.samples.len() < OVERLOADS * CHARGERS.len() {
        if !bench.room() {
            println!(
                "benchmark: telegram to socket: the chargers were not all given their current in time"
            );
            break;
        }
        for background_a in (FUSE_A - 60..FUSE_A - 24).step_by(4) {
            bench.overload(background_a);
        }
    }
    bench.samples.sort_unstable();
    let at = |share: usize| {
        bench
            .samples
            .get(bench.samples.len() * share / 100)
            .copied()
    };
    if let (Some(p50), Some(p99), Some(worst)) = (at(50), at(99), bench.samples.last()) {
        let ms = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1e3);
        let value = format!("p50 {}, p99 {}, worst {}", ms(p50), ms(p99), ms(*worst));
        let what = format!(
            "last byte of a telegram to SetChargingProfile on the socket, 4 chargers, {} commands",
            bench.samples.len()
        );
        say(&what, &value, "p99 under 20 ms");
    }
}

/// A charge point that draws what it is given and says so.
fn charge_point(port: u16, id: &str, number: usize, heard: Sender<Heard>) {
    let mut point = ChargePoint::connect(port, &charge_point_id(id), Some(&password(id))).unwrap();
    thread::spawn(move || {
        point.begin();
        loop {
            if let Some(call) = point.next_call("SetChargingProfile", Duration::from_millis(700))
                && let Some(limit) = lease(&call.payload)
            {
                if heard.send((call.at, number, limit)).is_err() {
                    return;
                }
                point.meter_values(limit);
            }
        }
    });
}

/// The current of a lease; `None` for a base.
fn lease(payload: &Value) -> Option<f64> {
    let profile = &payload["csChargingProfiles"];
    let periods = profile["chargingSchedule"]["chargingSchedulePeriod"].as_array()?;
    (periods.len() > 1 || profile["stackLevel"].as_u64() > Some(0))
        .then(|| periods[0]["limit"].as_f64())?
}

struct Bench {
    port: MeterPort,
    heard: Receiver<Heard>,
    limits: [f64; 4],
    second: u32,
    samples: Vec<Duration>,
}

impl Bench {
    /// Sends a telegram and gives the moment when its last byte was handed over.
    fn telegram(&mut self, background_a: u32) -> Instant {
        self.second += 1;
        let cars = self.limits.iter().map(|limit| milli(*limit)).sum::<u32>();
        let current_ma = background_a * 1000 + cars;
        let volts = |line: u32| 230_000 + (self.second * 7 + line * 3) % 11 * 100;
        let voltage_mv = [volts(0), volts(1), volts(2)];
        let values = Values::house(current_ma * 69 / 100, [current_ma; 3], voltage_mv);
        self.port.send(&p1::telegram(&values, self.second));
        Instant::now()
    }

    fn listen(&mut self, until: Instant) -> Vec<Heard> {
        let mut all = Vec::new();
        while let Ok(heard) = self
            .heard
            .recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            self.limits[heard.1] = heard.2;
            all.push(heard);
        }
        all
    }

    /// Low background until all have 15 A or more.
    fn room(&mut self) -> bool {
        let end = Instant::now() + Duration::from_secs(60);
        while self.limits.iter().any(|limit| *limit < 15.0) {
            if Instant::now() > end {
                return false;
            }
            let next = Instant::now() + Duration::from_secs(1);
            self.telegram(2);
            self.listen(next);
        }
        true
    }

    /// A telegram with more background; what it lowers within the second is measured.
    fn overload(&mut self, background_a: u32) {
        // One command per second and charger: the one before must be past.
        let next = Instant::now() + Duration::from_millis(1_100);
        let before = self.limits;
        let sent = self.telegram(background_a);
        for (at, number, limit) in self.listen(next) {
            if limit < before[number] && self.samples.len() < OVERLOADS * CHARGERS.len() {
                self.samples.push(at.saturating_duration_since(sent));
            }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a charger's current: from 0 to some ten amperes"
)]
fn milli(amperes: f64) -> u32 {
    (amperes * 1000.0).round() as u32
}
