//! Meters that are asked over HTTP, read by the real binary.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    process::Command,
    thread,
    time::Duration,
};

use headroom_tests::{
    controller::{command, run},
    http_meter::HttpMeter,
    network_meter::{self, amsreader, set_measurement, set_telegram},
    process::Process,
    program,
    telegram::Values,
    wait,
};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(60);
/// A token and key of nobody.
const TOKEN: &str = "00112233445566778899AABBCCDDEEFF";

fn listen(source: &str) -> Process {
    Process::start(&mut command(&["listen", source]))
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
fn says(process: &Process, words: &str) -> String {
    let said = |line: &str| line.contains(words).then(|| line.to_owned());
    process
        .stderr
        .find(0, SOON, said)
        .unwrap_or_else(|| panic!("never {words:?}: {:?}", process.stderr.all()))
}

fn currents(line: &Value) -> Vec<Value> {
    let phases = line["phases"].as_array().unwrap();
    phases
        .iter()
        .map(|phase| phase["current_a"].clone())
        .collect()
}

/// After this many more questions, what the meter says now has been read.
fn asked_again(meter: &HttpMeter, target: &str) {
    let before = meter.asked(target);
    wait::until("more questions", SOON, || {
        (meter.asked(target) >= before + 2).then_some(())
    });
}

#[test]
fn the_raw_telegram_of_a_homewizard_is_preferred_and_given_once() {
    let values = Values::default();
    let meter = network_meter::homewizard_p1(&values, 10);
    let process = listen(&format!("homewizard://{}", meter.host));
    let line = next(&process, 0);
    assert_eq!(line["protocol"], "p1");
    assert_eq!(currents(&line), [json!(4.3), json!(5.1), json!(3.9)]);
    asked_again(&meter, "/api/v1/telegram");
    assert_eq!(process.stdout.all().len(), 1, "the same telegram twice");
    set_telegram(&meter, &values, 11);
    let line = next(&process, 1);
    assert_eq!(line["meter_time"], "2026-01-15T12:00:11+01:00");
    assert_eq!(meter.asked("/api/v1/data"), 0);
}

#[test]
fn the_values_of_a_homewizard_without_a_telegram_are_read() {
    let meter = network_meter::homewizard_kwh(&Values::default());
    let process = listen(&format!("homewizard://{}", meter.host));
    let line = next(&process, 0);
    assert_eq!(line["protocol"], "homewizard");
    assert_eq!(line["meter_model"], "HWE-KWH3");
    assert_eq!(currents(&line), [json!(4.3), json!(5.1), json!(3.9)]);
    assert_eq!(line["import_w"], 2870.0);

    let meter = network_meter::homewizard_p1(&Values::default(), 10);
    meter.refuse("/api/v1/telegram", "404 Not Found");
    let process = listen(&format!("homewizard://{}", meter.host));
    let line = next(&process, 0);
    assert_eq!(currents(&line), [json!(4.0), json!(5.0), json!(3.0)]);
    assert_eq!(line["phases"][0]["current_step_a"], 1.0);
}

#[test]
fn a_homewizard_whose_api_is_off_says_where_to_switch_it_on() {
    let meter = network_meter::homewizard_p1(&Values::default(), 10);
    meter.refuse("/api/v1/telegram", "403 Forbidden");
    let process = listen(&format!("homewizard://{}", meter.host));
    let said = says(&process, "local API is switched off");
    assert!(said.contains("HomeWizard app"), "{said}");
    set_telegram(&meter, &Values::default(), 12);
    assert_eq!(next(&process, 0)["protocol"], "p1");
}

#[test]
fn the_second_interface_of_a_homewizard_takes_the_key_as_its_token() {
    let values = Values::default();
    let meter = network_meter::homewizard_second(&values, "2026-01-15T12:00:10");
    meter.lock(&format!("Bearer {TOKEN}"));
    let source = format!("homewizard://{}?version=2&tls=off", meter.host);
    let wrong = "ff".repeat(16);
    let process = Process::start(&mut command(&["listen", &source, "--key", &wrong]));
    says(&process, "does not accept the token");
    drop(process);
    says(&listen(&source), "needs the token that the meter gives");

    let process = Process::start(&mut command(&["listen", &source, "--key", TOKEN]));
    let line = next(&process, 0);
    assert_eq!(line["meter_time"], "2026-01-15T12:00:10");
    assert_eq!(currents(&line), [json!(4.0), json!(5.0), json!(3.0)]);
    asked_again(&meter, "/api/measurement");
    assert_eq!(process.stdout.all().len(), 1, "the same moment twice");
    set_measurement(&meter, &values, "2026-01-15T12:00:11");
    next(&process, 1);
    let requests = meter.requests();
    let last = requests.last().unwrap();
    assert_eq!(last.headers["x-api-version"], "2");
}

#[test]
fn an_amsreader_is_read_and_its_password_never_said() {
    let meter = HttpMeter::start();
    let mut values = Values::default();
    meter.json("/data.json", &amsreader(&values, 1, true));
    // jo:open sesame
    meter.lock("Basic am86b3BlbiBzZXNhbWU=");
    let open = listen(&format!("http://{}/data.json", meter.host));
    says(&open, "http://USER:PASSWORD@HOST/data.json");
    drop(open);

    let process = listen(&format!("http://jo:open%20sesame@{}", meter.host));
    let line = next(&process, 0);
    assert_eq!(line["protocol"], "amsreader");
    assert_eq!(currents(&line), [json!(4.3), Value::Null, json!(3.9)]);
    // The short list alone: the currents are those of before, and not given again.
    asked_again(&meter, "/data.json");
    assert_eq!(process.stdout.all().len(), 1, "nothing was new");
    values.import_mw = Some(3_000_000);
    meter.json("/data.json", &amsreader(&values, 1, true));
    let line = next(&process, 1);
    assert_eq!(
        (&line["import_w"], &line["phases"]),
        (&json!(3000.0), &json!([]))
    );
    values.phases[0].current_ma = Some(4400);
    meter.json("/data.json", &amsreader(&values, 1, true));
    assert_eq!(currents(&next(&process, 2))[0], 4.4);
    // Its meter is silent.
    meter.json("/data.json", &amsreader(&values, 3, true));
    says(&process, "heard nothing new of its meter");
    asked_again(&meter, "/data.json");
    assert_eq!(process.stdout.all().len(), 3);
    let said = process.stderr.all().concat();
    assert!(
        said.contains("jo:***@") && !said.contains("sesame"),
        "{said}"
    );
}

#[test]
fn a_shelly_of_either_profile_is_read() {
    let mut values = Values::default();
    values.phases[1].import_mw = Some(0);
    values.phases[1].export_mw = Some(1_173_000);
    let meter = network_meter::shelly(&values, false);
    let process = listen(&format!("shelly://{}", meter.host));
    let line = next(&process, 0);
    assert_eq!(line["protocol"], "shelly");
    assert_eq!(line["meter_model"], "SPEM-003CEBEU");
    assert_eq!(currents(&line), [json!(4.3), json!(5.1), json!(3.9)]);
    assert_eq!(line["phases"][1]["export_w"], 1173.0);
    assert_eq!(line["phases"][1]["current_step_a"], 0.001);

    let meter = network_meter::shelly_single_phases(&values);
    let process = listen(&format!("shelly://{}", meter.host));
    assert_eq!(
        currents(&next(&process, 0)),
        [json!(4.3), json!(5.1), json!(3.9)]
    );

    let meter = network_meter::shelly(&values, true);
    says(
        &listen(&format!("shelly://{}", meter.host)),
        "switch its authentication off",
    );
}

#[test]
fn a_meter_that_is_gone_is_found_again() {
    let meter = network_meter::shelly(&Values::default(), false);
    let process = listen(&format!("shelly://{}", meter.host));
    next(&process, 0);
    meter.refuse("/rpc/EM.GetStatus?id=0", "503 Service Unavailable");
    says(
        &process,
        "it answers 503 Service Unavailable. Trying again in 1 s.",
    );
    let again = network_meter::shelly(&Values::default(), false);
    drop(again);
    meter.json(
        "/rpc/EM.GetStatus?id=0",
        &json!({"id": 0, "a_current": 7.5, "a_voltage": 230.1, "a_act_power": 1700.0, "total_act_power": 1700.0}),
    );
    let mark = process.stdout.mark();
    assert_eq!(currents(&next(&process, mark)), [json!(7.5)]);
}

/// Answers every question with `answer`, for ever.
fn liar(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let Ok(reader) = stream.try_clone() else {
                return;
            };
            let mut lines = BufReader::new(reader).lines();
            while lines
                .next()
                .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
            {}
            // Until it is cut off.
            while stream.write_all(&answer).is_ok() {}
        }
    });
    host
}

#[test]
fn answers_without_end_or_sense_harm_nothing() {
    let endless = liar(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".repeat(64));
    says(
        &listen(&format!("http://{endless}/data.json")),
        "too long for a meter",
    );
    let noise = liar(vec![0x7E; 512]);
    says(
        &listen(&format!("shelly://{noise}")),
        "not answer as a web server",
    );
    let meter = HttpMeter::start();
    for (body, code) in [
        ("{\"i\":", "cannot be read"),
        ("{\"i\":\"much\"}", "cannot be read"),
        ("{}", "no known meter list"),
    ] {
        meter.text("/data.json", body.as_bytes());
        says(&listen(&format!("http://{}/data.json", meter.host)), code);
    }
    let other = HttpMeter::start();
    other.json("/api", &json!({"name": "a printer"}));
    says(
        &listen(&format!("homewizard://{}", other.host)),
        "no HomeWizard meter",
    );
    let outcome = run(&["listen", "homewizard://host?version=3"], b"");
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("1 or 2"), "{}", outcome.stderr);
}

/// The devices of these tests, as libraries of others see them.
#[test]
fn clients_of_others_accept_the_devices_of_these_tests() {
    let Some(python) = program::python() else {
        return;
    };
    let has = Command::new(&python)
        .args(["-c", "import aioshelly, homewizard_energy"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !has {
        let required = std::env::var("HEADROOM_REQUIRE_PEERS").as_deref() == Ok("1");
        assert!(
            !required,
            "{} has no aioshelly and python-homewizard-energy: ./check installs them",
            python.display()
        );
        println!(
            "skipped: {} has no aioshelly and python-homewizard-energy",
            python.display()
        );
        return;
    }
    let mut values = Values::default();
    values.phases[0].import_mw = Some(0);
    values.phases[0].export_mw = Some(676_000);
    let p1 = network_meter::homewizard_p1(&values, 10);
    let kwh = network_meter::homewizard_kwh(&values);
    let shelly = network_meter::shelly(&values, false);
    let output = Command::new(&python)
        .arg(program::workspace().join("tests/peers/network_meters.py"))
        .args([
            "--homewizard",
            &p1.host,
            "--homewizard",
            &kwh.host,
            "--shelly",
            &shelly.host,
        ])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("{said}");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["product_type"], "HWE-P1");
    assert_eq!(lines[0]["current_a"], json!([-4, 5, 3]));
    assert_eq!(lines[0]["power_w"][0], -676.0);
    assert_eq!(lines[1]["product_type"], "HWE-KWH3");
    assert_eq!(lines[1]["apparent_power_va"], 8000.5);
    assert_eq!(lines[2]["model"], "SPEM-003CEBEU");
    assert_eq!(lines[2]["supported"], true);
}
