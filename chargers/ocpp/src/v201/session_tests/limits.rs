//! Limits on their way: order, form, time-outs, wear.

use super::*;

#[test]
fn a_station_that_knows_no_profiles_is_not_controllable() {
    for code in ["NotImplemented", "NotSupported"] {
        let mut bench = Bench::new(SETTINGS);
        bench.limit(request(1, 16));
        bench.boot();
        bench.error(code);
        assert_eq!(bench.outcomes, [(1, LimitOutcome::Rejected)], "{code}");
        assert!(
            bench
                .notes
                .iter()
                .any(|note| matches!(note, Note::NotControllable(why) if why.starts_with(code)))
        );
        assert_eq!(bench.session.capabilities().limits, Grade::NotThere);
        let names = bench.settle();
        assert!(
            !names.contains(&"SetChargingProfile".to_owned()),
            "{names:?}"
        );
        bench.limit(request(2, 10));
        assert_eq!(bench.outcomes.last(), Some(&(2, LimitOutcome::Rejected)));
        assert!(bench.calls.is_empty(), "it is not asked for each limit");

        // Now and then it is, and after an update it may know them.
        bench.pass(BASE_RETRY_AFTER);
        assert_eq!(limits(&bench.answer("Accepted")), [(0, 6.0)]);
        bench.limit(request(3, 10));
        assert_eq!(limits(&bench.answer("Accepted")), [(0, 10.0), (120, 6.0)]);
        assert_eq!(bench.outcomes.last(), Some(&(3, LimitOutcome::Accepted)));
    }
}

#[test]
fn a_limit_overtakes_the_set_up_and_is_not_held_up_by_a_hanging_call() {
    let mut bench = Bench::new(SETTINGS);
    bench.boot();
    bench.answer("Accepted");
    let (name, hanging) = bench.take();
    assert_eq!(name, "TriggerMessage");
    bench.limit(request(1, 16));
    bench.limit(request(2, 8));
    assert!(bench.calls.is_empty(), "one call at a time");
    bench.pass(LIMIT_PATIENCE);
    assert_eq!(limits(&bench.answer("Accepted")), [(0, 8.0), (120, 6.0)]);
    bench.reply(&hanging, &json!({"status": "Accepted"}));
    assert!(bench.notes.contains(&Note::AnswerDropped), "it came late");
    assert_eq!(
        bench.outcomes,
        [(2, LimitOutcome::Accepted)],
        "the one that was replaced has no fate"
    );
}

#[test]
fn a_lost_answer_poisons_nothing() {
    let mut bench = Bench::settled();
    bench.limit(request(1, 10));
    let (_, first) = bench.take();
    bench.pass(PROFILE_TIMEOUT);
    let (_, again) = bench.take();
    assert_eq!(limits(&again), limits(&first));
    assert_ne!(again[1], first[1]);
    bench.pass(PROFILE_TIMEOUT);
    assert_eq!(bench.outcomes, [(1, LimitOutcome::Timeout)]);
    bench.limit(request(2, 9));
    bench.reply(&first, &json!({"status": "Accepted"}));
    assert_eq!(bench.outcomes.len(), 1, "a late answer is no answer");
    assert_eq!(limits(&bench.answer("Accepted")), [(0, 9.0), (120, 6.0)]);
    assert_eq!(bench.outcomes.last(), Some(&(2, LimitOutcome::Accepted)));
}

#[test]
fn the_lease_is_written_in_the_stations_own_clock() {
    let mut bench = Bench::settled();
    for _ in 0..2 {
        bench.pass(Duration::from_secs(10));
        bench.event("Updated", "Charging", 6.0, -300);
    }
    bench.limit(request(1, 12));
    let lease = bench.answer("Accepted");
    assert_eq!(schedule(&lease)["startSchedule"], "2026-01-15T11:55:18Z");
    assert!(
        bench.notes.contains(&Note::ClockOff(-300)),
        "{:?}",
        bench.notes
    );
}

#[test]
fn the_ladder_is_climbed_and_the_unit_changed() {
    let mut bench = Bench::settled();
    bench.event("Started", "Charging", 6.0, 0);
    bench.limit(request(1, 10));
    let mut seen = Vec::new();
    while bench.outcomes.is_empty() {
        let call = bench.answer("Rejected");
        let profile = profile(&call);
        seen.push((
            profile["chargingProfilePurpose"]
                .as_str()
                .unwrap()
                .to_owned(),
            call[3]["evseId"].as_u64().unwrap(),
            profile["stackLevel"].as_u64().unwrap(),
        ));
        if profile["chargingProfilePurpose"] == "TxProfile" {
            assert_eq!(profile["transactionId"], "tx-1");
        }
    }
    assert_eq!(bench.outcomes, [(1, LimitOutcome::Rejected)]);
    for wanted in [
        ("TxDefaultProfile", 1, 1),
        ("TxDefaultProfile", 1, 0),
        ("TxProfile", 1, 0),
    ] {
        let wanted = (wanted.0.to_owned(), wanted.1, wanted.2);
        assert!(seen.contains(&wanted), "{wanted:?}: {seen:?}");
    }

    let mut watts = Bench::new(SETTINGS);
    watts.variables = vec![("RateUnit", "W"), ("Phases3to1", "true")];
    watts.boot();
    let base = watts.answer("Accepted");
    assert_eq!(schedule(&base)["chargingRateUnit"], "A", "not known yet");
    let again = watts.settle();
    assert!(
        again.contains(&"SetChargingProfile".to_owned()),
        "the base in its unit: {again:?}"
    );
    watts.limit(request(1, 10));
    let lease = watts.answer("Accepted");
    assert_eq!(schedule(&lease)["chargingRateUnit"], "W");
    assert_eq!(limits(&lease), [(0, 6_900.0), (120, 4_140.0)]);
    assert_eq!(watts.session.capabilities().phase_switching, Grade::Claimed);
}

#[test]
fn where_one_period_is_taken_only_the_lease_ends_by_duration_onto_the_base() {
    let mut bench = Bench::new(SETTINGS);
    bench.variables = vec![("PeriodsPerSchedule", "1")];
    bench.boot();
    bench.settle();
    bench.limit(request(1, 10));
    let lease = bench.answer("Accepted");
    assert_eq!(limits(&lease), [(0, 10.0)]);
    assert_eq!(schedule(&lease)["duration"], 120);
    assert_eq!(
        schedule(&lease)["startSchedule"],
        "2026-01-15T11:59:58Z",
        "an absolute profile needs its start"
    );
    assert_eq!(profile(&lease)["stackLevel"], 1, "above the base");
}

#[test]
fn ocpp_2_1_ends_the_lease_offline_as_well() {
    let mut bench = Bench::with(SETTINGS, true, Learnt::default());
    bench.boot();
    bench.settle();
    bench.limit(request(1, 10));
    let lease = bench.answer("Accepted");
    assert_eq!(profile(&lease)["maxOfflineDuration"], 120);
    assert_eq!(limits(&lease), [(0, 10.0), (120, 6.0)]);
}

#[test]
fn a_limit_that_does_not_end_by_itself_is_ended_by_the_base() {
    let mut bench = Bench::settled();
    bench.limit(request(1, 10));
    while bench.outcomes.is_empty() {
        let (_, call) = bench.take();
        // It takes one period without an end, and nothing else.
        let schedule = schedule(&call);
        let ends =
            schedule["chargingSchedulePeriod"][1].is_object() || schedule["duration"].is_u64();
        let status = if ends { "Rejected" } else { "Accepted" };
        bench.reply(&call, &json!({"status": status}));
    }
    assert_eq!(bench.outcomes, [(1, LimitOutcome::Accepted)]);
    assert!(bench.notes.contains(&Note::LeaseImpossible));
    assert_eq!(bench.session.capabilities().lease, Grade::NotThere);
    bench.settle();
    bench.pass(Duration::from_secs(119));
    bench.settle();
    bench.pass(Duration::from_secs(1));
    assert_eq!(
        limits(&bench.answer("Accepted")),
        [(0, 6.0)],
        "nobody renewed"
    );
}

#[test]
fn the_write_budget_holds_raises_and_never_a_reduction() {
    let mut bench = Bench::settled();
    let mut command = 0;
    let mut give = |bench: &mut Bench, ampere: u32| {
        command += 1;
        bench.limit(request(command, ampere));
        let sent = !bench.calls.is_empty();
        bench.settle();
        sent
    };
    let mut writes = 0;
    while give(&mut bench, 16) {
        writes += 1;
        assert!(writes < 5_000, "the budget ends");
    }
    assert!(bench.notes.contains(&Note::WriteBudgetUsed(2_000)));
    assert_eq!(bench.outcomes.last().unwrap().1, LimitOutcome::Rejected);
    assert!(give(&mut bench, 15), "a reduction goes out");
    assert!(!give(&mut bench, 16), "a raise waits");
    bench.pass(Duration::from_mins(1));
    bench.settle();
    bench.pass(Duration::from_hours(24));
    assert!(give(&mut bench, 16), "until tomorrow");
}

#[test]
fn a_connection_that_ends_leaves_no_command_without_a_fate() {
    let mut bench = Bench::settled();
    bench.limit(request(1, 10));
    bench.limit(request(2, 8));
    bench.operate(3, &Operation::RemoteStop);
    bench.session.closed(bench.now());
    while let Some(output) = bench.session.poll() {
        match output {
            Output::Outcome {
                command, outcome, ..
            } => bench.outcomes.push((command, outcome)),
            Output::Operated { number, outcome } => bench.operated.push((number, outcome)),
            _ => {}
        }
    }
    let timeout = LimitOutcome::Timeout;
    assert_eq!(bench.outcomes, [(1, timeout), (2, timeout)]);
    assert_eq!(bench.operated, [(3, timeout)]);
}

/// It says that it cannot change: a number is not written, and what is meant for one phase is not given to three.
#[test]
fn a_station_that_cannot_switch_is_told_no_number_of_phases() {
    let one = |command, ampere| LimitRequest {
        phases: 1,
        ..request(command, ampere)
    };
    for (word, number) in [("true", json!(1)), ("false", Value::Null)] {
        let mut bench = Bench::new(SETTINGS);
        bench.variables = vec![("Phases3to1", word)];
        bench.boot();
        bench.answer("Accepted");
        bench.settle();
        bench.limit(request(1, 10));
        bench.answer("Accepted");
        bench.limit(one(2, 7));
        let fewer = bench.answer("Accepted");
        assert_eq!(limits(&fewer), [(0, 7.0), (120, 6.0)]);
        let period = &schedule(&fewer)["chargingSchedulePeriod"][0];
        assert_eq!(period["numberPhases"], number, "Phases3to1 {word}");
        bench.limit(one(3, 16));
        if word == "true" {
            bench.answer("Accepted");
            assert_eq!(bench.outcomes.last(), Some(&(3, LimitOutcome::Accepted)));
        } else {
            assert!(bench.calls.is_empty());
            assert_eq!(bench.outcomes.last(), Some(&(3, LimitOutcome::Rejected)));
            assert!(bench.notes.contains(&Note::PhasesFixed));
        }
    }
}

/// What is on one phase is lowered and renewed on it, whatever the station says of itself by now; and a limit that is
/// refused for that replaces the one that waited.
#[test]
fn what_is_on_one_phase_stays_there_when_the_station_says_another_thing() {
    let one = |command, ampere| LimitRequest {
        phases: 1,
        ..request(command, ampere)
    };
    let mut bench = Bench::new(SETTINGS);
    bench.variables = vec![("Phases3to1", "true")];
    bench.boot();
    bench.answer("Accepted");
    bench.settle();
    bench.limit(one(1, 16));
    bench.answer("Accepted");
    bench.variables = vec![("Phases3to1", "false")];
    bench.boot();
    bench.answer("Accepted");
    bench.settle();
    assert_eq!(
        bench.session.capabilities().phase_switching,
        Grade::NotThere
    );
    for (command, ampere) in [(2, 16), (3, 8)] {
        bench.limit(one(command, ampere));
        let sent = bench.answer("Accepted");
        let period = &schedule(&sent)["chargingSchedulePeriod"][0];
        assert_eq!(period["numberPhases"], 1, "{ampere} A");
        assert_eq!(
            bench.outcomes.last(),
            Some(&(command, LimitOutcome::Accepted))
        );
    }
}

#[test]
fn a_limit_that_is_refused_replaces_the_one_that_waits() {
    let mut bench = Bench::new(SETTINGS);
    bench.variables = vec![("Phases3to1", "false")];
    bench.boot();
    bench.answer("Accepted");
    bench.settle();
    bench.limit(request(1, 6));
    let raise = LimitRequest {
        phases: 1,
        ..request(3, 16)
    };
    // The line is busy with the first.
    bench.limit(request(2, 16));
    bench.limit(raise);
    bench.answer("Accepted");
    assert!(bench.calls.is_empty(), "{:?}", bench.calls);
    assert_eq!(
        bench.outcomes,
        [(1, LimitOutcome::Accepted), (3, LimitOutcome::Rejected)]
    );
}
