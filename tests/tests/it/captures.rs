//! Captures of real meters through a serial port into the running service: what the house is said to draw is
//! what the meter said. And captures that `headroom listen` makes of them: the same values, and nobody's number.

use std::{fs, path::Path, time::Duration};

use headroom_codec::{PUBLIC_AUTH_KEY, PUBLIC_KEY};
use headroom_tests::{
    controller::{Controller, run},
    own_telegrams, program,
    pty::MeterPort,
    wait,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// One of each family that carries currents: P1 with its steps of current, the lists of three makers, a list in several
/// frames, a ciphered one.
const CAPTURES: [&str; 9] = [
    "nl-kaifa-dsmr42.p1.txt",
    "nl-iskra-mt382-dsmr50.p1.txt",
    "se-sagemcom-t211.p1.txt",
    "fi-aidon-6534.p1.txt",
    "se-aidon-se-list.hex",
    "no-kaifa-list-3.hex",
    "xx-kamstrup-10s.hex",
    "rs-iskra-am550-segmented.hex",
    "dk-kamstrup-encrypted.hex",
];

#[test]
fn the_service_reads_real_meters_from_a_port() {
    let Some(folder) = program::corpus() else {
        return;
    };
    let index: Vec<Value> =
        serde_json::from_slice(&fs::read(folder.join("index.json")).unwrap()).unwrap();
    for name in CAPTURES {
        let entry = index.iter().find(|entry| entry["file"] == name).unwrap();
        let raw = fs::read(folder.join(name)).unwrap();
        let bytes = match name.strip_suffix(".hex") {
            Some(_) => from_hex(&raw),
            None => raw,
        };
        reads(name, &bytes, entry);
    }
}

fn reads(name: &str, bytes: &[u8], entry: &Value) {
    let dir = TempDir::new().unwrap();
    let port = MeterPort::new(&dir.path().join("meter"));
    let controller = Controller::start(&dir.path().join("data"), None);
    let meter = json!({"source": port.source_to_detect(), "key": entry["key"], "auth_key": entry["auth_key"]});
    let answer = controller.api.put("meter", &meter).expect(200);
    for key in [&entry["key"], &entry["auth_key"]]
        .into_iter()
        .filter_map(Value::as_str)
    {
        assert!(
            !answer.text.contains(key),
            "{name}: keys are never given back"
        );
    }
    assert_eq!(answer.json["key_set"], entry["key"].is_string(), "{name}");
    let expected = entry["expected"].as_array().unwrap().last().unwrap();
    let mut last = Value::Null;
    let same = wait::at_most(Duration::from_secs(30), || {
        port.send(bytes);
        last = controller.status();
        (last["meter"]["meter_id"] == expected["meter_id"] && agrees(&last, expected)).then_some(())
    });
    assert!(same.is_some(), "{name}: expected {expected:#}\n{last:#}");
    assert_eq!(last["meter"]["protocol"], expected["protocol"], "{name}");
}

/// Currents of the status are those of the telegram; of a meter that shows whole amperes, up to one more.
fn agrees(status: &Value, telegram: &Value) -> bool {
    telegram["phases"].as_array().unwrap().iter().all(|phase| {
        let Some(current) = phase["current_a"].as_f64() else {
            return true;
        };
        let step = phase["current_step_a"].as_f64().unwrap();
        let measured = status["phases"]
            .as_array()
            .and_then(|phases| phases.iter().find(|own| own["phase"] == phase["phase"]))
            .and_then(|own| own["measured_a"].as_f64());
        measured.is_some_and(|measured| {
            measured >= current - 1e-9 && measured <= current + if step < 1.0 { 1e-9 } else { step }
        })
    })
}

fn from_hex(text: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = text
        .iter()
        .filter_map(|c| char::from(*c).to_digit(16))
        .map(|digit| u8::try_from(digit).unwrap())
        .collect();
    digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

/// Digits in a row from this many on are somebody's number.
const NUMBER_DIGITS: usize = 6;

#[test]
fn an_anonymous_capture_decodes_to_the_same_values() {
    let dir = TempDir::new().unwrap();
    let own = dir.path().join("own");
    own_telegrams::write(&own);
    let mut wrong = Vec::new();
    let mut telegrams = 0;
    for folder in [Some(own), program::corpus()].into_iter().flatten() {
        let index = fs::read_to_string(folder.join("index.json")).unwrap();
        let index: Vec<Value> = serde_json::from_str(&index).unwrap();
        for entry in index.iter().filter(|entry| entry["valid"] == true) {
            match captured(dir.path(), &folder, entry) {
                Ok(count) => telegrams += count,
                Err(why) => wrong.push(format!("{}: {why}", entry["file"])),
            }
        }
    }
    println!("{telegrams} telegrams captured and decoded again");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Listens to a file, and decodes what was captured. Gives how many telegrams are the same.
fn captured(dir: &Path, folder: &Path, entry: &Value) -> Result<usize, String> {
    let file = folder.join(entry["file"].as_str().unwrap());
    let mut keys = Vec::new();
    for (option, field) in [("--key", "key"), ("--auth-key", "auth_key")] {
        if let Some(key) = entry[field].as_str() {
            keys.extend([option, key]);
        }
    }
    let capture = dir.join("capture");
    drop(fs::remove_file(&capture));
    let source = format!("file:{}?interval_ms=1", file.display());
    let arguments = ["listen", &source, "--capture", capture.to_str().unwrap()];
    let listened = run(&[&arguments, keys.as_slice()].concat(), b"");
    let kept = fs::read(&capture).map_err(|error| format!("{error}: {}", listened.stderr))?;
    let public = ["--key", PUBLIC_KEY, "--auth-key", PUBLIC_AUTH_KEY];
    let public = if keys.is_empty() { &[] } else { &public[..] };
    let arguments = ["decode", capture.to_str().unwrap()];
    let decoded = run(&[&arguments, public].concat(), b"");
    let before = listened.json_lines();
    let after = decoded.json_lines();
    if before.is_empty() || before.len() != after.len() {
        return Err(format!(
            "{} telegrams, {} in the capture: {}{}",
            before.len(),
            after.len(),
            listened.stderr,
            decoded.stderr
        ));
    }
    let original = fs::read(&file).unwrap();
    for number in numbers_of_devices(&String::from_utf8_lossy(&original)) {
        if String::from_utf8_lossy(&kept).contains(number) {
            return Err(format!("the number {number} of a device is in the capture"));
        }
    }
    for (before, after) in before.iter().zip(&after) {
        for (field, value) in before.as_object().unwrap() {
            let hides = ["meter_id", "meter_model"].contains(&field.as_str());
            if !hides && after[field] != *value {
                return Err(format!("{field}: {value} became {}", after[field]));
            }
        }
        let Some(number) = before["meter_id"].as_str() else {
            continue;
        };
        let identifies = number.len() >= NUMBER_DIGITS && number.bytes().any(|byte| byte != b'0');
        if identifies && after["meter_id"] == number {
            return Err(format!("the meter's number {number} is in the capture"));
        }
        let raw = number.as_bytes();
        if identifies && kept.windows(raw.len()).any(|window| window == raw) {
            return Err(format!("the meter's number {number} stands in the bytes"));
        }
    }
    Ok(after.len())
}

/// What P1 telegrams tell of the meter and of those that hang on it: gas, water, heat.
fn numbers_of_devices(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| line.contains(":96.1.") && !line.contains(":96.1.4"))
        .filter_map(|line| line.split(['(', ')']).nth(1))
        .filter(|number| number.len() >= NUMBER_DIGITS && number.bytes().any(|byte| byte != b'0'))
}
