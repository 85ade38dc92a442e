//! Every secret is a known text, everything that can speak is made to, and none of them is said.

use std::{
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    thread,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use headroom_tests::{
    api::Api,
    charge_point::ChargePoint,
    controller::{address, command, create_token, free_port, run},
    process::Process,
    wait,
};
use serde_json::{Value, json};
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(30);
const METER_KEY: &str = "CA11AB1ECA11AB1ECA11AB1ECA11AB1E";
const AUTH_KEY: &str = "DECAFBADDECAFBADDECAFBADDECAFBAD";
const PERSON: &str = "canary-person-password";

/// A device that asks everybody who they are, and never believes it. Answers its port.
fn doubting_device() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            thread::spawn(move || {
                let refusal = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest qop=\"auth\", realm=\"device\", \
                    nonce=\"1\", algorithm=SHA-256\r\nContent-Length: 0\r\n\r\n";
                let mut bytes = [0; 4096];
                while matches!(stream.read(&mut bytes), Ok(1..)) {
                    if stream.write_all(refusal.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

/// Reads a stream of events for as long as it has something new to say within two seconds.
fn events(api: &Api) -> String {
    let host = api.base.trim_start_matches("http://").to_owned();
    let mut stream = std::net::TcpStream::connect(&host).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(2)))
        .unwrap();
    let token = api.token.as_ref().unwrap();
    let request = format!(
        "GET /api/v1/events?renewals=true HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nLast-Event-ID: 0\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut heard = Vec::new();
    let mut bytes = [0; 16384];
    while heard.len() < 200_000 {
        match stream.read(&mut bytes) {
            Ok(read @ 1..) => heard.extend_from_slice(&bytes[..read]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&heard).into_owned()
}

/// The manifest of a backup: the first file of the archive.
fn manifest(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap();
    let name = String::from_utf8_lossy(&bytes[..100]).into_owned();
    assert!(name.starts_with("manifest.json"), "{name}");
    let size = String::from_utf8_lossy(&bytes[124..135]).into_owned();
    let size = usize::from_str_radix(size.trim_matches(['\0', ' ']), 8).unwrap();
    String::from_utf8_lossy(&bytes[512..512 + size]).into_owned()
}

/// Everything that a GET of the document answers, with the name of each call.
fn all_reads(api: &Api) -> Vec<(String, String)> {
    let document = api.get("openapi.json").expect(200).json;
    let mut told = Vec::new();
    for (path, calls) in document["paths"].as_object().unwrap() {
        if calls.get("get").is_none() || path.ends_with("/events") {
            continue;
        }
        for id in ["ev1", "ev2", "heater", "1"] {
            let asked = path.replace("{id}", id);
            let answer = api.get(&asked);
            assert!(answer.status < 500, "{asked}: {}", answer.text);
            told.push((format!("GET {asked}"), answer.text));
            if !path.contains("{id}") {
                break;
            }
        }
    }
    assert!(told.len() > 30, "{}", told.len());
    told
}

/// The private keys in the file of TLS, each as somebody could write it: base64, hexadecimal digits, a list of numbers.
fn private_keys(kept: &Value) -> Vec<String> {
    let mut written = Vec::new();
    for pair in ["ca", "leaf"] {
        let key = kept[pair]["key"].as_array().unwrap().iter();
        let key: Vec<u8> = key
            .map(|byte| u8::try_from(byte.as_u64().unwrap()).unwrap())
            .collect();
        // The secret number of a key on P-256 is behind its first 36 bytes (RFC 5958, RFC 5915).
        let secret = &key[36..60];
        let numbers = format!("{secret:?}");
        written.push(STANDARD.encode(secret));
        written.push(secret.iter().map(|byte| format!("{byte:02x}")).collect());
        written.push(numbers.trim_matches(['[', ']']).to_owned());
        written.push(numbers.trim_matches(['[', ']']).replace(' ', ""));
    }
    written
}

#[test]
fn no_secret_is_ever_said() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let folder = data.to_str().unwrap();
    let token = create_token(&data, "test", "installer");
    let (device, ocpp) = (doubting_device(), free_port());
    let ocpp_listen = format!("127.0.0.1:{ocpp}");
    let arguments = [
        "run",
        "--data",
        folder,
        "--listen",
        "127.0.0.1:0",
        "--ocpp-listen",
        &ocpp_listen,
    ];
    let process = Process::start(command(&arguments).env("RUST_LOG", "trace"));
    let api = Api::new(&address(&process)).with_token(&token);

    let put = |path: &str, body: Value| drop(api.put(path, &body).expect(200));
    let post = |path: &str, body: Value| api.post(path, &body).expect(201).json;
    put(
        "site",
        json!({"name": "Home", "mode": "control", "main_fuse": {"rating_a": 25}}),
    );
    let host = format!("127.0.0.1:{device}");
    let source = format!("mqtt://jo:canary-source@127.0.0.1:{device}/ams");
    put(
        "meter",
        json!({"source": source, "key": METER_KEY, "auth_key": AUTH_KEY}),
    );
    post(
        "chargers",
        json!({"id": "ev1", "driver": {"kind": "ocpp", "charge_point_id": "CP1", "auth": "basic",
            "password": "canary-ocpp-password"}}),
    );
    post(
        "chargers",
        json!({"id": "ev2", "accept_risk": true, "driver": {"kind": "http", "profile": "peblar", "host": host,
            "password": "canary-http-token"}}),
    );
    post(
        "slow-loads",
        json!({"id": "heater", "rated_w": 2000, "phases": ["l1"],
            "driver": {"kind": "shelly_gen2", "host": host, "channel": 0, "password": "canary-relay"}}),
    );
    put(
        "notifications",
        json!({"webhook": {"url": format!("http://{host}/hook"), "token": "canary-hook"},
            "ntfy": {"url": format!("http://{host}/house"), "token": "canary-ntfy"},
            "email": {"host": "127.0.0.1", "port": 1, "tls": "none", "user": "jo", "password": "canary-mail",
                "from": "a@example.org", "to": ["b@example.org"]}}),
    );
    for channel in ["webhook", "ntfy", "email"] {
        let told = post("notifications/test", json!({"channel": channel}));
        assert_eq!(told["delivered"], false, "{told}");
        assert!(!told.to_string().contains("canary"), "{told}");
    }
    // People, right and wrong.
    post(
        "users",
        json!({"name": "ada", "password": PERSON, "role": "installer"}),
    );
    let anonymous = api.anonymous();
    let wrong = json!({"name": "ada", "password": "canary-wrong-password"});
    assert_eq!(anonymous.post("login", &wrong).status, 401);
    let login = anonymous
        .post("login", &json!({"name": "ada", "password": PERSON}))
        .expect(200);
    let cookie = login.cookie.clone().unwrap();
    let (_, session) = cookie.split_once('=').unwrap();
    let csrf = login.json["csrf"].as_str().unwrap().to_owned();
    let page = api.with_session(&cookie, Some(&csrf));
    drop(
        page.put(
            "priorities",
            &json!({"order": [["heater"], ["ev1", "ev2"]]}),
        )
        .expect(200),
    );
    // A token in a place where none belongs.
    assert_eq!(anonymous.get(&format!("status?token={token}")).status, 401);
    let made = post("tokens", json!({"name": "other", "role": "viewer"}));
    let other = made["secret"].as_str().unwrap();
    // Charge points, right and wrong; the key that one is told is a secret too.
    assert!(ChargePoint::connect(ocpp, "CP1", Some("canary-wrong-ocpp")).is_err());
    let mut point = ChargePoint::connect(ocpp, "CP1", Some("canary-ocpp-password")).unwrap();
    point.begin();
    point.meter_values(6.0);
    wait::until("the trace of the charge point", SOON, || {
        let told = api.get("diagnostics").expect(200).text;
        told.contains("BootNotification").then_some(())
    });
    // What cannot be right is told without what was sent.
    let bad = json!({"source": "tcp://127.0.0.1:1", "key": "canary-no-key"});
    assert_eq!(api.put("meter", &bad).status, 422);

    let mut told = all_reads(&api);
    told.push(("events".to_owned(), events(&api)));
    told.push(("metrics".to_owned(), api.get("/metrics").text));
    let backup = dir.path().join("house.tar");
    let saved = run(&["backup", backup.to_str().unwrap(), "--data", folder], b"");
    assert_eq!(saved.code, Some(0), "{}", saved.stderr);
    told.push(("backup".to_owned(), saved.stdout + &saved.stderr));
    told.push(("manifest".to_owned(), manifest(&backup)));
    for name in ["export", "doctor"] {
        let outcome = run(&[name, "--data", folder], b"");
        told.push((name.to_owned(), outcome.stdout + &outcome.stderr));
    }
    put("tls", json!({"mode": "self_signed"}));
    let kept = std::fs::read_to_string(data.join("tls.json")).unwrap();
    let keys = private_keys(&serde_json::from_str(&kept).unwrap());
    process.terminate();
    let log = process.stderr.all();
    assert!(log.iter().any(|line| line.contains("TRACE")), "no trace");
    // What is searched is what was said: of the charge point and of the device.
    let spoken = log.join("\n");
    assert!(
        spoken.contains("CP1") && spoken.contains(&host),
        "no devices"
    );
    told.push(("log".to_owned(), spoken));
    told.push(("output".to_owned(), process.stdout.all().join("\n")));

    let basic = |text: &str| STANDARD.encode(text);
    let mut secrets = vec![
        "canary".to_owned(),
        METER_KEY.to_owned(),
        AUTH_KEY.to_owned(),
        token,
        other.to_owned(),
        session.to_owned(),
        basic("CP1:canary-ocpp-password"),
        basic("CP1:canary-wrong-ocpp"),
        basic("jo:canary-source"),
        basic("\0jo\0canary-mail"),
        basic("canary-mail"),
    ];
    secrets.extend(keys);
    let mut said = Vec::new();
    for (place, text) in &told {
        let text = text.to_ascii_lowercase();
        for secret in &secrets {
            if let Some(at) = text.find(&secret.to_lowercase()) {
                let around: String = text[..at].chars().rev().take(160).collect();
                let around: String = around.chars().rev().collect();
                said.push(format!("{secret} in {place}: …{around}…"));
            }
        }
    }
    assert!(said.is_empty(), "{}", said.join("\n"));
}
