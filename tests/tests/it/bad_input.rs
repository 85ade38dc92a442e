//! What nobody should send: each gets its answer, and the loop goes on.

use std::{
    io::{Read, Write},
    net::TcpStream,
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

const SOON: Duration = Duration::from_secs(60);

struct Lab {
    controller: Controller,
    house: House,
    _dir: TempDir,
}

/// A house with a meter and two adopted chargers, of which nobody has connected yet.
fn lab() -> Lab {
    let dir = TempDir::new().unwrap();
    let port = MeterPort::new(&dir.path().join("meter"));
    let controller = Controller::start(&dir.path().join("data"), Some(&port.source()));
    let tuning = json!({"raise_after_s": 1, "restart_after_s": 1, "hold_s": 1});
    controller.configure_site(25.0, &tuning);
    for id in ["good", "bad"] {
        controller.add_charger(id, &json!({}));
    }
    let house = House::new(port);
    Lab {
        controller,
        house,
        _dir: dir,
    }
}

impl Lab {
    fn connect(&self, id: &str) -> ChargePoint {
        let identity = charge_point_id(id);
        ChargePoint::connect(self.controller.ocpp_port, &identity, Some(&password(id))).unwrap()
    }

    /// The loop goes on: it steps, and an overload is still cut on the charger that behaves.
    fn goes_on(&self, good: &mut ChargePoint) {
        self.house.background([2, 2, 2]);
        assert_eq!(self.controller.api.get("/healthz").status, 200);
        let raised = |good: &mut ChargePoint, wanted: fn(f64) -> bool| {
            let end = Instant::now() + SOON;
            while Instant::now() < end {
                let Some(call) = good.next_call("SetChargingProfile", Duration::from_millis(500))
                else {
                    good.meter_values(0.0);
                    continue;
                };
                if limit(&call.payload).is_some_and(wanted) {
                    return;
                }
            }
            panic!("no such command: {:#}", self.controller.status());
        };
        raised(good, |limit| limit >= 6.0);
        self.house.background([2, 30, 2]);
        raised(good, |limit| limit == 0.0);
    }
}

/// The first period of a lease: of a profile with two periods, or above the base.
fn limit(payload: &Value) -> Option<f64> {
    let profile = &payload["csChargingProfiles"];
    let periods = profile["chargingSchedule"]["chargingSchedulePeriod"].as_array()?;
    (periods.len() > 1 || profile["stackLevel"].as_u64() > Some(0))
        .then(|| periods[0]["limit"].as_f64())?
}

#[test]
fn a_charge_point_nobody_knows_is_listed_and_never_commanded() {
    let lab = lab();
    let mut stranger = ChargePoint::connect(lab.controller.ocpp_port, "STRANGER", None).unwrap();
    let boot = json!({"chargePointVendor": "Tests", "chargePointModel": "Bare"});
    assert_eq!(
        stranger.call("BootNotification", &boot)["status"],
        "Pending"
    );
    let listed = wait::until("it is listed", SOON, || {
        let unmatched = lab
            .controller
            .api
            .get("chargers/unmatched")
            .expect(200)
            .json;
        let items = unmatched["items"]
            .as_array()
            .or_else(|| unmatched.as_array())?
            .clone();
        items
            .into_iter()
            .find(|item| item.to_string().contains("STRANGER"))
    });
    println!("unmatched: {listed}");
    assert!(
        stranger
            .next_call("SetChargingProfile", Duration::from_secs(3))
            .is_none()
    );
    // Adopted, it is sent away, so that it comes back and authenticates.
    let adopted = json!({"id": "adopted", "driver": {"kind": "ocpp", "charge_point_id": "STRANGER",
                         "password": "a password of its own"}});
    drop(lab.controller.api.post("chargers", &adopted).expect(201));
    assert!(
        stranger.closed_within(SOON),
        "disconnected when it is adopted"
    );
    let refused = ChargePoint::connect(lab.controller.ocpp_port, "STRANGER", None).unwrap_err();
    assert_eq!(refused, Refused(401));
    ChargePoint::connect(
        lab.controller.ocpp_port,
        "STRANGER",
        Some("a password of its own"),
    )
    .unwrap();
}

#[test]
fn a_wrong_password_is_refused_and_the_right_one_stays() {
    let lab = lab();
    let mut good = lab.connect("good");
    good.begin();
    let identity = charge_point_id("good");
    for wrong in [None, Some("wrong"), Some(""), Some(&*"x".repeat(4_000))] {
        let refused = ChargePoint::connect(lab.controller.ocpp_port, &identity, wrong).unwrap_err();
        assert_eq!(refused, Refused(401), "{wrong:?}");
    }
    lab.goes_on(&mut good);
    assert_eq!(lab.controller.load("good")["connected"], true);
}

#[test]
fn a_device_that_floods_or_lies_harms_itself_only() {
    let lab = lab();
    let mut good = lab.connect("good");
    good.begin();

    // A frame of 2 MB before anything, and after a proper beginning.
    let huge = json!([2, "x", "DataTransfer", {"vendorId": "v", "data": "y".repeat(2_000_000)}])
        .to_string();
    let mut bad = lab.connect("bad");
    bad.try_send(huge.clone());
    assert!(
        bad.closed_within(SOON),
        "a frame of 2 MB ends the connection"
    );
    let mut bad = lab.connect("bad");
    bad.begin();
    bad.try_send(huge.clone());
    assert!(
        bad.closed_within(SOON),
        "a frame of 2 MB ends the connection"
    );
    let mut stranger = ChargePoint::connect(lab.controller.ocpp_port, "STRANGER", None).unwrap();
    stranger.try_send(huge);
    assert!(stranger.closed_within(SOON));

    // Frames that are none.
    let mut bad = lab.connect("bad");
    for frame in [
        "",
        "{",
        "[]",
        "[2]",
        "[2,1,2,3]",
        "[9,\"a\",\"b\",{}]",
        "[3,\"never asked\",{}]",
        "[4]",
        "null",
        "\u{0}",
        "[2,\"n\",\"MeterValues\",null]",
        "[2,\"o\",\"BootNotification\",{\"chargePointVendor\":[1,2]}]",
        "[2,\"p\",\"StatusNotification\",{\"connectorId\":-1e300,\"status\":7}]",
    ] {
        bad.try_send(frame.to_owned());
    }
    let deep = format!(
        "[2,\"q\",\"DataTransfer\",{}{}]",
        "[".repeat(50_000),
        "]".repeat(50_000)
    );
    bad.try_send(deep);
    let unknown = bad.try_send(json!([2, "u", "Teleport", {}]).to_string());
    println!("still connected after frames that are none: {unknown}");

    // Ten thousand messages as fast as they go.
    let mut bad = lab.connect("bad");
    bad.begin();
    let begun = Instant::now();
    let flood = std::thread::spawn(move || {
        for number in 0..10_000 {
            if !bad.try_send(json!([2, format!("f{number}"), "Heartbeat", {}]).to_string()) {
                break;
            }
        }
        bad
    });
    lab.goes_on(&mut good);
    println!(
        "the good charger was cut {:?} after the flood began",
        begun.elapsed()
    );
    drop(flood.join().unwrap());
    assert_eq!(lab.controller.load("good")["connected"], true);
}

#[test]
fn garbage_on_the_meters_port_loses_no_telegram_that_is_whole() {
    let lab = lab();
    let mut good = lab.connect("good");
    good.begin();
    let mut random = 7_u64;
    let noise: Vec<u8> = (0..2_000)
        .map(|_| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            random.to_be_bytes()[1]
        })
        .collect();
    lab.house.garbage(Some(
        [&noise[..], b"/HRT5\\2CUT\r\n\r\n1-0:1.7.0(00"].concat(),
    ));
    lab.controller
        .wait_status("what is rejected is counted", SOON, |status| {
            let rejected = status["meter"]["rejected"].as_object()?;
            rejected
                .values()
                .any(|count| count.as_u64() > Some(2))
                .then_some(())
        });
    lab.goes_on(&mut good);
    let status = lab.controller.status();
    assert_eq!(status["meter"]["state"], "ok", "{status:#}");
}

#[test]
fn random_bytes_on_the_web_ports_stop_nothing() {
    let lab = lab();
    let mut good = lab.connect("good");
    good.begin();
    let web = lab
        .controller
        .api
        .base
        .strip_prefix("http://")
        .unwrap()
        .to_owned();
    let ocpp = format!("127.0.0.1:{}", lab.controller.ocpp_port);
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(100_000));
    let headers = format!("GET / HTTP/1.1\r\n{}\r\n", "X-Y: z\r\n".repeat(10_000));
    let mut held = Vec::new();
    for address in [&web, &ocpp] {
        for bytes in [
            &b"\0\xff\xfe\x80 garbage \r\n\r\n"[..],
            b"GET",
            b"GET / HTTP/9.9\r\n\r\n",
            b"POST /api/v1/site HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
            b"POST /api/v1/site HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"GET /../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
            b"GET /CP-good HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            long.as_bytes(),
            headers.as_bytes(),
        ] {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
            drop(stream.write_all(bytes));
            let mut answer = [0; 2_000];
            let read = stream.read(&mut answer).unwrap_or(0);
            let answer = String::from_utf8_lossy(&answer[..read]);
            assert!(!answer.starts_with("HTTP/1.1 2") && !answer.contains("root:"), "{answer}");
            held.push(stream);
        }
        // Connections that say nothing for ever.
        held.extend((0..50).map(|_| TcpStream::connect(address).unwrap()));
    }
    lab.goes_on(&mut good);
    drop(held);
}
