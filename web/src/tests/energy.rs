//! Energy per day and load.

use axum::http::Method;
use headroom_core::ReasonCode;
use headroom_core::units::Phase;
use headroom_store::{Cause, EnergyRow, SLOT_MS};
use jiff::ToSpan;
use serde_json::{Value, json};

use super::*;

/// Two days, the evening of the first and the morning of the second, in Oslo.
async fn rig() -> (Rig, [String; 2]) {
    let mut rig = Rig::new().await;
    let site = json!({"name": "Home", "time_zone": "Europe/Oslo"});
    let answer = rig.do_it(Method::PUT, "site", site).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert!(rig.loop_was_told().is_some());
    let zone = jiff::tz::TimeZone::get("Europe/Oslo").unwrap();
    let today = Timestamp::now().to_zoned(zone).start_of_day().unwrap();
    let midnight = today.checked_sub(1.day()).unwrap();
    let midnight_ms = midnight.timestamp().as_millisecond();
    let lost = |code, phase, mwh| {
        let cause = Cause {
            code,
            phase,
            circuit: Some("main".to_owned()),
            load: None,
        };
        (cause, mwh)
    };
    let row = |slots: i64, load: Option<&str>, mwh: i64, lost: Vec<(Cause, i64)>| EnergyRow {
        slot_ms: midnight_ms + slots * SLOT_MS,
        part: 0,
        load: load.map(str::to_owned),
        mwh,
        lost,
    };
    let l2 = || lost(ReasonCode::MainFuse, Some(Phase::L2), 600_000);
    let journal = &rig.app.journal;
    journal.energy_rows(vec![
        row(-1, None, 2_000_000, vec![]),
        row(-1, Some("ev1"), 1_500_000, vec![l2()]),
        row(-2, Some("ev1"), 500_000, vec![l2()]),
        row(0, None, 3_000_000, vec![]),
        row(
            0,
            Some("ev1"),
            900_000,
            vec![lost(ReasonCode::Hysteresis, None, 250_000)],
        ),
    ]);
    // The running slot is told again, and replaces itself.
    journal.energy_rows(vec![row(0, Some("ev1"), 1_000_000, vec![])]);
    rig.live_now();
    let days = [midnight.yesterday().unwrap().date(), midnight.date()];
    (rig, days.map(|day| day.to_string()))
}

#[tokio::test]
async fn energy_is_told_per_day_and_load_with_what_was_lost_to_what() {
    let (rig, [first, second]) = rig().await;
    let page = rig.read("energy").await;
    let short = |item: &Value| {
        json!([
            item["date"],
            item["load"],
            item["energy_kwh"],
            item["curtailed_kwh"]
        ])
    };
    let items: Vec<_> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(short)
        .collect();
    assert_eq!(
        items,
        [
            json!([first, null, 2.0, 1.2]),
            json!([first, "ev1", 2.0, 1.2]),
            json!([second, null, 3.0, 0.25]),
            json!([second, "ev1", 1.0, 0.25]),
        ]
    );
    assert_eq!(
        page["items"][1]["text"],
        "ev1 received 2.0 kWh. It lost 1.2 kWh to L2 of the main fuse."
    );
    assert_eq!(
        page["items"][1]["lost_to"][0],
        json!({"code": "main_fuse", "phase": "l2", "circuit": "main", "load": null, "energy_kwh": 1.2})
    );
    assert_eq!(page["next"], Value::Null);
}

#[tokio::test]
async fn pages_of_energy_join_without_a_seam() {
    let (rig, _) = rig().await;
    let whole = rig.read("energy").await;
    for limit in 1..5 {
        let mut items = Vec::new();
        let mut path = format!("energy?limit={limit}");
        loop {
            let page = rig.read(&path).await;
            items.extend(page["items"].as_array().unwrap().clone());
            let Some(next) = page["next"].as_str() else {
                break;
            };
            path = format!("energy?limit={limit}&cursor={next}");
        }
        assert_eq!(json!(items), whole["items"], "{limit}");
    }
}

#[tokio::test]
async fn energy_comes_for_a_spreadsheet_and_bad_questions_are_refused() {
    let (rig, [first, _]) = rig().await;
    let answer = rig.installer(Method::GET, "energy.csv").send().await;
    assert_eq!(answer.status, StatusCode::OK);
    let row = format!("{first},ev1,,2,1.2,main_fuse,ev1 received 2.0 kWh.");
    assert!(answer.text.contains(&row), "{}", answer.text);
    for (question, field) in [
        ("from=yesterday", "from"),
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from"),
        ("from=1999-01-01T00:00:00Z", "from"),
        ("cursor=5", "cursor"),
        ("load=ev1", "load"),
    ] {
        let path = format!("energy?{question}");
        let answer = rig.installer(Method::GET, &path).send().await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{question}"
        );
        assert_eq!(answer.body["errors"][0]["field"], field, "{question}");
    }
}
