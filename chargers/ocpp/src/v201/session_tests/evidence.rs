//! What the station shows, what others have left in it, and what people ask of it.

use super::*;

#[test]
fn profiles_of_other_systems_are_cleared_by_their_ids_and_the_base_sent_again() {
    let mut bench = Bench::new(SETTINGS);
    bench.boot();
    let number = loop {
        let (name, call) = bench.take();
        let answer = match name.as_str() {
            "GetVariables" => bench.told(&call),
            "SetVariables" => json!({"setVariableResult": [{"attributeStatus": "Accepted"}]}),
            _ => json!({"status": "Accepted"}),
        };
        bench.reply(&call, &answer);
        if name == "GetChargingProfiles" {
            break call[3]["requestId"].clone();
        }
    };
    let report = |number: &Value, evse: u32, source: &str, ids: &[i64]| {
        let profiles: Vec<Value> = ids
            .iter()
            .map(|id| {
                json!({"id": id, "stackLevel": 9, "chargingProfileKind": "Absolute",
                    "chargingProfilePurpose": "TxDefaultProfile", "chargingSchedule": []})
            })
            .collect();
        json!({"requestId": number, "chargingLimitSource": source, "evseId": evse,
            "chargingProfile": profiles})
    };
    for not_asked in [
        report(&json!(99), 1, "CSO", &[70]),
        report(&number, 2, "CSO", &[71]),
        report(&number, 1, "EMS", &[72]),
        report(&number, 1, "CSO", &[1, 2]),
    ] {
        bench.call("ReportChargingProfiles", &not_asked);
    }
    assert!(bench.calls.is_empty(), "{:?}", bench.calls);
    bench.call(
        "ReportChargingProfiles",
        &report(&number, 0, "CSO", &[900, 1]),
    );
    let cleared = bench.answer("Accepted");
    assert_eq!(cleared[2], "ClearChargingProfile");
    assert_eq!(cleared[3], json!({"chargingProfileId": 900}));
    assert_eq!(limits(&bench.answer("Accepted")), [(0, 6.0)]);
    assert!(bench.notes.contains(&Note::ForeignProfilesCleared(1)));
}

#[test]
fn the_stations_own_schedule_is_evidence() {
    let ask = |periods: Value| {
        let mut bench = Bench::settled();
        bench.limit(request(1, 16));
        bench.answer("Accepted");
        bench.event("Updated", "Charging", 6.0, 0);
        bench.pass(Duration::from_secs(3));
        let (name, call) = bench.take();
        assert_eq!(name, "GetCompositeSchedule");
        assert_eq!(call[3], json!({"evseId": 1, "duration": 147}));
        let answer = json!({"status": "Accepted", "schedule": {"evseId": 1, "duration": 150,
            "scheduleStart": "2026-01-15T12:00:03Z", "chargingRateUnit": "A",
            "chargingSchedulePeriod": periods}});
        bench.reply(&call, &answer);
        let can = bench.session.capabilities();
        assert_eq!(can.composite_schedule, Grade::Proven);
        (can.lease, bench.notes)
    };
    let period = |start: u32, limit: u32| json!({"startPeriod": start, "limit": limit});
    let (lease, notes) = ask(json!([period(0, 16), period(115, 6)]));
    assert_eq!(lease, Grade::Claimed);
    assert!(
        !notes
            .iter()
            .any(|note| matches!(note, Note::ForeignLimit { .. }))
    );
    let (lease, notes) = ask(json!([period(0, 16)]));
    assert_eq!(lease, Grade::NotThere);
    assert!(notes.contains(&Note::LeaseImpossible));
    let (_, notes) = ask(json!([period(0, 32)]));
    let ignored = Note::LimitIgnored {
        limit_ma: 16_000,
        shown_ma: 32_000,
    };
    assert!(notes.contains(&ignored), "{notes:?}");
    let (_, notes) = ask(json!([period(0, 9), period(115, 6)]));
    let foreign = Note::ForeignLimit {
        limit_ma: 16_000,
        shown_ma: 9_000,
    };
    assert!(notes.contains(&foreign), "{notes:?}");
}

#[test]
fn a_current_that_comes_down_proves_limits_and_one_that_falls_by_itself_the_lease() {
    let mut bench = Bench::settled();
    let give = |bench: &mut Bench, command, ampere| {
        bench.limit(request(command, ampere));
        bench.answer("Accepted");
        bench.settle();
    };
    give(&mut bench, 1, 16);
    bench.event("Updated", "Charging", 15.8, 0);
    assert_eq!(bench.session.capabilities().limits, Grade::Claimed);
    give(&mut bench, 2, 10);
    bench.event("Updated", "Charging", 15.8, 0);
    assert_eq!(bench.session.capabilities().limits, Grade::Claimed);
    bench.event("Updated", "Charging", 9.9, 0);
    assert_eq!(bench.session.capabilities().limits, Grade::Proven);

    // Nobody renews.
    for _ in 0..12 {
        bench.pass(Duration::from_secs(10));
        bench.settle();
        assert_eq!(bench.session.capabilities().lease, Grade::Claimed);
        let ampere = if bench.elapsed.as_secs() < 118 {
            9.9
        } else {
            5.9
        };
        bench.event("Updated", "Charging", ampere, 0);
    }
    assert_eq!(bench.session.capabilities().lease, Grade::Proven);
}

#[test]
fn one_that_says_yes_and_does_not_follow_is_told_and_tried_in_another_form() {
    let mut bench = Bench::settled();
    bench.event("Started", "Charging", 16.0, 0);
    bench.limit(request(1, 8));
    bench.answer("Accepted");
    for _ in 0..2 {
        bench.pass(Duration::from_secs(6));
        bench.settle();
        bench.event("Updated", "Charging", 16.0, 0);
    }
    let ignored = Note::LimitIgnored {
        limit_ma: 8_000,
        shown_ma: 16_000,
    };
    assert!(bench.notes.contains(&ignored), "{:?}", bench.notes);
    let again = bench.answer("Accepted");
    assert_eq!(profile(&again)["chargingProfilePurpose"], "TxProfile");
    assert_eq!(profile(&again)["transactionId"], "tx-1");
    assert_eq!(limits(&again).first(), Some(&(0, 8.0)));
}

#[test]
fn what_people_ask_for_goes_after_limits_and_has_an_outcome() {
    let mut bench = Bench::settled();
    bench.operate(1, &Operation::RemoteStop);
    assert_eq!(
        bench.operated,
        [(1, LimitOutcome::Rejected)],
        "nothing runs"
    );
    bench.event("Started", "Charging", 6.0, 0);
    let start = Operation::RemoteStart {
        id_tag: "x".repeat(50),
    };
    let cases = [
        (
            Operation::RemoteStop,
            "RequestStopTransaction",
            json!({"transactionId": "tx-1"}),
        ),
        (
            start,
            "RequestStartTransaction",
            json!({"evseId": 1, "remoteStartId": 44,
            "idToken": {"idToken": "x".repeat(36), "type": "Central"}}),
        ),
        (
            Operation::Reset { hard: false },
            "Reset",
            json!({"type": "OnIdle"}),
        ),
        (
            Operation::SetAvailability { operative: false },
            "ChangeAvailability",
            json!({"operationalStatus": "Inoperative", "evse": {"id": 1}}),
        ),
        (
            Operation::DataTransfer {
                vendor_id: "V".into(),
                message_id: Some("m".into()),
                data: None,
            },
            "DataTransfer",
            json!({"vendorId": "V", "messageId": "m"}),
        ),
    ];
    for (number, (operation, action, mut payload)) in (2..).zip(cases) {
        bench.operate(number, &operation);
        let call = bench.answer("Accepted");
        if action == "RequestStartTransaction" {
            payload["remoteStartId"] = call[3]["remoteStartId"].clone();
        }
        assert_eq!((&call[2], &call[3]), (&json!(action), &payload));
        assert_eq!(
            bench.operated.last(),
            Some(&(number, LimitOutcome::Accepted))
        );
    }
    bench.operate(20, &Operation::Reset { hard: true });
    bench.take();
    bench.limit(request(1, 5));
    bench.pass(REDUCTION_PATIENCE);
    assert_eq!(bench.operated.last(), Some(&(20, LimitOutcome::Timeout)));
    assert_eq!(limits(&bench.answer("Accepted")).first(), Some(&(0, 5.0)));
}

#[test]
fn what_it_does_not_know_is_left_alone_until_the_next_boot() {
    let mut bench = Bench::settled();
    let asked = |bench: &mut Bench, command, ampere| {
        bench.limit(request(command, ampere));
        bench.answer("Accepted");
        let mut names = bench.settle();
        bench.pass(Duration::from_secs(40));
        names.extend(bench.settle());
        names.contains(&"GetCompositeSchedule".to_owned())
    };
    assert!(asked(&mut bench, 1, 10));
    assert!(asked(&mut bench, 2, 11));
    let schedule = |bench: &Bench| bench.session.capabilities().composite_schedule;
    assert_eq!(schedule(&bench), Grade::NotThere, "two answers without use");
    assert!(!asked(&mut bench, 3, 12));
    bench.boot();
    bench.settle();
    assert_eq!(schedule(&bench), Grade::Unknown);
    assert!(asked(&mut bench, 4, 13));
}
