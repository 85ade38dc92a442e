use super::*;

fn with(transaction: Option<i32>) -> Situation {
    Situation {
        connector: 1,
        transaction,
        clock_known: true,
    }
}

fn climb(ladder: &mut Ladder, situation: Situation) -> Vec<(Purpose, u32, u32, Shape)> {
    let mut seen = Vec::new();
    loop {
        let LeaseForm { form, shape, .. } = ladder.lease(situation);
        seen.push((form.purpose, form.connector, form.stack, shape));
        if !ladder.lease_refused() {
            return seen;
        }
    }
}

fn with_base() -> Ladder {
    let mut ladder = Ladder::default();
    let base = ladder.base(1).unwrap();
    ladder.base_accepted(base);
    ladder
}

#[test]
fn every_form_is_tried_once() {
    use Shape::{Duration, Endless, Lease};
    let default = Purpose::Default;
    let mut above_base = vec![
        (default, 1, 1, Lease),
        (default, 1, 0, Lease),
        (default, 0, 0, Lease),
        (default, 1, 1, Duration),
        (default, 1, 0, Endless),
    ];
    assert_eq!(climb(&mut with_base(), with(None)), above_base);
    above_base.insert(4, (Purpose::Transaction(9), 1, 0, Lease));
    assert_eq!(climb(&mut with_base(), with(Some(9))), above_base);
    assert_eq!(
        climb(&mut Ladder::default(), with(None)),
        [
            (default, 1, 1, Lease),
            (default, 1, 0, Lease),
            (default, 0, 0, Lease),
            (Purpose::Maximum, 0, 0, Lease),
            (default, 1, 0, Endless),
        ],
        "without a base nothing may end by its duration; beside one a maximum is no lease"
    );
    let mut flat = Ladder::default();
    flat.learn_max_stack(0);
    assert_eq!(
        climb(&mut flat, with(None)),
        [
            (default, 1, 0, Lease),
            (default, 0, 0, Lease),
            (Purpose::Maximum, 0, 0, Lease),
            (default, 1, 0, Endless)
        ]
    );
    let mut high = Ladder::default();
    high.learn_max_stack(8);
    assert_eq!(high.lease(with(None)).form.stack, 8);
}

#[test]
fn what_ends_by_its_duration_never_takes_the_place_of_the_base() {
    let mut one_period = with_base();
    one_period.learn_max_periods(1);
    let unknown_clock = Situation {
        clock_known: false,
        ..with(Some(9))
    };
    for (mut ladder, situation) in [(one_period, with(Some(9))), (with_base(), unknown_clock)] {
        for (purpose, _, stack, shape) in climb(&mut ladder, situation) {
            let above = stack > 0 || purpose == Purpose::Transaction(9);
            assert!(
                (shape == Shape::Duration && above) || shape == Shape::Endless,
                "{purpose:?} {stack} {shape:?}"
            );
        }
    }
}

#[test]
fn a_proven_form_survives_one_refusal() {
    let mut ladder = Ladder::default();
    ladder.lease(with(None));
    assert!(ladder.lease_refused());
    ladder.lease(with(None));
    ladder.lease_accepted();
    let proven = ladder.lease(with(None));
    assert!(!ladder.lease_refused());
    assert_eq!(ladder.lease(with(None)), proven);
    assert!(!ladder.lease_refused());
    assert_eq!(
        ladder.lease(with(None)).form.stack,
        1,
        "the search starts again"
    );
}

#[test]
fn what_is_ignored_goes_to_the_transaction_and_comes_back() {
    let mut ladder = with_base();
    ladder.lease(with(None));
    ladder.lease_accepted();
    assert!(!ladder.lease_ignored(None), "there is no transaction");
    assert!(ladder.lease_ignored(Some(9)));
    let form = ladder.lease(with(Some(9))).form;
    assert_eq!(form.purpose, Purpose::Transaction(9));
    ladder.lease_accepted();
    assert!(ladder.is_by_transaction());
    assert_eq!(
        ladder.lease(with(None)).form.purpose,
        Purpose::Default,
        "between transactions"
    );
    assert_eq!(
        ladder.lease(with(Some(10))).form.purpose,
        Purpose::Transaction(10)
    );
    assert!(!ladder.lease_ignored(Some(10)), "it ignores that too");
    assert_eq!(ladder.lease(with(Some(10))).place, Place::AboveBase);
    assert!(!ladder.lease_ignored(Some(10)), "once is enough");
}

#[test]
fn while_no_unit_is_known_both_are_tried_in_turn() {
    let mut ladder = Ladder::default();
    let mut units = Vec::new();
    for _ in 0..3 {
        units.push(ladder.lease(with(None)).form.unit);
        climb(&mut ladder, with(None));
    }
    assert_eq!(units, [Unit::Amperes, Unit::Watts, Unit::Amperes]);
    ladder.lease(with(None));
    ladder.lease_accepted();
    climb(&mut ladder, with(None));
    climb(&mut ladder, with(None));
    climb(&mut ladder, with(None));
    assert_eq!(
        ladder.lease(with(None)).form.unit,
        Unit::Watts,
        "what was taken once is known"
    );
}

#[test]
fn units_in_the_words_of_the_field() {
    let cases = [
        ("Current", Unit::Amperes),
        ("Current,Power", Unit::Amperes),
        ("Power, Current", Unit::Amperes),
        ("Power", Unit::Watts),
        ("W", Unit::Watts),
        ("a", Unit::Amperes),
        ("Horses", Unit::Amperes),
    ];
    for (value, want) in cases {
        let mut ladder = Ladder::default();
        ladder.learn_units(value);
        assert_eq!(ladder.lease(with(None)).form.unit, want, "{value}");
    }
}

#[test]
fn a_base_tries_the_other_unit_then_relative_then_the_whole() {
    let mut ladder = Ladder::default();
    let mut seen = Vec::new();
    while let Some(BaseForm { form, relative }) = ladder.base(1) {
        seen.push((form.purpose, form.connector, form.unit, relative));
        if !ladder.base_refused() {
            break;
        }
    }
    assert_eq!(
        seen,
        [
            (Purpose::Default, 1, Unit::Amperes, false),
            (Purpose::Default, 1, Unit::Watts, false),
            (Purpose::Default, 1, Unit::Amperes, true),
            (Purpose::Default, 0, Unit::Amperes, false),
            (Purpose::Maximum, 0, Unit::Amperes, false),
        ]
    );
    assert_eq!(ladder.base(1), None);
    ladder.base_again();
    assert!(ladder.base(1).is_some());

    let mut watts = Ladder::default();
    watts.base_refused();
    let form = watts.base(1).unwrap();
    watts.base_accepted(form);
    assert_eq!(
        watts.lease(with(None)).form.unit,
        Unit::Watts,
        "the lease follows what was taken"
    );
    let again = watts.base(1).unwrap();
    assert_eq!(again, form, "the base too");
}

#[test]
fn the_rung_of_the_transaction_is_where_it_is_said_to_be() {
    assert_eq!(RUNGS[TRANSACTION].0, Place::Transaction);
}

#[test]
fn one_that_takes_nothing_but_the_transactions_own() {
    let mut ladder = with_base();
    while ladder.lease(with(Some(9))).place != Place::Transaction {
        assert!(ladder.lease_refused());
    }
    ladder.lease_accepted();
    assert_eq!(ladder.lease(with(Some(9))).place, Place::Transaction);
    assert_eq!(ladder.lease(with(None)).shape, Shape::Lease);
}

#[test]
fn one_that_refuses_everything_is_not_asked_everything_each_time() {
    let mut ladder = with_base();
    let first = climb(&mut ladder, with(None)).len();
    let next: Vec<_> = (0..QUIET_REFUSALS)
        .map(|_| climb(&mut ladder, with(None)).len())
        .collect();
    assert_eq!((first, next), (5, vec![1; usize::from(QUIET_REFUSALS)]));
    assert_eq!(climb(&mut ladder, with(None)).len(), 5);
    ladder.booted();
    assert_eq!(climb(&mut ladder, with(None)).len(), 5);
}
