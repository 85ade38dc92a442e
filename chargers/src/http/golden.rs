//! Each shipped profile: from given answers what is read, from a given order what is sent, to the byte.
//!
//! The answers are written from what the makers document; values are invented.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use headroom_core::{
    event::ChargerStatus,
    units::{Milliamps, WattHours, Watts},
};
use tokio::net::TcpListener;

use super::{HttpDevice, device, http_client, names, shipped};
use crate::polled::{CallError, Order, PolledDevice as _, Seen};

type Answers = Arc<Mutex<Vec<(String, u16, String)>>>;

#[derive(Clone, Default)]
struct Mock {
    answers: Answers,
    asked: Arc<Mutex<Vec<String>>>,
}

async fn answer(
    State(mock): State<Mock>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let first = format!("{method} {uri}");
    let mut asked = first.clone();
    for name in [
        header::AUTHORIZATION,
        header::CONTENT_TYPE,
        header::CONTENT_LENGTH,
    ] {
        let only_empty = name == header::CONTENT_LENGTH && !body.is_empty();
        if let Some(value) = headers.get(&name).filter(|_| !only_empty) {
            write!(asked, " [{name}: {}]", value.to_str().unwrap()).unwrap();
        }
    }
    if !body.is_empty() {
        write!(asked, " {}", std::str::from_utf8(&body).unwrap()).unwrap();
    }
    mock.asked.lock().unwrap().push(asked);
    let answers = mock.answers.lock().unwrap();
    match answers.iter().find(|(wanted, ..)| *wanted == first) {
        Some((_, status, body)) => {
            (StatusCode::from_u16(*status).unwrap(), body.clone()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

struct Bench {
    mock: Mock,
    device: HttpDevice,
}

impl Bench {
    async fn new(profile: &str, params: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let mock = Mock::default();
        let router = Router::new().fallback(answer).with_state(mock.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let mut params: BTreeMap<String, String> = params
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let password = params.remove("password");
        let client = http_client().unwrap();
        let device = device(
            client,
            profile,
            &host,
            &params,
            password.as_deref(),
            Duration::from_secs(5),
        )
        .unwrap();
        Self { mock, device }
    }

    fn answers(&self, answers: &[(&str, &str)]) {
        let answers = answers.iter();
        *self.mock.answers.lock().unwrap() = answers
            .map(|(first, body)| ((*first).to_owned(), 200, (*body).to_owned()))
            .collect();
    }

    async fn read(&mut self, answers: &[(&str, &str)]) -> Seen {
        self.answers(answers);
        self.device.read().await.unwrap()
    }

    /// What is sent for an order.
    async fn told(&mut self, order: &Order, answers: &[(&str, &str)]) -> Vec<String> {
        self.answers(answers);
        self.mock.asked.lock().unwrap().clear();
        self.device.tell(order).await.unwrap();
        self.mock.asked.lock().unwrap().clone()
    }
}

fn limit(milliampere: i64) -> Order {
    Order::Limit {
        limit: Milliamps(milliampere),
        phases: 3,
        lease_s: 120,
        safe: Milliamps(0),
    }
}

const fn switch(on: bool) -> Order {
    Order::Switch { on, lease_s: 90 }
}

fn charger(
    status: ChargerStatus,
    current: &[Option<i64>],
    limit: Option<i64>,
    energy: Option<i64>,
) -> Seen {
    let current_a = current.iter().map(|one| one.map(Milliamps)).collect();
    Seen::Charger {
        status,
        current_a: Some(current_a),
        limit: limit.map(Milliamps),
        energy: energy.map(WattHours),
    }
}

fn relay(on: Option<bool>, power_w: Option<i64>) -> Seen {
    Seen::SlowLoad {
        on,
        power_w: power_w.map(Watts),
    }
}

use ChargerStatus::{Available, Charging, Faulted, SuspendedEv, SuspendedEvse, Unknown};

#[tokio::test]
async fn go_e_v2() {
    let mut bench = Bench::new("go-e-v2", &[]).await;
    let ask = "GET /api/status?filter=amp,car,frc,nrg,wh";
    let nrg = "[231,230,229,0,9.7,9.61,0,2.2,2.2,0,0,4400,99,99,0,0]";
    for (fields, status, current, limit, energy) in [
        (
            format!(r#""amp":10,"car":2,"frc":0,"nrg":{nrg},"wh":1500.5"#),
            Charging,
            vec![Some(9_700), Some(9_610), Some(0)],
            Some(10_000),
            Some(1_501),
        ),
        (
            format!(r#""amp":16,"car":1,"frc":1,"nrg":{nrg},"wh":0"#),
            Available,
            vec![Some(9_700), Some(9_610), Some(0)],
            Some(0),
            Some(0),
        ),
        (
            format!(r#""amp":16,"car":4,"frc":1,"nrg":{nrg}"#),
            SuspendedEvse,
            vec![Some(9_700), Some(9_610), Some(0)],
            Some(0),
            None,
        ),
        (
            r#""amp":6,"car":3,"frc":0,"nrg":[230,230,230,0,null,-1,"x"]"#.to_owned(),
            SuspendedEv,
            vec![None, None, None],
            Some(6_000),
            None,
        ),
        (
            r#""amp":6,"car":5,"frc":0,"nrg":[230,230,230,0,0,0,0,0]"#.to_owned(),
            Faulted,
            vec![Some(0); 3],
            Some(6_000),
            None,
        ),
        (
            r#""amp":6,"car":null,"frc":0,"nrg":[0,0,0,0,0,0,0,0]"#.to_owned(),
            Unknown,
            vec![Some(0); 3],
            Some(6_000),
            None,
        ),
    ] {
        // An energy that is not there is not known.
        let fields = if energy.is_none() {
            fields + r#","wh":null"#
        } else {
            fields
        };
        let body = format!("{{{fields}}}");
        if energy.is_none() {
            bench.answers(&[(ask, &body)]);
            let error = bench.device.read().await;
            assert!(error.is_ok(), "{error:?}: {body}");
        }
        let seen = bench.read(&[(ask, &body)]).await;
        assert_eq!(seen, charger(status, &current, limit, energy), "{body}");
    }

    let set = "GET /api/set?amp=13&frc=0";
    let told = bench
        .told(&limit(13_900), &[(set, r#"{"amp":true,"frc":true}"#)])
        .await;
    assert_eq!(told, [set], "rounded down");
    let pause = "GET /api/set?frc=1";
    for low in [0, 5_999] {
        let told = bench.told(&limit(low), &[(pause, r#"{"frc":true}"#)]).await;
        assert_eq!(told, [pause], "{low}");
    }
    let most = "GET /api/set?amp=32&frc=0";
    let told = bench
        .told(&limit(40_000), &[(most, r#"{"amp":true,"frc":true}"#)])
        .await;
    assert_eq!(told, [most]);
    // 200 with words is a no.
    bench.answers(&[(set, r#"{"amp":"value is out of range","frc":true}"#)]);
    let error = bench.device.tell(&limit(13_000)).await.unwrap_err();
    assert!(
        matches!(&error, CallError::Refused(text) if text.contains("out of range")),
        "{error}"
    );
}

#[tokio::test]
async fn go_e_v1() {
    let mut bench = Bench::new("go-e-v1", &[]).await;
    let ask = "GET /status";
    let nrg = "[230,231,229,0,97,98,0,22,22,0,0,440,99,99,0,0]";
    for (fields, status, limit) in [
        (
            r#""amp":"16","amx":"10","car":"2","alw":"1""#,
            Charging,
            Some(10_000),
        ),
        (r#""amp":"16","car":"2","alw":"1""#, Charging, None),
        (r#""amp":"16","car":"4","alw":"0""#, SuspendedEvse, Some(0)),
        (r#""amp":"16","car":"1","alw":"0""#, Available, Some(0)),
    ] {
        let body = format!(r#"{{{fields},"nrg":{nrg}}}"#);
        let seen = bench.read(&[(ask, &body)]).await;
        let current = [Some(9_700), Some(9_800), Some(0)];
        assert_eq!(seen, charger(status, &current, limit, None), "{body}");
    }

    let (set, allow, forbid) = (
        "GET /mqtt?payload=amx=8",
        "GET /mqtt?payload=alw=1",
        "GET /mqtt?payload=alw=0",
    );
    let answers = [
        (set, r#"{"car":"2","amp":"16","alw":"1"}"#),
        (allow, r#"{"car":"2","alw":"1"}"#),
        (forbid, r#"{"car":"2","alw":"0"}"#),
    ];
    assert_eq!(
        bench.told(&limit(8_500), &answers).await,
        [set, allow],
        "the first order"
    );
    assert_eq!(bench.told(&limit(8_000), &answers).await, [set]);
    assert_eq!(bench.told(&limit(0), &answers).await, [forbid]);
    assert_eq!(
        bench.told(&limit(8_000), &answers).await,
        [set, allow],
        "after a pause"
    );
}

#[tokio::test]
async fn openevse_claims() {
    let params = [("user", "a"), ("password", "b"), ("client", "7/..")];
    let mut bench = Bench::new("openevse", &params).await;
    let ask = "GET /status";
    for (fields, status, limit) in [
        (r#""state":3,"vehicle":1"#, Charging, Some(13_000)),
        (r#""state":2,"vehicle":1"#, SuspendedEv, Some(13_000)),
        (r#""state":254,"vehicle":1"#, SuspendedEvse, Some(0)),
        (r#""state":254,"vehicle":0"#, Available, Some(0)),
        (r#""state":1"#, Available, Some(13_000)),
        (r#""state":6"#, Faulted, Some(13_000)),
        (r#""state":0"#, Unknown, Some(13_000)),
    ] {
        let body = format!(r#"{{{fields},"amp":12980,"pilot":13,"session_energy":900}}"#);
        let seen = bench.read(&[(ask, &body)]).await;
        assert_eq!(
            seen,
            charger(status, &[Some(12_980)], limit, Some(900)),
            "{body}"
        );
    }

    let claim = "POST /claims/7%2F..";
    let with = " [authorization: Basic YTpi] [content-type: application/json] ";
    let answers = [(claim, r#"{"msg":"done"}"#)];
    assert_eq!(
        bench.told(&limit(9_999), &answers).await,
        [format!(
            r#"{claim}{with}{{"max_current": 9, "auto_release": false}}"#
        )]
    );
    assert_eq!(
        bench.told(&limit(0), &answers).await,
        [format!(
            r#"{claim}{with}{{"state": "disabled", "auto_release": false}}"#
        )]
    );
}

#[tokio::test]
async fn smartevse() {
    let mut bench = Bench::new("smartevse", &[]).await;
    let ask = "GET /settings";
    for (mode, state, connected, over, status, limit) in [
        (1, 2, true, 83, Charging, 8_300),
        (1, 1, true, 0, SuspendedEv, 16_000),
        (4, 1, true, 83, SuspendedEvse, 0),
        (4, 2, true, 83, Charging, 0),
        (1, 0, false, 0, Available, 16_000),
        (1, 9, true, 83, Unknown, 8_300),
    ] {
        let body = format!(
            r#"{{"mode_id":{mode},"car_connected":{connected},"evse":{{"state_id":{state},"error_id":0}},
            "settings":{{"charge_current":160,"override_current":{over}}},
            "ev_meter":{{"currents":{{"TOTAL":245,"L1":82,"L2":82,"L3":81}}}}}}"#
        );
        let seen = bench.read(&[(ask, &body)]).await;
        let current = [Some(8_200), Some(8_200), Some(8_100)];
        assert_eq!(seen, charger(status, &current, Some(limit), None), "{body}");
    }
    let (over, run, pause) = (
        "POST /settings?override_current=83",
        "POST /settings?mode=1",
        "POST /settings?mode=4",
    );
    let answers = [(over, "{}"), (run, "{}"), (pause, "{}")];
    let empty = |line: &str| format!("{line} [content-length: 0]");
    assert_eq!(
        bench.told(&limit(8_399), &answers).await,
        [empty(over), empty(run)]
    );
    assert_eq!(bench.told(&limit(8_300), &answers).await, [empty(over)]);
    assert_eq!(bench.told(&limit(0), &answers).await, [empty(pause)]);
}

#[tokio::test]
async fn warp() {
    let mut bench = Bench::new("warp", &[]).await;
    let state = r#"{"iec61851_state":2,"allowed_charging_current":10500,"error_state":0}"#;
    let seen = bench
        .read(&[
            ("GET /evse/state", state),
            ("GET /meters/0/value_ids", "[1,2,3,13,17,21,74]"),
            (
                "GET /meters/0/values",
                "[230.1,230.2,230.3,10.4,10.38,null,4800]",
            ),
        ])
        .await;
    let current = [Some(10_400), Some(10_380), None];
    assert_eq!(seen, charger(Charging, &current, Some(10_500), None));
    // One without a meter.
    let state = r#"{"iec61851_state":1,"allowed_charging_current":0}"#;
    let seen = bench.read(&[("GET /evse/state", state)]).await;
    let Seen::Charger {
        status,
        current_a,
        limit: seen_limit,
        ..
    } = seen
    else {
        panic!("{seen:?}");
    };
    assert_eq!(
        (status, current_a, seen_limit),
        (SuspendedEvse, None, Some(Milliamps(0)))
    );

    let put = "PUT /evse/external_current";
    let with = " [content-type: application/json] ";
    let answers = [(put, "")];
    assert_eq!(
        bench.told(&limit(10_567), &answers).await,
        [format!(r#"{put}{with}{{"current": 10567}}"#)]
    );
    assert_eq!(
        bench.told(&limit(0), &answers).await,
        [format!(r#"{put}{with}{{"current": 0}}"#)]
    );
}

#[tokio::test]
async fn peblar() {
    let mut bench = Bench::new("peblar", &[("password", "abc")]).await;
    for (cp, told, status) in [
        ("State C", 13_000, Charging),
        ("State B", 0, SuspendedEvse),
        ("State B", 13_000, SuspendedEv),
        ("State A", 13_000, Available),
        ("Invalid", 13_000, Unknown),
    ] {
        let interface = format!(
            r#"{{"CpState":"{cp}","ChargeCurrentLimit":{told},"ChargeCurrentLimitActual":{told},"Force1Phase":false}}"#
        );
        let seen = bench
            .read(&[
                ("GET /api/wlac/v1/evinterface", &interface),
                (
                    "GET /api/wlac/v1/meter",
                    r#"{"CurrentPhase1":12960,"CurrentPhase2":13001}"#,
                ),
            ])
            .await;
        let current = [Some(12_960), Some(13_001), None];
        assert_eq!(
            seen,
            charger(status, &current, Some(told), None),
            "{interface}"
        );
    }
    let patch = "PATCH /api/wlac/v1/evinterface";
    let with = " [authorization: abc] [content-type: application/json] ";
    let answers = [(patch, "{}")];
    assert_eq!(
        bench.told(&limit(13_050), &answers).await,
        [format!(r#"{patch}{with}{{"ChargeCurrentLimit": 13000}}"#)]
    );
    assert_eq!(
        bench.told(&limit(3_000), &answers).await,
        [format!(r#"{patch}{with}{{"ChargeCurrentLimit": 0}}"#)]
    );
}

#[tokio::test]
async fn shelly_gen1() {
    let mut bench = Bench::new(
        "shelly-gen1",
        &[("channel", "1"), ("user", "u"), ("password", "p:w")],
    )
    .await;
    let answers = [
        (
            "GET /relay/1",
            r#"{"ison":true,"has_timer":true,"timer_remaining":80}"#,
        ),
        (
            "GET /status",
            r#"{"meters":[{"power":1},{"power":1950.4}]}"#,
        ),
    ];
    assert_eq!(bench.read(&answers).await, relay(Some(true), Some(1_950)));
    // One that measures nothing.
    let plain = [("GET /relay/1", r#"{"ison":false,"has_timer":false}"#)];
    assert_eq!(bench.read(&plain).await, relay(Some(false), None));

    let (on, off) = ("GET /relay/1?timer=90&turn=on", "GET /relay/1?turn=off");
    let answers = [
        (on, r#"{"ison":true,"has_timer":true}"#),
        (off, r#"{"ison":false}"#),
    ];
    let with = " [authorization: Basic dTpwOnc=]";
    assert_eq!(
        bench.told(&switch(true), &answers).await,
        [format!("{on}{with}")]
    );
    assert_eq!(
        bench.told(&switch(false), &answers).await,
        [format!("{off}{with}")]
    );
}

#[tokio::test]
async fn tasmota() {
    let mut bench = Bench::new("tasmota", &[("user", "admin"), ("password", "a&b c")]).await;
    let with = "&password=a%26b%20c&user=admin";
    let power = format!("GET /cm?cmnd=Power1{with}");
    let sensors = format!("GET /cm?cmnd=Status%208{with}");
    for (answer, energy, seen) in [
        (
            r#"{"POWER1":"ON"}"#,
            r#"{"StatusSNS":{"ENERGY":{"Power":1990}}}"#,
            relay(Some(true), Some(1_990)),
        ),
        (
            r#"{"POWER":"OFF"}"#,
            r#"{"StatusSNS":{"Time":"2026-01-01T00:00:00"}}"#,
            relay(Some(false), None),
        ),
    ] {
        assert_eq!(
            bench.read(&[(&power, answer), (&sensors, energy)]).await,
            seen
        );
    }
    let (on, off) = (
        format!("GET /cm?cmnd=Power1%20On{with}"),
        format!("GET /cm?cmnd=Power1%20Off{with}"),
    );
    let answers = [(&*on, r#"{"POWER":"ON"}"#), (&*off, r#"{"POWER":"OFF"}"#)];
    assert_eq!(bench.told(&switch(true), &answers).await, [&*on]);
    assert_eq!(bench.told(&switch(false), &answers).await, [&*off]);
    // A missing password comes with status 200.
    bench.answers(&[(
        &on,
        r#"{"WARNING":"Need user=<username>&password=<password>"}"#,
    )]);
    let error = bench.device.tell(&switch(true)).await.unwrap_err();
    assert!(
        matches!(&error, CallError::Refused(text) if text.contains("Need user")),
        "{error}"
    );
}

#[tokio::test]
async fn home_assistant_switch() {
    let params = [
        ("entity", "switch.heater"),
        ("password", "t"),
        ("power_entity", "sensor.heater_power"),
    ];
    let mut bench = Bench::new("home-assistant-switch", &params).await;
    let (state, power) = (
        "GET /api/states/switch.heater",
        "GET /api/states/sensor.heater_power",
    );
    for (on, watts, seen) in [
        ("on", "1987.5", relay(Some(true), Some(1_988))),
        ("off", "unavailable", relay(Some(false), None)),
        ("unavailable", "0", relay(None, Some(0))),
    ] {
        let answers = [
            (
                state,
                format!(r#"{{"entity_id":"switch.heater","state":"{on}"}}"#),
            ),
            (power, format!(r#"{{"state":"{watts}"}}"#)),
        ];
        let answers = answers.each_ref().map(|(ask, body)| (*ask, &**body));
        assert_eq!(bench.read(&answers).await, seen);
    }
    let (on, off) = (
        "POST /api/services/switch/turn_on",
        "POST /api/services/switch/turn_off",
    );
    let with = r#" [authorization: Bearer t] [content-type: application/json] {"entity_id": "switch.heater"}"#;
    let answers = [(on, "[]"), (off, "[]")];
    assert_eq!(
        bench.told(&switch(true), &answers).await,
        [format!("{on}{with}")]
    );
    assert_eq!(
        bench.told(&switch(false), &answers).await,
        [format!("{off}{with}")]
    );
}

#[tokio::test]
async fn home_assistant_charger() {
    let params = [
        ("limit_entity", "number.box"),
        ("switch_entity", "switch.box"),
        ("password", "t"),
        ("current_l1", "sensor.l1"),
        ("current_l3", "sensor.l3"),
    ];
    let mut bench = Bench::new("home-assistant-charger", &params).await;
    for (on, status, limit) in [("on", Unknown, 10_000), ("off", SuspendedEvse, 0)] {
        let switch = format!(r#"{{"state":"{on}"}}"#);
        let seen = bench
            .read(&[
                ("GET /api/states/number.box", r#"{"state":"10.0"}"#),
                ("GET /api/states/switch.box", &switch),
                ("GET /api/states/sensor.l1", r#"{"state":"9.7"}"#),
                ("GET /api/states/sensor.l3", r#"{"state":"unknown"}"#),
            ])
            .await;
        assert_eq!(
            seen,
            charger(status, &[Some(9_700), None, None], Some(limit), None)
        );
    }
    let with = " [authorization: Bearer t] [content-type: application/json] ";
    let (set, on, off) = (
        "POST /api/services/number/set_value",
        "POST /api/services/switch/turn_on",
        "POST /api/services/switch/turn_off",
    );
    let answers = [(set, "[]"), (on, "[]"), (off, "[]")];
    let set = format!(r#"{set}{with}{{"entity_id": "number.box", "value": 10}}"#);
    let on = format!(r#"{on}{with}{{"entity_id": "switch.box"}}"#);
    let off = format!(r#"{off}{with}{{"entity_id": "switch.box"}}"#);
    assert_eq!(bench.told(&limit(10_999), &answers).await, [&*set, &*on]);
    assert_eq!(bench.told(&limit(10_000), &answers).await, [&*set]);
    assert_eq!(bench.told(&limit(0), &answers).await, [&*off]);
}

#[tokio::test]
async fn statuses_that_are_a_no() {
    let mut bench = Bench::new("go-e-v2", &[]).await;
    let ask = "GET /api/status?filter=amp,car,frc,nrg,wh";
    for (status, body, wants) in [
        (404, "", "status 404"),
        (500, "no\nnews", "no news"),
        (302, "", "configure the address itself"),
        (401, "", "password"),
        (200, "<html>", "no JSON, but <html>"),
        (200, "{}", "nothing that is looked for"),
        (200, "[1]", "cannot index"),
    ] {
        *bench.mock.answers.lock().unwrap() = vec![(ask.to_owned(), status, body.to_owned())];
        let error = bench.device.read().await.unwrap_err().to_string();
        assert!(error.contains(wants), "{status} {body}: {error}");
    }
    let large = format!("{{\"amp\":6,\"x\":\"{}\"}}", "x".repeat(64 * 1024));
    *bench.mock.answers.lock().unwrap() = vec![(ask.to_owned(), 200, large)];
    let error = bench.device.read().await.unwrap_err().to_string();
    assert!(error.contains("longer than 65536 bytes"), "{error}");
}

#[test]
fn every_profile_is_good_and_tells_what_happens_without_us() {
    for name in names() {
        let profile = shipped(&name)
            .unwrap()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(profile.safety.text.len() > 20, "{name}");
        assert!(!profile.title.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn a_password_in_the_address_is_not_written_down() {
    let mut bench = Bench::new("tasmota", &[("user", "admin"), ("password", "a&b c")]).await;
    bench.device.write_down();
    let first = "GET /cm?cmnd=Power1&password=a%26b%20c&user=admin";
    bench.answers(&[(first, r#"{"POWER":"ON", "you said": "a&b c"}"#)]);
    // The second question has no answer here.
    bench.device.read().await.unwrap_err();
    let said = format!("{:?}", bench.device.take_transcript());
    assert!(
        said.contains("cmnd=Power1&password=***&user=admin"),
        "{said}"
    );
    assert!(!said.contains("a%26b") && !said.contains("a&b"), "{said}");
}
