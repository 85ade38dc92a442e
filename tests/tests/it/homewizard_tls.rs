//! The second interface of `HomeWizard` meters over TLS, read by the real binary: who is believed, and who is not.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::{
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    thread,
    time::Duration,
};

use headroom_tests::{
    certificates::{LONG, Maker},
    controller::{command, run},
    http_meter::HttpMeter,
    network_meter::{self, set_measurement},
    process::Process,
    program,
    telegram::Values,
    tls_front::TlsFront,
};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(60);
/// A token of nobody.
const TOKEN: &str = "00112233445566778899AABBCCDDEEFF";
const SERIAL: &str = "5c2faf000001";
const FIRST: &str = "2026-01-15T12:00:10";

/// A meter with a lock, and no TLS yet.
fn locked_meter() -> HttpMeter {
    let meter = network_meter::homewizard_second(&Values::default(), FIRST);
    meter.lock(&format!("Bearer {TOKEN}"));
    meter
}

fn listen(source: &str, token: &str) -> Process {
    Process::start(&mut command(&["listen", source, "--key", token]))
}

fn source(front: &TlsFront, ca: &Path, more: &str) -> String {
    format!(
        "homewizard://{}?version=2&ca={}{more}",
        front.host,
        ca.display()
    )
}

/// The next line of standard output from `mark` on.
fn next(process: &Process, mark: usize) -> Value {
    let line = process
        .stdout
        .find(mark, SOON, |line| Some(line.to_owned()));
    let line = line.unwrap_or_else(|| panic!("nothing: {:?}", process.stderr.all()));
    serde_json::from_str(&line).unwrap()
}

/// Waits for words on standard error.
fn says(process: &Process, words: &str) {
    let said = |line: &str| line.contains(words).then_some(());
    let found = process.stderr.find(0, SOON, said);
    found.unwrap_or_else(|| panic!("never {words:?}: {:?}", process.stderr.all()));
}

#[test]
fn a_meter_that_its_maker_signed_is_read_over_one_connection() {
    let Some(maker) = Maker::new() else { return };
    let identity = maker.sign(SERIAL, LONG);
    for (options, version) in [(&[][..], "TLSv1.3"), (&["--tls12"], "TLSv1.2")] {
        let meter = locked_meter();
        let Some(front) = TlsFront::start(&identity, &meter.host, options) else {
            return;
        };
        let process = listen(&source(&front, &maker.ca(), "&id=5C2FAF000001"), TOKEN);
        let line = next(&process, 0);
        assert_eq!(line["meter_time"], FIRST);
        assert_eq!(line["phases"][1]["current_a"], json!(5.0));
        set_measurement(&meter, &Values::default(), "2026-01-15T12:00:11");
        assert_eq!(next(&process, 1)["meter_time"], "2026-01-15T12:00:11");
        assert_eq!(front.connections(), [version]);
        let asked = meter.requests();
        let headers = &asked.last().unwrap().headers;
        assert_eq!(headers["x-api-version"], "2");
        assert_eq!(headers["host"], front.host);
    }
}

#[test]
fn a_meter_that_closes_after_each_answer_is_read_on() {
    let Some(maker) = Maker::new() else { return };
    let meter = locked_meter();
    let identity = maker.sign(SERIAL, LONG);
    let Some(front) = TlsFront::start(&identity, &meter.host, &["--once"]) else {
        return;
    };
    let process = listen(&source(&front, &maker.ca(), ""), TOKEN);
    next(&process, 0);
    for second in 11..14 {
        let mark = process.stdout.mark();
        let time = format!("2026-01-15T12:00:{second}");
        set_measurement(&meter, &Values::default(), &time);
        assert_eq!(next(&process, mark)["meter_time"], time);
    }
    assert!(front.connections().len() >= 4, "{:?}", front.connections());
    let said = process.stderr.all().concat();
    assert!(!said.contains("Trying again"), "{said}");
}

/// Who is not believed hears no token.
#[test]
fn whoever_is_not_the_meter_is_refused_before_the_token_is_said() {
    let (Some(maker), Some(other)) = (Maker::new(), Maker::new()) else {
        return;
    };
    let makers = source as fn(&TlsFront, &Path, &str) -> String;
    let by_default =
        |front: &TlsFront, _: &Path, _: &str| format!("homewizard://{}?version=2", front.host);
    for (identity, source, more, words) in [
        // The same name, and another key.
        (
            other.sign(SERIAL, LONG),
            makers,
            "",
            "not signed by who is in",
        ),
        (
            maker.sign(SERIAL, LONG),
            by_default,
            "",
            "not signed by HomeWizard",
        ),
        (
            maker.sign(SERIAL, ["20200101000000Z", "20210101000000Z"]),
            makers,
            "",
            "has expired, or the clock",
        ),
        (
            maker.sign(SERIAL, ["20490101000000Z", "20491231235959Z"]),
            makers,
            "",
            "the clock of this computer is behind",
        ),
        (
            maker.sign(SERIAL, LONG),
            makers,
            "&id=5c2faf000002",
            "the meter \"appliance/p1dongle/5c2faf000001\", and id= asks for 5c2faf000002",
        ),
    ] {
        let meter = locked_meter();
        let Some(front) = TlsFront::start(&identity, &meter.host, &[]) else {
            return;
        };
        let process = listen(&source(&front, &maker.ca(), more), TOKEN);
        says(&process, words);
        says(&process, "Trying again");
        assert_eq!(meter.requests(), [], "{words}");
        assert_eq!(process.stdout.all().len(), 0);
    }
}

#[test]
fn a_wrong_or_missing_token_is_told() {
    let Some(maker) = Maker::new() else { return };
    let meter = locked_meter();
    let identity = maker.sign(SERIAL, LONG);
    let Some(front) = TlsFront::start(&identity, &meter.host, &[]) else {
        return;
    };
    let source = source(&front, &maker.ca(), "");
    let process = listen(&source, &"ff".repeat(16));
    says(&process, "does not accept the token");
    // The user enters the right one: nothing else has to change.
    drop(process);
    next(&listen(&source, TOKEN), 0);
    let without = Process::start(&mut command(&["listen", &source]));
    says(&without, "when it is paired");
}

#[test]
fn what_speaks_no_tls_is_told_apart() {
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = plain.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in plain.incoming().flatten() {
            // The start of TLS is more than this; the rest is left unread.
            let mut hello = [0; 64];
            let heard = stream.read_exact(&mut hello);
            let answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
            drop(heard.and_then(|()| stream.write_all(answer)));
            // Until the other side goes.
            drop(stream.read_to_end(&mut Vec::new()));
        }
    });
    let process = listen(&format!("homewizard://{host}?version=2"), TOKEN);
    says(&process, "it does not speak TLS there");

    let closing = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = closing.local_addr().unwrap();
    thread::spawn(move || closing.incoming().for_each(drop));
    let process = listen(&format!("homewizard://{host}?version=2"), TOKEN);
    let closed = |line: &str| {
        let start = line.contains("at the start of TLS");
        (start || line.contains("reset")).then_some(())
    };
    assert!(process.stderr.find(0, SOON, closed).is_some());

    // What never says a word is given up, and asked again.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = silent.local_addr().unwrap();
    says(
        &listen(&format!("homewizard://{host}?version=2"), TOKEN),
        "no answer within 8 s",
    );

    let no_pem = program::workspace().join("Cargo.toml");
    let no_pem = no_pem.to_str().unwrap();
    for (ca, words) in [
        ("/nowhere/ca.pem", "No such file"),
        ("/dev/zero", "this is not a file"),
        (no_pem, "there is no certificate"),
    ] {
        let source = format!("homewizard://{host}?version=2&ca={ca}");
        says(&listen(&source, TOKEN), &format!("{ca}: {words}"));
    }
    let outcome = run(&["listen", "homewizard://host?id=5c2faf000001"], b"");
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("version=2"), "{}", outcome.stderr);
}
