//! The examples of the documents work as they stand there.
//!
//! Of `docs/api.md` each block ```` ```http ```` is sent to a real service, in the order of the page, and a block ```` ```json ````
//! behind it is its answer: the same fields with the same values, where `"…"` stands for any.

use std::fs;

use headroom_tests::{controller::Controller, program::workspace};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A block of a document: its language and its text.
struct Block {
    language: String,
    text: String,
}

fn document(name: &str) -> String {
    fs::read_to_string(workspace().join("docs").join(name)).unwrap()
}

/// The blocks of a document; those of a list's item are indented.
fn blocks(document: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut is_open = false;
    for line in document.lines() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            is_open = !is_open;
            if is_open {
                found.push(Block {
                    language: language.to_owned(),
                    text: String::new(),
                });
            }
        } else if is_open && let Some(block) = found.last_mut() {
            block.text += line;
            block.text += "\n";
        }
    }
    found
}

/// Where two values differ; `"…"` in the first is any.
fn difference(told: &Value, real: &Value, path: &str) -> Option<String> {
    match (told, real) {
        (Value::String(any), _) if any == "…" => None,
        (Value::Number(told), Value::Number(real)) if told.as_f64() == real.as_f64() => None,
        (Value::Object(told), Value::Object(real)) => {
            let names = |object: &serde_json::Map<String, Value>| {
                let mut names: Vec<String> = object.keys().cloned().collect();
                names.sort_unstable();
                names
            };
            if names(told) != names(real) {
                return Some(format!("{path}: {:?} and {:?}", names(told), names(real)));
            }
            let mut fields = told.iter();
            fields.find_map(|(name, told)| difference(told, &real[name], &format!("{path}.{name}")))
        }
        (Value::Array(told), Value::Array(real)) if told.len() == real.len() => {
            let mut items = told.iter().zip(real).enumerate();
            items.find_map(|(n, (told, real))| difference(told, real, &format!("{path}[{n}]")))
        }
        _ if told == real => None,
        _ => Some(format!("{path}: {told} and {real}")),
    }
}

#[test]
fn every_example_of_the_api_does_what_it_says() {
    let dir = TempDir::new().unwrap();
    let service = Controller::start(&dir.path().join("data"), None);
    let first = service.process.stdout.all().remove(0);
    let (_, code) = first.split_once(" setup-code ").expect("a set-up code");
    let mut answer = None;
    let (mut calls, mut answers) = (0, 0);
    for block in blocks(&document("api.md")) {
        match block.language.as_str() {
            "http" => {
                calls += 1;
                let (line, body) = block.text.split_once('\n').unwrap_or((&block.text, ""));
                let (method, path) = line.split_once(' ').unwrap();
                let body = body.replace("ABCD-1234", code);
                let got = service.api.text(method, path, body.trim());
                let wanted = match (method, path) {
                    ("POST", "/api/v1/login") => 200,
                    ("POST", _) => 201,
                    ("DELETE", _) => 204,
                    _ => 200,
                };
                assert_eq!(got.status, wanted, "{line}: {}", got.text);
                answer = Some((line.to_owned(), got.json));
            }
            "json" => {
                let Some((line, real)) = answer.take() else {
                    panic!("an answer to nothing: {}", block.text)
                };
                answers += 1;
                let told: Value = serde_json::from_str(&block.text)
                    .unwrap_or_else(|error| panic!("{line}: {error}: {}", block.text));
                assert_eq!(difference(&told, &real, ""), None, "{line}: {real}");
            }
            _ => {}
        }
    }
    println!("{calls} calls, {answers} answers compared");
    assert!(calls >= 15 && answers >= 9, "{calls} {answers}");
}

/// The calls with curl in a shell's block: the path and the body.
fn curls(block: &Block) -> Vec<(String, String)> {
    let calls = block.text.split("curl -X POST ").skip(1);
    let path_and_body = |call: &str| {
        let url = call.split(' ').next()?;
        let path = url.strip_prefix("http://127.0.0.1:8080")?;
        let (_, rest) = call.split_once("-d '")?;
        let (body, _) = rest.split_once('\'')?;
        Some((path.to_owned(), body.to_owned()))
    };
    calls
        .map(|text| path_and_body(text).unwrap_or_else(|| panic!("{text}")))
        .collect()
}

#[test]
fn every_load_of_the_documents_can_be_added() {
    let mut made = 0;
    for name in ["chargers.md", "getting-started.md"] {
        let dir = TempDir::new().unwrap();
        let service = Controller::start(&dir.path().join("data"), None);
        for block in blocks(&document(name)) {
            for (path, body) in curls(&block) {
                let got = service.api.text("POST", &path, &body);
                assert_eq!(got.status, 201, "{name}: {path} {body}: {}", got.text);
                made += 1;
            }
        }
    }
    assert!(made >= 3, "{made}");
}

/// Which names stand in code at the beginning of a table's rows below a heading.
fn told(document: &str, heading: &str) -> Vec<String> {
    let section = document
        .split(&format!("\n## {heading}\n"))
        .nth(1)
        .unwrap_or_else(|| panic!("no heading {heading}"));
    let section = section.split("\n## ").next().unwrap();
    let cells = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('|').next());
    cells
        .flat_map(|cell| cell.split(['`', ',', ' ']))
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_field_is_described() {
    let dir = TempDir::new().unwrap();
    let service = Controller::start(&dir.path().join("data"), None);
    let charger = json!({"name": "A", "accept_risk": true, "driver": {"kind": "ocpp", "charge_point_id": "CP1"}});
    let charger = service.api.post("chargers", &charger).expect(201).json;
    let load =
        json!({"name": "B", "rated_w": 5, "driver": {"kind": "shelly_gen2", "host": "192.0.2.7"}});
    let load = service.api.post("slow-loads", &load).expect(201).json;
    let site = service.api.get("site").expect(200).json;
    for (name, heading, object) in [
        ("api.md", "The site", site),
        (
            "chargers.md",
            "Fields of a charger",
            charger["driver"].clone(),
        ),
        ("chargers.md", "Fields of a charger", charger),
        (
            "chargers.md",
            "Fields of a slow load",
            load["driver"].clone(),
        ),
        ("chargers.md", "Fields of a slow load", load),
    ] {
        let told = told(&document(name), heading);
        for field in object.as_object().unwrap().keys() {
            assert!(
                told.contains(field),
                "{name}, {heading}: nothing of {field}; {told:?}"
            );
        }
    }
}

/// The codes of alarms that the sources give stand in the table, and those of the table in the sources.
#[test]
fn every_alarm_is_described() {
    let told = told(&document("api.md"), "Status and alarms");
    let sources: String = [
        "controller/core/src/engine/view.rs",
        "controller/src/control.rs",
    ]
    .iter()
    .map(|path| fs::read_to_string(workspace().join(path)).unwrap())
    .collect();
    let is_code = |word: &&str| {
        let kinds = [
            "meter_",
            "journal_",
            "charger_",
            "slow_load_",
            "not_",
            "overload",
        ];
        kinds.iter().any(|kind| word.starts_with(kind))
            && !word.ends_with('_')
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    let given: Vec<&str> = sources.split('"').filter(is_code).collect();
    for code in &given {
        assert!(told.iter().any(|told| told == code), "nothing of {code}");
    }
    assert!(given.len() >= 10, "{given:?}");
}
