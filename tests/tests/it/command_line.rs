//! The command line: what is missing or wrong is told with what to do, and nothing is made by mistake.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    time::Duration,
};

use headroom_tests::{
    api::Api,
    controller,
    process::{Outcome, Process},
    wait,
};
use serde_json::{Value, json};
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(60);

fn run(arguments: &[&str]) -> Outcome {
    controller::run(arguments, b"")
}

/// Wrong usage, told with all of these words.
fn refused(arguments: &[&str], words: &[&str]) {
    let outcome = run(arguments);
    assert_eq!(
        (outcome.code, outcome.stdout.as_str()),
        (Some(1), ""),
        "{arguments:?}: {}",
        outcome.stderr
    );
    for word in words {
        assert!(
            outcome.stderr.contains(word),
            "{arguments:?} does not say {word:?}: {}",
            outcome.stderr
        );
    }
}

#[test]
fn commands_beside_the_service_begin_no_house_of_their_own() {
    let dir = TempDir::new().unwrap();
    let nowhere = dir.path().join("forgotten");
    let data = nowhere.to_str().unwrap();
    for command in [
        &["token", "list"][..],
        &["token", "revoke", "script"],
        &["password", "reset"],
    ] {
        let arguments = [command, &["--data", data]].concat();
        refused(&arguments, &[data, "--data", "$STATE_DIRECTORY"]);
        assert!(!nowhere.exists(), "{command:?} made a directory");
        fs::create_dir(&nowhere).unwrap();
        refused(&arguments, &[data]);
        assert_eq!(fs::read_dir(&nowhere).unwrap().count(), 0, "{command:?}");
        fs::remove_dir(&nowhere).unwrap();
    }
}

#[test]
fn the_first_token_begins_a_house_and_says_where() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let create = |name: &str| {
        let data = data.to_str().unwrap();
        let create = [
            "token", "create", "--role", "viewer", "--data", data, "--name",
        ];
        run(&[&create[..], &[name]].concat())
    };
    let first = create("script");
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert_eq!(first.stdout.lines().count(), 1, "the secret alone");
    assert!(
        first.stderr.contains(data.to_str().unwrap()),
        "{}",
        first.stderr
    );
    let second = create("other");
    assert_eq!(
        (second.code, second.stderr.as_str()),
        (Some(0), ""),
        "there is a house now"
    );
    let twice = create("script");
    assert_eq!(twice.code, Some(1));
    assert!(twice.stderr.contains("\"script\""), "{}", twice.stderr);
    for name in ["", " a", "a ", "a\n", &"x".repeat(65)] {
        let outcome = create(name);
        assert_eq!(outcome.code, Some(1), "{name:?}");
        assert!(
            outcome.stderr.contains("1 to 64 characters"),
            "{name:?}: {}",
            outcome.stderr
        );
    }
    refused(
        &[
            "token",
            "revoke",
            "nobody",
            "--data",
            data.to_str().unwrap(),
        ],
        &["\"nobody\""],
    );
}

#[test]
fn addresses_are_told_with_an_example_and_the_name_of_their_flag() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let start = ["run", "--data", data.to_str().unwrap()];
    let with = |more: &[&'static str]| [&start[..], more].concat();
    refused(
        &with(&["--listen", "18452"]),
        &["--listen", "127.0.0.1:18452", "0.0.0.0:18452"],
    );
    refused(
        &with(&["--ocpp-listen", "headroom"]),
        &["--ocpp-listen", "address and a port", "0.0.0.0:8080"],
    );
    refused(
        &["demo", "--listen", "18452"],
        &["--listen", "127.0.0.1:18452"],
    );
    refused(
        &with(&[
            "--listen",
            "127.0.0.1:18452",
            "--ocpp-listen",
            "0.0.0.0:18452",
        ]),
        &["--listen", "--ocpp-listen", "same port"],
    );
    refused(
        &with(&["--host-name", "http://headroom.example:80/"]),
        &["--host-name", "headroom.example.org"],
    );
    refused(
        &with(&["--meter", "serail:/dev/ttyUSB0"]),
        &["--meter", "serail", "serial:"],
    );
    assert!(!data.exists(), "nothing was begun");

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (flag, other) in [("--listen", "--ocpp-listen"), ("--ocpp-listen", "--listen")] {
        let arguments = [&start[..], &[flag, &taken, other, "127.0.0.1:0"]].concat();
        refused(
            &arguments,
            &[&format!("{flag} {taken}"), "another program", "choose"],
        );
    }
    refused(
        &with(&["--listen", "192.0.2.1:8080", "--ocpp-listen", "127.0.0.1:0"]),
        &["--listen 192.0.2.1:8080", "no such address"],
    );
}

/// Names for the page come from flags and from the environment.
#[test]
fn names_of_the_page_can_be_added() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let token = controller::create_token(&data, "test", "viewer");
    let service = |names: &[&str], environment: Option<&str>| {
        let run = [
            "run",
            "--listen",
            "127.0.0.1:0",
            "--ocpp-listen",
            "127.0.0.1:0",
        ];
        let mut command = controller::command(&run);
        command.arg("--data").arg(&data).args(names);
        if let Some(names) = environment {
            command.env("HEADROOM_HOST_NAMES", names);
        }
        Process::start(&mut command)
    };
    let asked = |base: &str, host: &str| {
        let address = base.strip_prefix("http://").unwrap();
        let request = format!(
            "GET /api/v1/status HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
             Connection: close\r\n\r\n"
        );
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let flags = ["--host-name", "one.example", "--host-name", "two.example"];
    for (flags, environment) in [(&flags[..], None), (&[], Some("one.example,two.example"))] {
        let mut process = service(flags, environment);
        let base = controller::address(&process);
        for host in ["one.example", "two.example:8080"] {
            assert!(asked(&base, host).starts_with("HTTP/1.1 200"), "{host}");
        }
        let foreign = asked(&base, "three.example");
        assert!(
            foreign.starts_with("HTTP/1.1 421") && foreign.contains("--host-name three.example"),
            "{foreign}"
        );
        process.kill();
    }
}

/// What the command line rules is told where it is set.
#[test]
fn a_meter_that_the_command_line_names_is_shown_as_pinned() {
    let dir = TempDir::new().unwrap();
    let telegrams = dir.path().join("telegrams");
    fs::write(&telegrams, "").unwrap();
    let source = format!("file:{}?interval_ms=1000", telegrams.display());
    let controller = controller::Controller::start(&dir.path().join("data"), Some(&source));
    let meter = controller.api.get("meter").expect(200).json;
    assert_eq!(
        meter,
        json!({"source": source, "pinned": true, "stored_source": Value::Null, "key_set": false, "ct_ratio": null})
    );
    let stored = json!({"source": "tcp://192.0.2.1:2001"});
    let answer = controller.api.put("meter", &stored).expect(200).json;
    assert_eq!(answer["pinned"], true, "{answer}");
    assert_eq!(answer["source"], source.as_str(), "{answer}");
    assert_eq!(answer["stored_source"], "tcp://192.0.2.1:2001", "{answer}");
    let shown = controller.status()["meter"]["source"].clone();
    assert!(
        shown
            .as_str()
            .is_some_and(|shown| shown.starts_with("file:")),
        "{shown}"
    );
}

#[test]
fn a_log_that_cannot_be_written_holds_nothing_up() {
    let data = TempDir::new().unwrap();
    let token = controller::create_token(data.path(), "test", "installer");
    let arguments = [
        "run",
        "--data",
        data.path().to_str().unwrap(),
        "--listen",
        "127.0.0.1:0",
        "--ocpp-listen",
        "127.0.0.1:0",
    ];
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut service = Process::start_with(&mut controller::command(&arguments), full.into());
    let api = Api::new(&controller::address(&service)).with_token(&token);
    // Both are logged.
    let site = json!({"mode": "control", "main_fuse": {"rating_a": 20}});
    drop(api.put("site", &site).expect(200));
    let meter = json!({"source": "serial:/dev/ttyNowhere"});
    drop(api.put("meter", &meter).expect(200));
    let tried_again = || {
        let meter = api.get("status").expect(200).json;
        let text = meter["meter"]["text"].as_str().unwrap_or_default();
        text.contains("again in 2 s").then_some(())
    };
    wait::until("the meter is tried again and again", SOON, tried_again);
    service.terminate();
    let ended = wait::until("it ends", SOON, || service.ended());
    assert_eq!(ended.code(), Some(0));
}
