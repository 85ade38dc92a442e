//! Charge points of every manner, in a closed loop: each obedient one follows, and falls to its
//! safe current within the lease when the controller is gone; the others are told.

use std::time::Duration;

use super::{
    point::{Boots, Manner, Stamps, Takes, Values},
    world::{LEASE_S, World},
};
use crate::{
    types::{Grade, LimitOutcome, Note},
    v16::connector::UNLIMITED_MA,
};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Name, what is different, seconds until it follows a reduction.
type Row = (&'static str, fn(&mut Manner), u64);

const OBEDIENT: [Row; 23] = [
    ("follows", |_| {}, 1),
    ("W only", |it| it.units = "Power", 1),
    ("A only", |it| it.units = "Current", 1),
    ("stack level 0 only", |it| it.max_stack = 0, 1),
    ("refuses a second profile", |it| it.one_profile = true, 1),
    ("one period only", |it| it.max_periods = 1, 1),
    ("answers after 3 s", |it| it.answers_after = seconds(3), 4),
    ("no boot", |it| it.boots = Boots::Never, 1),
    (
        "boots each second for 20 s",
        |it| it.boots = Boots::Storm(seconds(20)),
        1,
    ),
    ("reports 20 s late", |it| it.reports_after = seconds(20), 1),
    ("clock 5 min slow", |it| it.clock_s = -300, 1),
    ("clock 5 min fast", |it| it.clock_s = 300, 1),
    (
        "local time without a zone",
        |it| it.stamps = Stamps::Local,
        1,
    ),
    (
        "knows local time only",
        |it| it.stamps = Stamps::OnlyLocal,
        1,
    ),
    ("transaction -1", |it| it.says_transaction = Some(-1), 1),
    ("phase N", |it| it.values = Values::OnN, 1),
    ("kW per phase", |it| it.values = Values::Kilowatts, 1),
    ("values as numbers", |it| it.values = Values::Numbers, 1),
    (
        "reconnects each 5 s",
        |it| it.reconnects_every = Some(seconds(5)),
        2,
    ),
    (
        "a default holds from the next session",
        |it| it.default_next_session = true,
        1,
    ),
    (
        "breaks on an early call",
        |it| {
            it.breaks_on_early_call = true;
            it.boots = Boots::After(seconds(8));
        },
        1,
    ),
    ("two connectors", |it| it.second_connector = true, 1),
    ("switches phases", |it| it.switches_phases = true, 1),
];

/// Each obedient manner with its name and the seconds until it follows.
pub(super) fn obedient() -> impl Iterator<Item = (&'static str, Manner, u64)> {
    OBEDIENT.into_iter().map(|(name, differs, follows_s)| {
        let mut manner = Manner::default();
        differs(&mut manner);
        (name, manner, follows_s)
    })
}

#[test]
fn obedient_ones_follow_and_are_safe_within_the_lease() {
    for (name, manner, lowered_within) in obedient() {
        let mut world = World::new(manner);
        world.want(16, 3);
        // Long enough for renewals, and for whatever is learnt on the way.
        world.pass(seconds(100));
        let held = world.point.draw();
        world.want(8, 3);
        let lowered = world.until(seconds(lowered_within), |world| world.point.draw() < 8.1);
        world.pass(seconds(30));
        let writes = world.calls("SetChargingProfile").len();
        let seen = world.report.current_ma.first().copied().flatten();
        world.want(16, 3);
        world.pass(seconds(70));
        let again = world.point.draw();
        world.kill_the_controller();
        let lease = seconds(u64::from(LEASE_S));
        let safe = world.until(lease + seconds(1), |world| world.point.draw() < 6.1);
        println!(
            "{name:38} holds {held:.1} A, down after {lowered:?}, seen {seen:?}, up {again:.1} A, \
             safe after {safe:?}, {writes} writes, {} connections",
            world.connections
        );
        assert!(held > 15.9, "{name}: holds {held} A: {:?}", world.notes);
        assert!(lowered.is_some(), "{name}: does not follow");
        assert!(
            seen.is_some_and(|ma| (7_900..=8_100).contains(&ma)),
            "{name}: seen {seen:?}"
        );
        assert!(again > 15.9, "{name}: {again}");
        assert!(
            safe.is_some(),
            "{name}: {} A after the lease",
            world.point.draw()
        );
    }
}

#[test]
fn one_that_ignores_is_told_and_its_lease_is_kept() {
    let mut world = World::new(Manner {
        ignores: true,
        ..Manner::default()
    });
    world.want(8, 3);
    world.pass(seconds(120));
    let told = Note::LimitIgnored {
        limit_ma: 8_000,
        shown_ma: 16_000,
    };
    assert!(world.notes.contains(&told), "{:?}", world.notes);
    let purposes: Vec<_> = world
        .calls("SetChargingProfile")
        .into_iter()
        .map(|call| call[3]["csChargingProfiles"]["chargingProfilePurpose"].clone())
        .collect();
    let tries = purposes
        .iter()
        .filter(|purpose| *purpose == "TxProfile")
        .count();
    assert!(
        (1..=3).contains(&tries),
        "once by the transaction: {purposes:?}"
    );
    assert!(!world.notes.contains(&Note::LeaseImpossible));
    assert_ne!(world.capabilities.limits, Grade::Proven);
}

#[test]
fn one_that_rejects_is_told_and_not_worn_out() {
    let mut world = World::new(Manner {
        takes: Takes::Nothing,
        ..Manner::default()
    });
    world.want(8, 3);
    world.pass(seconds(3_600));
    assert!(world.outcomes.len() > 10);
    assert!(
        world
            .outcomes
            .iter()
            .all(|outcome| *outcome == LimitOutcome::Rejected)
    );
    let told = |note: &&Note| matches!(note, Note::NotControllable(_));
    assert_eq!(world.notes.iter().filter(told).count(), 1, "told once");
    assert_eq!(world.capabilities.limits, Grade::NotThere);
    assert_eq!(world.report.limit_ma, Some(UNLIMITED_MA));
    // It was a switch in its settings: from now on it takes limits.
    world.point.manner.takes = Takes::All;
    world.pass(seconds(700));
    assert!(world.point.draw() < 8.1, "{}", world.point.draw());
    assert_eq!(world.outcomes.last(), Some(&LimitOutcome::Accepted));
    assert_ne!(world.report.limit_ma, Some(UNLIMITED_MA));
    let writes = world.calls("SetChargingProfile").len();
    println!("rejects: {writes} profiles in an hour");
    assert!(writes < 150, "{writes}");
}

#[test]
fn one_that_does_not_know_profiles_is_asked_again_each_five_minutes_only() {
    let mut world = World::new(Manner {
        takes: Takes::Unknown,
        ..Manner::default()
    });
    world.want(8, 3);
    world.pass(seconds(3_600));
    assert!(!world.outcomes.is_empty());
    assert!(
        world
            .outcomes
            .iter()
            .all(|outcome| *outcome == LimitOutcome::Rejected)
    );
    assert_eq!(world.capabilities.limits, Grade::NotThere);
    let writes = world.calls("SetChargingProfile").len();
    println!("NotImplemented: {writes} profiles in an hour");
    assert!((10..=13).contains(&writes), "{writes}");
    assert!(world.point.draw() > 15.9);
    assert_eq!(
        world.report.limit_ma,
        Some(UNLIMITED_MA),
        "it counts in full"
    );
}

#[test]
fn one_that_accepts_and_then_says_nothing_runs_into_its_lease() {
    // Base, and whatever comes before the limit, and the limit.
    let mut world = World::new(Manner {
        answers_at_most: 2,
        ..Manner::default()
    });
    world.want(16, 3);
    world.pass(seconds(5));
    assert_eq!(world.outcomes, [LimitOutcome::Accepted]);
    world.want(8, 3);
    world.pass(seconds(14));
    assert_eq!(
        world.outcomes.get(1),
        Some(&LimitOutcome::Timeout),
        "what is in force is not known: {:?}",
        world.outcomes
    );
    world.kill_the_controller();
    assert!(
        world
            .until(seconds(31), |world| world.point.draw() < 6.1)
            .is_some()
    );
}

#[test]
fn three_phases_become_one_and_are_proven() {
    let mut world = World::new(Manner {
        switches_phases: true,
        ..Manner::default()
    });
    world.want(16, 3);
    world.pass(seconds(30));
    assert_eq!(world.capabilities.phase_switching, Grade::Claimed);
    assert_eq!(world.report.current_ma, [Some(16_000); 3]);
    world.want(16, 1);
    world.pass(seconds(20));
    assert_eq!(world.point.phases(), 1);
    assert_eq!(
        world.report.current_ma,
        [Some(16_000), Some(0), Some(0)],
        "as it says"
    );
    assert_eq!(world.capabilities.phase_switching, Grade::Proven);
}

/// It says that it cannot change: a number is not written, and what is meant for one phase is not given to three.
#[test]
fn one_that_cannot_switch_is_told_no_number_of_phases() {
    let mut world = World::new(Manner::default());
    world.want(10, 3);
    world.pass(seconds(40));
    assert_eq!(world.capabilities.phase_switching, Grade::NotThere);
    let sent = world.calls("SetChargingProfile").len();
    world.outcomes.clear();
    world.want(16, 1);
    world.pass(seconds(5));
    assert_eq!(world.outcomes.first(), Some(&LimitOutcome::Rejected));
    assert!(world.notes.contains(&Note::PhasesFixed));
    assert_eq!(world.report.current_ma, [Some(10_000); 3]);
    world.want(7, 1);
    world.pass(seconds(20));
    assert_eq!(world.outcomes.last(), Some(&LimitOutcome::Accepted));
    assert_eq!(world.report.current_ma, [Some(7_000); 3], "less is less");
    let calls = world.calls("SetChargingProfile");
    assert!(calls.len() > sent);
    for call in &calls[sent..] {
        assert!(!call.to_string().contains("numberPhases"), "{call}");
    }
}
