//! Decisions as files: Parquet as others read it, the same values as in the JSON lines and the CSV; and times of one precision everywhere.

use std::time::Duration;

use headroom_tests::{demo::Demo, process, tools};
use serde_json::Value;

/// Far longer than anything here takes; a busy machine may be slow.
const SOON: Duration = Duration::from_secs(60);

#[test]
fn pyarrow_reads_every_value_of_the_parquet_export() {
    let Some(mut judge) = tools::script("exports.py", "pyarrow") else {
        return;
    };
    let demo = Demo::fast(20);
    judge
        .arg(&demo.api.base)
        .arg(demo.data().join("journal.db"));
    let told = process::run(&mut judge, b"", SOON);
    println!("{}", told.stdout);
    assert_eq!(told.code, Some(0), "{}", told.stderr);
}

/// Where a time stands that has not three decimals.
fn other_times(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                other_times(value, &format!("{path}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for item in items {
                other_times(item, &format!("{path}/-"), found);
            }
        }
        Value::String(text) => {
            let is_time = text.len() >= 20
                && text.is_ascii()
                && text.as_bytes()[10] == b'T'
                && text.ends_with('Z')
                && text[..4].bytes().all(|digit| digit.is_ascii_digit());
            if is_time && (text.len() != 24 || text.as_bytes()[19] != b'.') {
                found.push(format!("{path} {text}"));
            }
        }
        _ => {}
    }
}

#[test]
fn every_time_of_the_api_has_milliseconds() {
    let demo = Demo::fast(5);
    let api = &demo.api;
    let document = api.get("openapi.json").expect(200).json;
    let (mut found, mut asked) = (Vec::new(), 0);
    for (path, calls) in document["paths"].as_object().unwrap() {
        let path = path.strip_prefix("/api/v1/").unwrap_or("events");
        if calls["get"].is_null()
            || path.contains('{')
            || ["events", "decisions.parquet"].contains(&path)
        {
            continue;
        }
        let answer = api.get(path);
        if answer.status == 200 {
            other_times(&answer.json, path, &mut found);
            asked += 1;
        }
    }
    let newest = api.get("decisions?limit=1").json["items"][0]["id"].to_string();
    other_times(
        &api.get(&format!("decisions/{newest}")).json,
        "decision",
        &mut found,
    );
    let told = api.post("what-if", &serde_json::json!({})).json;
    other_times(&told, "what-if", &mut found);
    assert!(asked > 15, "{asked}");
    assert_eq!(found, Vec::<String>::new());
}
