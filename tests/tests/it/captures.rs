//! Captures of real meters through a serial port into the running service: what the house is said to draw is
//! what the meter said.

use std::{fs, time::Duration};

use headroom_tests::{controller::Controller, program, pty::MeterPort, wait};
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
