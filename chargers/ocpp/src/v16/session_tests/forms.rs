//! In which form a profile is sent.

use serde_json::{Value, json};

use super::*;

#[test]
fn a_refusal_climbs_the_ladder_and_a_call_error_is_a_refusal() {
    let mut bench = Bench::settled();
    bench.limit(request(1, 16));
    assert_eq!(profile(&bench.answer("Rejected"))["stackLevel"], 1);
    let (_, call) = bench.take();
    assert_eq!(profile(&call)["stackLevel"], 0);
    let error = json!([4, call[1], "PropertyConstraintViolation", "no", {}]).to_string();
    bench.session.receive(&error, bench.now());
    bench.collect();
    let whole = bench.answer("NotSupported");
    assert_eq!(
        (whole[3]["connectorId"].as_u64(), bench.outcomes.len()),
        (Some(0), 0)
    );
    let by_duration = bench.answer("Accepted");
    assert_eq!(
        profile(&by_duration)["chargingSchedule"]["duration"],
        120,
        "above the base"
    );
    assert_eq!(bench.outcomes, [(1, LimitOutcome::Accepted)]);
    bench.limit(request(2, 10));
    let next = bench.answer("Accepted");
    assert_eq!(
        profile(&next)["chargingSchedule"]["duration"],
        120,
        "it is kept"
    );
}

#[test]
fn one_that_takes_no_default_is_held_by_a_maximum() {
    let mut bench = Bench::new(SETTINGS);
    bench.boot();
    let mut purposes = Vec::new();
    let base = loop {
        let (_, call) = bench.take();
        let purpose = profile(&call)["chargingProfilePurpose"].clone();
        let maximum = purpose == "ChargePointMaxProfile";
        purposes.push(purpose);
        let status = if maximum { "Accepted" } else { "Rejected" };
        bench.reply(&call, &json!({"status": status}));
        if maximum {
            break call;
        }
    };
    assert_eq!(
        (limits(&base), base[3]["connectorId"].as_u64()),
        (vec![(0, 6.0)], Some(0))
    );
    while !bench.calls.is_empty() {
        bench.answer("Accepted");
    }
    bench.limit(request(1, 16));
    let lease = bench.answer("Accepted");
    assert_eq!(
        profile(&lease)["chargingProfilePurpose"],
        "ChargePointMaxProfile"
    );
    assert_eq!(
        profile(&lease)["chargingProfileId"],
        profile(&base)["chargingProfileId"],
        "in place of the base"
    );
    assert_eq!(limits(&lease), [(0, 16.0), (120, 6.0)]);
}

#[test]
fn when_every_form_is_refused_the_command_is_rejected() {
    let mut bench = Bench::settled();
    bench.limit(request(1, 16));
    let mut forms = 0;
    while !bench.calls.is_empty() {
        bench.answer("Rejected");
        forms += 1;
    }
    assert_eq!(
        (forms, bench.outcomes.as_slice()),
        (5, [(1, LimitOutcome::Rejected)].as_slice())
    );
}

#[test]
fn a_power_only_charge_point_gets_watts() {
    let mut bench = Bench::new(SETTINGS);
    bench.boot();
    assert_eq!(
        profile(&bench.answer("Rejected"))["chargingSchedule"]["chargingRateUnit"],
        "A"
    );
    let base = bench.answer("Accepted");
    assert_eq!(profile(&base)["chargingSchedule"]["chargingRateUnit"], "W");
    assert_eq!(
        limits(&base),
        [(0, 1_380.0)],
        "one phase, because none is known"
    );
    bench.settle();
    bench.limit(request(1, 10));
    assert_eq!(
        limits(&bench.answer("Accepted")),
        [(0, 6_900.0), (120, 4_140.0)]
    );
    // A car that uses one of the three phases would draw all of it there.
    let stamp = bench.stamp(0);
    bench.call(
        "MeterValues",
        &json!({"connectorId": 1, "meterValue": [{"timestamp": stamp, "sampledValue": [
            {"value": "9.9", "measurand": "Current.Import", "phase": "L1"},
            {"value": "0.0", "measurand": "Current.Import", "phase": "L2"},
            {"value": "0.0", "measurand": "Current.Import", "phase": "L3"}]}]}),
    );
    bench.limit(request(2, 10));
    assert_eq!(
        limits(&bench.answer("Accepted")),
        [(0, 2_300.0), (120, 1_380.0)]
    );
}

#[test]
fn the_unit_is_learnt_from_the_configuration_and_the_base_follows() {
    let mut bench = Bench::new(SETTINGS);
    bench.boot();
    bench.answer("Accepted");
    bench.answer("Accepted");
    let (name, call) = bench.take();
    assert_eq!(name, "GetConfiguration");
    let keys = json!({"configurationKey": [
        {"key": "chargingScheduleAllowedChargingRateUnit", "value": "Power", "readonly": true},
        {"key": "ChargingScheduleMaxPeriods", "value": "1", "readonly": "true"}]});
    bench.reply(&call, &keys);
    let base = bench.answer("Accepted");
    assert_eq!(profile(&base)["chargingSchedule"]["chargingRateUnit"], "W");
    bench.settle();
    bench.limit(request(1, 10));
    let lease = bench.answer("Accepted");
    assert_eq!(
        profile(&lease)["chargingSchedule"]["duration"],
        120,
        "one period only"
    );
    assert_eq!(limits(&lease), [(0, 6_900.0)]);
}

#[test]
fn answers_in_every_dress() {
    let cases = [
        (json!({"status": "Accepted"}), LimitOutcome::Accepted),
        (
            json!({"status": "accepted", "more": 1}),
            LimitOutcome::Accepted,
        ),
        (json!({"status": "Perhaps"}), LimitOutcome::Rejected),
        (json!({}), LimitOutcome::Rejected),
        (json!([]), LimitOutcome::Rejected),
        (Value::Null, LimitOutcome::Rejected),
    ];
    for (payload, want) in cases {
        let mut bench = Bench::settled();
        bench.limit(request(1, 10));
        while !bench.calls.is_empty() {
            let (_, call) = bench.take();
            bench.reply(&call, &payload);
        }
        assert_eq!(bench.outcomes, [(1, want)], "{payload}");
    }
}
