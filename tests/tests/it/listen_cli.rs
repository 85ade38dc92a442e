//! `headroom listen` on live sources.

use std::{
    fs,
    io::Write,
    net::TcpListener,
    time::{Duration, Instant},
};

use headroom_tests::{
    controller::{command, run},
    process::Process,
    pty::MeterPort,
    telegram::{Values, aidon, kamstrup, p1},
    wait,
};
use serde_json::Value;
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(60);

/// Sends a telegram again and again until a line came out; gives the line.
fn heard(process: &Process, mut send: impl FnMut(u32)) -> Value {
    let mut second = 0;
    let mut next = Instant::now();
    let line = wait::at_most(SOON, || {
        if Instant::now() >= next {
            next += Duration::from_millis(200);
            send(second);
            second += 1;
        }
        process.stdout.last()
    });
    let line = line.unwrap_or_else(|| panic!("nothing heard: {:?}", process.stderr.all()));
    serde_json::from_str(&line).unwrap()
}

#[test]
fn a_serial_port_is_heard_and_said_how() {
    let dir = TempDir::new().unwrap();
    let port = MeterPort::new(&dir.path().join("meter"));
    let process = Process::start(&mut command(&["listen", &port.source_to_detect()]));
    let values = Values::default();
    let line = heard(&process, |_| port.send(&aidon::list_2(&values)));
    assert_eq!(line["protocol"], "hdlc");
    assert_eq!(line["phases"][1]["current_a"], 5.1);
    assert!(
        !process.stderr.all().is_empty(),
        "the port and its parameters are said"
    );
}

#[test]
fn telegrams_over_tcp_are_heard() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let source = format!("tcp://{}", server.local_addr().unwrap());
    let process = Process::start(&mut command(&["listen", &source]));
    let (mut stream, _) = server.accept().unwrap();
    let line = heard(&process, |second| {
        stream
            .write_all(&p1::telegram(&Values::default(), second))
            .unwrap();
    });
    assert_eq!(line["protocol"], "p1");
    // A meter's gateway that restarts is found again.
    drop(stream);
    let (mut stream, _) = server.accept().unwrap();
    let before = process.stdout.mark();
    stream
        .write_all(&p1::telegram(&Values::default(), 30))
        .unwrap();
    process
        .stdout
        .find(before, SOON, |line| Some(line.to_owned()))
        .expect("heard again");
}

#[test]
fn a_capture_keeps_what_was_heard_and_hides_the_meter() {
    let dir = TempDir::new().unwrap();
    let values = Values::default();
    for (name, telegram) in [
        ("p1", p1::telegram(&values, 10)),
        ("kamstrup", kamstrup::list_a(&values)),
    ] {
        let stream = dir.path().join(format!("{name}.bin"));
        let capture = dir.path().join(format!("{name}.capture"));
        fs::write(&stream, telegram.repeat(3)).unwrap();
        let source = format!("file:{}?interval_ms=10", stream.display());
        let process = Process::start(&mut command(&[
            "listen",
            &source,
            "--capture",
            capture.to_str().unwrap(),
        ]));
        process
            .stdout
            .find(0, SOON, |line| Some(line.to_owned()))
            .expect("heard");
        let decoded = wait::until("the capture", SOON, || {
            let decoded = run(&["decode", capture.to_str()?], b"");
            (decoded.code == Some(0)).then(|| decoded.json_lines())
        });
        let kept = fs::read(&capture).unwrap();
        let number = values.meter_id.as_deref().unwrap();
        let id = number.as_bytes();
        assert!(
            !kept.windows(id.len()).any(|window| window == id),
            "{name}: the meter's number is there"
        );
        assert_ne!(decoded[0]["meter_id"], number, "{name}");
        assert_eq!(decoded[0]["import_w"], 2870.0, "{name}");
        assert_eq!(decoded[0]["phases"][2]["current_a"], 3.9, "{name}");
    }
}

/// A file with an Aidon stream: a list 1, and every third time a list 2 behind it.
fn aidon_stream(dir: &TempDir) -> String {
    let values = Values::default();
    let mut stream = Vec::new();
    for tick in 0..6 {
        stream.extend(aidon::list_1(&values));
        if tick % 3 == 2 {
            stream.extend(aidon::list_2(&values));
        }
    }
    let path = dir.path().join("stream");
    fs::write(&path, stream).unwrap();
    format!("file:{}?interval_ms=20", path.display())
}

#[test]
fn the_end_tells_lists_their_spacing_and_what_was_rejected() {
    let dir = TempDir::new().unwrap();
    let outcome = run(&["listen", &aidon_stream(&dir)], b"");
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(outcome.json_lines().len(), 8);
    let summary: Vec<&str> = outcome
        .stderr
        .lines()
        .skip_while(|line| !line.starts_with("heard in "))
        .collect();
    assert!(summary[0].ends_with(": 8 telegrams"), "{summary:?}");
    assert!(
        summary[1].starts_with("  hdlc list 1 with power alone: 6, every 0."),
        "{summary:?}"
    );
    assert!(
        summary[2].starts_with("  hdlc list 2 with currents of L1 L2 L3: 2, every 0."),
        "{summary:?}"
    );
    assert_eq!(summary.len(), 3, "{summary:?}");

    let mut damaged = p1::telegram(&Values::default(), 0);
    damaged[60] ^= 1;
    let path = dir.path().join("damaged");
    fs::write(&path, damaged.repeat(2)).unwrap();
    let source = format!("file:{}?interval_ms=20", path.display());
    let capture = dir.path().join("capture");
    let outcome = run(
        &["listen", &source, "--capture", capture.to_str().unwrap()],
        b"",
    );
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    for says in [
        ": 0 telegrams",
        "  rejected 2 ×: the checksum is wrong",
        "nothing was decoded: ",
        "nothing to keep",
    ] {
        assert!(outcome.stderr.contains(says), "{says}: {}", outcome.stderr);
    }
    assert!(!capture.exists(), "an empty capture is no capture");
}

#[test]
fn an_interruption_ends_it_with_the_summary() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let source = format!("tcp://{}", server.local_addr().unwrap());
    let mut process = Process::start(&mut command(&["listen", &source]));
    let (mut stream, _) = server.accept().unwrap();
    heard(&process, |second| {
        stream
            .write_all(&p1::telegram(&Values::default(), second))
            .unwrap();
    });
    process.terminate();
    process
        .stderr
        .find(0, SOON, |line| line.starts_with("heard in ").then_some(()))
        .expect("the summary");
    let status = wait::until("the end", SOON, || process.ended());
    assert_eq!(status.code(), Some(0));
}

#[test]
fn a_capture_overwrites_nothing() {
    let dir = TempDir::new().unwrap();
    let capture = dir.path().join("diary");
    fs::write(&capture, "dear diary").unwrap();
    let arguments = |capture: &str| {
        let source = aidon_stream(&dir);
        run(&["listen", &source, "--capture", capture], b"")
    };
    let outcome = arguments(capture.to_str().unwrap());
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert_eq!(outcome.stdout, "", "nothing was listened to");
    assert!(
        outcome.stderr.contains("exists already"),
        "{}",
        outcome.stderr
    );
    assert_eq!(fs::read_to_string(&capture).unwrap(), "dear diary");
    let nowhere = dir.path().join("no/such/folder/capture");
    let outcome = arguments(nowhere.to_str().unwrap());
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("cannot be written"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_file_that_is_not_there_exits_with_1() {
    let dir = TempDir::new().unwrap();
    for (path, says) in [
        (dir.path().join("missing"), "there is no file"),
        (dir.path().to_owned(), "is a directory"),
    ] {
        let outcome = run(&["listen", &format!("file:{}", path.display())], b"");
        assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(says), "{}", outcome.stderr);
    }
}

#[test]
fn what_is_no_source_exits_with_1() {
    for source in [
        "",
        "carrier-pigeon:",
        "serial:",
        "tcp://",
        "tcp://host",
        "serial:/dev/x?baud=fast",
    ] {
        let outcome = run(&["listen", source], b"");
        assert_eq!(outcome.code, Some(1), "{source:?}: {}", outcome.stderr);
        assert!(outcome.stderr.len() > 10, "{source:?}");
    }
}

#[test]
fn a_terminal_obeys_nothing_that_a_meter_says() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("capture");
    let telegram = "/HRM5\u{1b}]0;x\u{7}\u{7f}\u{9b}2J\r\n\r\n0-0:96.1.1(4\u{9b}1\u{1b}c)\r\n\
        1-0:1.7.0(00.912*kW)\r\n!\r\n";
    fs::write(&file, telegram).unwrap();
    let source = format!("file:{}?interval_ms=1", file.display());
    for arguments in [["decode", file.to_str().unwrap()], ["listen", &source]] {
        let outcome = run(&arguments, b"");
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let line: Value = serde_json::from_str(outcome.stdout.trim()).unwrap();
        assert_eq!(line["meter_id"], "4\u{9b}1\u{1b}c", "JSON keeps them");
        for text in [outcome.stdout, outcome.stderr] {
            let obeyed = |c: char| c.is_control() && c != '\n';
            assert!(!text.contains(obeyed), "{arguments:?}: {text:?}");
        }
    }
}
