//! The HTTP API of the real service.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use headroom_tests::{
    api::{Answer, Api},
    controller::{self, Controller},
    events::Events,
    process::Process,
    wait,
};
use serde_json::{Value, json};
use tempfile::TempDir;

struct Service {
    controller: Controller,
    _dir: TempDir,
}

impl std::ops::Deref for Service {
    type Target = Controller;
    fn deref(&self) -> &Controller {
        &self.controller
    }
}

/// A service without any device.
fn service() -> Service {
    let dir = TempDir::new().unwrap();
    let controller = Controller::start(&dir.path().join("data"), None);
    Service {
        controller,
        _dir: dir,
    }
}

fn site() -> Value {
    json!({"name": "Home", "time_zone": "Europe/Oslo", "mode": "control", "grid": "tn_3ph",
           "main_fuse": {"rating_a": 25, "characteristic": "gg", "curve": "standard"}})
}

fn charger(id: &str) -> Value {
    json!({"id": id, "name": "Garage", "driver": {"kind": "ocpp", "charge_point_id": format!("CP-{id}"),
           "auth": "basic", "password": "long enough to be one"}, "phases": ["l1", "l2", "l3"]})
}

fn heater(id: &str) -> Value {
    json!({"id": id, "name": "Water heater", "driver": {"kind": "shelly_gen2", "host": "127.0.0.1:9", "channel": 0},
           "rated_w": 2000, "phases": ["l1"]})
}

/// A problem of RFC 9457 with a stable code and something to read.
fn assert_problem(answer: &Answer, status: u16, codes: &[&str]) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert!(
        answer.content_type.starts_with("application/problem+json"),
        "{}",
        answer.content_type
    );
    assert!(
        codes.contains(&answer.code()),
        "{} is none of {codes:?}",
        answer.text
    );
    let words = ["title", "detail"]
        .iter()
        .any(|field| answer.json[field].as_str().is_some());
    assert!(words, "says what is wrong: {}", answer.text);
}

#[test]
fn the_page_and_the_api_work_with_no_device_at_all() {
    let service = service();
    assert_eq!(service.api.anonymous().get("/healthz").status, 200);
    // The journal is opened beside the loop.
    wait::until("it is ready", Duration::from_secs(10), || {
        (service.api.anonymous().get("/readyz").status == 200).then_some(())
    });
    let page = service.api.anonymous().get("/").expect(200);
    assert!(
        page.content_type.starts_with("text/html") && page.text.contains("<script"),
        "{}",
        page.text
    );
    let status = service.status();
    assert!(
        status["state"].is_string() && status["mode"].is_string() && status["time"].is_string(),
        "{status:#}"
    );
    assert_eq!(status["mode"], "observe", "the default until go-live");
    assert!(
        status["reason"]["code"].is_string() && status["reason"]["text"].is_string(),
        "{status:#}"
    );
    assert_eq!(status["loads"], json!([]));
    assert!(
        status["meter"]["text"]
            .as_str()
            .is_some_and(|text| text.starts_with("No meter is set")),
        "{status:#}"
    );
    assert!(
        status["alarms"].is_array() && status["meter"]["state"].is_string(),
        "{status:#}"
    );
    assert_eq!(
        status["meter"]["age_s"],
        Value::Null,
        "unknown is null, never 0"
    );
    let phases = status["phases"].as_array().unwrap();
    assert!(
        phases.iter().all(|phase| phase["measured_a"].is_null()),
        "{status:#}"
    );
    assert!(
        status["version"]
            .as_str()
            .is_some_and(|version| version.split('.').count() == 3)
    );
    for list in ["chargers", "slow-loads", "decisions"] {
        let answer = service.api.get(list).expect(200).json;
        assert!(
            answer["items"].is_array() && answer["next"].is_null(),
            "{list}: {answer}"
        );
    }
}

#[test]
fn what_was_put_is_what_is_got() {
    let service = service();
    let put = service.api.put("site", &site()).expect(200).json;
    let got = service.api.get("site").expect(200).json;
    assert_eq!(put, got);
    assert_eq!(got["main_fuse"]["rating_a"].as_f64(), Some(25.0));
    assert_eq!(
        got["tuning"]["raise_after_s"], 30,
        "missing fields take their defaults"
    );
    let made = service
        .api
        .post("chargers", &charger("ev1"))
        .expect(201)
        .json;
    assert_eq!(made["id"], "ev1");
    assert_eq!(made["driver"]["password_set"], true);
    assert_eq!(made["lease_s"], 120);
    let got = service.api.get("chargers/ev1").expect(200);
    assert!(
        !got.text.contains("long enough"),
        "passwords are never given back: {}",
        got.text
    );
    let patched = service
        .api
        .patch("chargers/ev1", &json!({"name": "Carport"}))
        .expect(200)
        .json;
    assert_eq!(patched["name"], "Carport");
    assert_eq!(
        patched["phases"],
        json!(["l1", "l2", "l3"]),
        "PATCH changes what it names"
    );
    drop(
        service
            .api
            .post("slow-loads", &heater("heater"))
            .expect(201),
    );
    let order = json!({"order": [["heater"], ["ev1"]]});
    drop(service.api.put("priorities", &order).expect(200));
    assert_eq!(
        service.api.get("priorities").expect(200).json["order"],
        order["order"]
    );
    assert_eq!(
        service.api.get("slow-loads/heater").expect(200).json["priority"],
        2
    );
    assert_eq!(
        service.api.get("chargers/ev1").expect(200).json["priority"],
        1
    );
    let ids: Vec<_> = service.status()["loads"]
        .as_array()
        .unwrap()
        .iter()
        .map(|load| load["id"].clone())
        .collect();
    assert_eq!(ids.len(), 2, "{ids:?}");
    let gone = service.api.delete("slow-loads/heater").expect(204);
    assert_eq!(gone.text, "");
    assert_problem(&service.api.get("slow-loads/heater"), 404, &["not_found"]);
    // A password that was left out is made and returned once.
    let mut without = charger("ev2");
    without["driver"]
        .as_object_mut()
        .unwrap()
        .remove("password");
    let made = service.api.post("chargers", &without).expect(201).json;
    assert!(
        made["driver"]["password"]
            .as_str()
            .is_some_and(|password| password.len() >= 8),
        "{made}"
    );
    assert!(service.api.get("chargers/ev2").expect(200).json["driver"]["password"].is_null());
}

#[test]
fn who_may_do_what() {
    let service = service();
    drop(service.api.put("site", &site()).expect(200));
    drop(service.api.post("chargers", &charger("ev1")).expect(201));
    let nobody = service.api.anonymous();
    for answer in [
        nobody.get("status"),
        nobody.get("site"),
        nobody.put("site", &site()),
        nobody
            .with_token("hr_0123456789abcdef0123456789abcdef")
            .get("status"),
        nobody.with_token("").get("status"),
        nobody.get("decisions"),
        nobody.get("events"),
    ] {
        assert_problem(&answer, 401, &["unauthenticated", "setup_required"]);
    }
    let viewer = nobody.with_token(&controller::create_token(&service.data, "viewer", "viewer"));
    let user = nobody.with_token(&controller::create_token(&service.data, "user", "user"));
    let order = json!({"order": [["ev1"]]});
    drop(viewer.get("status").expect(200));
    drop(user.get("status").expect(200));
    assert_problem(&viewer.put("priorities", &order), 403, &["forbidden"]);
    drop(user.put("priorities", &order).expect(200));
    for api in [&viewer, &user] {
        assert_problem(&api.put("site", &site()), 403, &["forbidden"]);
        assert_problem(&api.post("chargers", &charger("ev2")), 403, &["forbidden"]);
        assert_problem(&api.delete("chargers/ev1"), 403, &["forbidden"]);
    }
    assert_problem(
        &viewer.post("loads/ev1/pause", &json!({"for_s": 60})),
        403,
        &["forbidden"],
    );
    let paused = user.post("loads/ev1/pause", &json!({"for_s": 60}));
    assert!((200..300).contains(&paused.status), "{}", paused.text);
    // A revoked token ends at once, while the service runs.
    let data = service.data.to_str().unwrap();
    let revoked = controller::run(&["token", "revoke", "viewer", "--data", data], b"");
    assert_eq!(revoked.code, Some(0), "{}", revoked.stderr);
    assert_eq!(viewer.get("status").status, 401);
    let list = controller::run(&["token", "list", "--data", data], b"");
    assert!(
        list.stdout.contains("user") && !list.stdout.contains("viewer"),
        "{}",
        list.stdout
    );
}

#[test]
fn what_cannot_be_right_changes_nothing() {
    let service = service();
    drop(service.api.put("site", &site()).expect(200));
    drop(service.api.post("chargers", &charger("ev1")).expect(201));
    drop(
        service
            .api
            .post("slow-loads", &heater("heater"))
            .expect(201),
    );
    let all = |service: &Service| {
        ["site", "chargers", "slow-loads", "priorities"]
            .map(|path| service.api.get(path).expect(200).json)
    };
    let before = all(&service);

    let with = |mut base: Value, pointer: &str, value: Value| {
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        base.pointer_mut(parent).unwrap()[field] = value;
        base
    };
    let invalid = [
        (
            "PUT",
            "site",
            with(site(), "/main_fuse/rating_a", json!(-25)),
        ),
        ("PUT", "site", with(site(), "/main_fuse/rating_a", json!(0))),
        (
            "PUT",
            "site",
            with(site(), "/main_fuse/rating_a", json!([25, 25])),
        ),
        (
            "PUT",
            "site",
            with(site(), "/main_fuse/rating_a", json!("25")),
        ),
        (
            "PUT",
            "site",
            with(site(), "/main_fuse/rating_a", Value::Null),
        ),
        (
            "PUT",
            "site",
            with(site(), "/main_fuse/characteristic", json!("z")),
        ),
        (
            "PUT",
            "site",
            with(site(), "/main_fuse/colour", json!("red")),
        ),
        ("PUT", "site", with(site(), "/margin_a", json!(-1))),
        ("PUT", "site", with(site(), "/margin_a", json!(30))),
        ("PUT", "site", with(site(), "/grid", json!("dc"))),
        (
            "PUT",
            "site",
            with(site(), "/time_zone", json!("Mars/Olympus")),
        ),
        (
            "PUT",
            "site",
            with(site(), "/tuning", json!({"raise_after_s": 0})),
        ),
        (
            "PUT",
            "site",
            with(site(), "/tuning", json!({"raise_after_s": 3601})),
        ),
        ("PUT", "site", with(site(), "/fuse", json!(25))),
        (
            "PUT",
            "site",
            with(site(), "/circuits", json!([{"id": "main", "rating_a": 20}])),
        ),
        ("PUT", "site", json!([])),
        ("PUT", "site", with(site(), "/main_fuse", json!([25]))),
        ("PUT", "site", with(site(), "/tuning", json!([]))),
        ("PATCH", "chargers/ev1", json!([])),
        ("POST", "chargers", json!(["ev9"])),
        (
            "POST",
            "chargers",
            with(charger("ev2"), "/min_current_a", json!(20)),
        ),
        (
            "POST",
            "chargers",
            with(charger("ev2"), "/max_current_a", json!(-16)),
        ),
        (
            "POST",
            "chargers",
            with(charger("ev2"), "/phases", json!(["l1", "l1"])),
        ),
        (
            "POST",
            "chargers",
            with(charger("ev2"), "/phases", json!([])),
        ),
        (
            "POST",
            "chargers",
            with(charger("ev2"), "/lease_s", json!(0)),
        ),
        (
            "POST",
            "chargers",
            with(charger("ev2"), "/circuit", json!("nowhere")),
        ),
        (
            "POST",
            "chargers",
            with(charger("ev2"), "/id", json!("EV 2")),
        ),
        (
            "POST",
            "chargers",
            with(charger("ev2"), "/lease", json!("proven")),
        ),
        (
            "POST",
            "chargers",
            with(charger("ev2"), "/driver/kind", json!("telepathy")),
        ),
        ("POST", "chargers", with(charger("ev2"), "/more", json!(1))),
        (
            "POST",
            "chargers",
            with(charger("ev2"), "/safe_current_a", json!(40)),
        ),
        ("PATCH", "chargers/ev1", json!({"max_current_a": -1})),
        ("PATCH", "chargers/ev1", json!({"nonsense": 1})),
        (
            "POST",
            "slow-loads",
            with(heater("h2"), "/rated_w", json!(-5)),
        ),
        (
            "POST",
            "slow-loads",
            with(heater("h2"), "/driver/host", json!("http://evil/")),
        ),
        ("PUT", "priorities", json!({"order": [["ev1"]]})),
        (
            "PUT",
            "priorities",
            json!({"order": [["ev1", "heater"], ["ev1"]]}),
        ),
        (
            "PUT",
            "priorities",
            json!({"order": [["ev1", "heater", "nobody"]]}),
        ),
        ("POST", "loads/ev1/pause", json!({"for_s": 0})),
        ("POST", "loads/ev1/pause", json!({"for_s": 86_401})),
        (
            "POST",
            "loads/ev1/limit",
            json!({"for_s": 60, "limit_a": -1}),
        ),
    ];
    let mut wrong = Vec::new();
    for (method, path, body) in &invalid {
        let answer = service.api.text(method, path, &body.to_string());
        let errors = answer.json["errors"].as_array();
        let named = errors.is_some_and(|errors| {
            !errors.is_empty()
                && errors.iter().all(|error| {
                    ["field", "code", "message"]
                        .iter()
                        .all(|part| error[part].is_string())
                })
        });
        if answer.status != 422 || answer.code() != "invalid" || !named {
            wrong.push(format!(
                "{method} {path} {body}\n  gave {} {}",
                answer.status, answer.text
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    for text in [
        "",
        "{",
        "nonsense",
        "{\"name\":NaN}",
        "{\"margin_a\":1e999}",
        "\u{0}",
    ] {
        let answer = service.api.text("PUT", "site", text);
        assert!(
            [400, 422].contains(&answer.status),
            "{text:?}: {} {}",
            answer.status,
            answer.text
        );
        assert!(
            ["malformed", "invalid"].contains(&answer.code()),
            "{text:?}: {}",
            answer.text
        );
    }
    assert_problem(
        &service.api.post("chargers", &charger("ev1")),
        409,
        &["exists"],
    );
    assert_problem(&service.api.get("chargers/nobody"), 404, &["not_found"]);
    assert_problem(
        &service.api.patch("chargers/nobody", &json!({"name": "x"})),
        404,
        &["not_found"],
    );
    assert_problem(
        &service.api.delete("slow-loads/nobody"),
        404,
        &["not_found"],
    );
    assert_problem(
        &service
            .api
            .post("loads/nobody/pause", &json!({"for_s": 60})),
        404,
        &["not_found"],
    );
    assert_problem(
        &service.api.get("there/is/no/such/thing"),
        404,
        &["not_found"],
    );
    let token = service.api.token.clone().unwrap();
    let huge = raw(
        &service,
        &format!(
            "PUT /api/v1/site HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: 1100000\r\nConnection: close\r\n\r\n"
        ),
    );
    assert!(
        huge.starts_with("HTTP/1.1 413") && huge.contains("too_large"),
        "{huge}"
    );
    assert_eq!(all(&service), before, "something changed");
    assert_eq!(service.api.get("/healthz").status, 200);
}

/// Raw bytes to the web port, and what came back.
fn raw(service: &Service, request: &str) -> String {
    let address = service.api.base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_host_that_is_not_ours_is_turned_away() {
    let service = service();
    let token = service.api.token.clone().unwrap();
    let request = |host: &str| {
        raw(
            &service,
            &format!(
                "GET /api/v1/status HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
                 Connection: close\r\n\r\n"
            ),
        )
    };
    let own = request(service.api.base.strip_prefix("http://").unwrap());
    assert!(own.starts_with("HTTP/1.1 200"), "{own}");
    let foreign = request("rebound.example.com");
    assert!(foreign.starts_with("HTTP/1.1 421"), "{foreign}");
    assert!(foreign.contains("host_not_allowed"), "{foreign}");
}

#[test]
fn events_tell_the_status_and_its_changes() {
    let service = service();
    drop(service.api.put("site", &site()).expect(200));
    let events = Events::open(&service.api, None);
    let soon = Duration::from_secs(10);
    let first = events.wait("status", soon, |event| Some(event.data.clone()));
    assert_eq!(first["mode"], "control");
    assert!(
        first["phases"].is_array() && first["loads"].is_array(),
        "the whole of the status: {first}"
    );
    drop(service.api.post("chargers", &charger("ev1")).expect(201));
    events.wait("status", soon, |event| {
        (event.data["loads"][0]["id"] == "ev1").then_some(())
    });
    let mut observe = site();
    observe["mode"] = json!("observe");
    drop(service.api.put("site", &observe).expect(200));
    events.wait("status", soon, |event| {
        (event.data["mode"] == "observe").then_some(())
    });
}

#[test]
fn lists_have_pages() {
    let service = service();
    for number in 1..=7 {
        drop(
            service
                .api
                .post("chargers", &charger(&format!("ev{number}")))
                .expect(201),
        );
    }
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = service
            .api
            .get(&format!("chargers?limit=3{cursor}"))
            .expect(200)
            .json;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 3);
        seen.extend(
            items
                .iter()
                .map(|item| item["id"].as_str().unwrap().to_owned()),
        );
        match &page["next"] {
            Value::Null => break,
            Value::String(next) => cursor = format!("&cursor={next}"),
            next => cursor = format!("&cursor={next}"),
        }
    }
    assert_eq!(seen.len(), 7, "{seen:?}");
    for limit in ["0", "501", "x", "-1"] {
        let answer = service.api.get(&format!("chargers?limit={limit}"));
        assert!(
            [400, 422].contains(&answer.status),
            "limit={limit}: {}",
            answer.text
        );
    }
}

#[test]
fn two_services_do_not_share_a_data_directory() {
    let service = service();
    let data = service.data.to_str().unwrap();
    let second = controller::run(
        &[
            "run",
            "--data",
            data,
            "--listen",
            "127.0.0.1:0",
            "--ocpp-listen",
            "127.0.0.1:0",
        ],
        b"",
    );
    assert_eq!(second.code, Some(1), "{}", second.stderr);
    assert!(
        second.stderr.contains(data) || second.stderr.contains("running"),
        "{}",
        second.stderr
    );
    assert_eq!(service.api.get("/healthz").status, 200);
}

#[test]
fn a_service_manager_can_stop_it() {
    let mut service = service();
    drop(service.api.put("site", &site()).expect(200));
    service.controller.process.terminate();
    let status = wait::until("it ends", Duration::from_secs(10), || {
        service.controller.process.ended()
    });
    assert_eq!(
        status.code(),
        Some(0),
        "{:?}",
        service.controller.process.stderr.all()
    );
    service.controller.restart();
    assert_eq!(service.api.get("site").expect(200).json["mode"], "control");
}

#[test]
fn the_first_one_with_the_code_is_installer() {
    let service = service();
    let nobody = service.api.anonymous();
    let line = service.process.stdout.all().remove(0);
    let (_, code) = line
        .split_once(" setup-code ")
        .expect("the code is in the line");
    let password = "a sentence is a fine password";
    let setup = |code: &str, password: &str| {
        nobody.post(
            "/api/v1/setup",
            &json!({"code": code, "name": "kari", "password": password}),
        )
    };
    assert_eq!(setup("ABCD-0000", password).status, 401);
    assert_eq!(setup(code, "too short").status, 422);
    let done = setup(code, password).expect(201);
    assert_eq!(done.json["role"], "installer");
    assert_eq!(setup(code, password).status, 409, "once");

    let session = nobody.with_session(done.cookie.as_deref().unwrap(), None);
    drop(session.get("status").expect(200));
    assert_problem(&session.put("site", &site()), 403, &["csrf"]);
    let csrf = done.json["csrf"].as_str().unwrap();
    let session = nobody.with_session(done.cookie.as_deref().unwrap(), Some(csrf));
    drop(session.put("site", &site()).expect(200));

    let log_in = |password: &str| {
        nobody.post(
            "/api/v1/login",
            &json!({"name": "kari", "password": password}),
        )
    };
    assert_eq!(log_in("another sentence here").status, 401);
    let second = log_in(password).expect(200);
    assert!(
        second
            .cookie
            .as_deref()
            .is_some_and(|cookie| cookie.starts_with("headroom_session="))
    );

    // Forgotten: whoever sits at the computer makes a new one, and the old sessions end.
    let data = service.data.to_str().unwrap();
    let reset = controller::run(&["password", "reset", "--data", data], b"");
    assert_eq!(reset.code, Some(0), "{}", reset.stderr);
    assert_eq!(session.get("status").status, 401);
    assert_eq!(log_in(password).status, 401);
    drop(log_in(reset.stdout.trim()).expect(200));
}

#[test]
fn each_flag_has_a_twin_in_the_environment() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("state");
    let token = controller::create_token(&data, "test", "viewer");
    let mut command = controller::command(&["run"]);
    command
        .env("HEADROOM_DATA", &data)
        .env("HEADROOM_LISTEN", "127.0.0.1:0")
        .env("HEADROOM_OCPP_LISTEN", "127.0.0.1:0")
        .env("HEADROOM_METER", "tcp://127.0.0.1:9")
        .env("HEADROOM_OBSERVE", "1")
        .env("HEADROOM_LOG_FORMAT", "json");
    let process = Process::start(&mut command);
    let api = Api::new(&controller::address(&process)).with_token(&token);
    let status = wait::until("the meter's source", Duration::from_secs(10), || {
        let status = api.get("status").expect(200).json;
        status["meter"]["source"].is_string().then_some(status)
    });
    assert_eq!(status["mode"], "observe");
    assert_eq!(status["meter"]["source"], "tcp://127.0.0.1:9");
    for line in process.stderr.all() {
        assert!(
            serde_json::from_str::<Value>(&line).is_ok(),
            "a line of JSON: {line}"
        );
    }
}
