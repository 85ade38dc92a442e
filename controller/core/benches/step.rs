//! How long one step of the engine takes with 8 and 16 chargers, and one allocation alone.
#![allow(missing_docs)]

use headroom_core::Engine;
use headroom_core::allocate::{Constraint, Demand, Use, allocate};
use headroom_core::config::{Charger, Config, LeaseProof, MainFuse, Mode, Rating, Site};
use headroom_core::event::{ChargerReport, ChargerStatus, Event, PhaseReading, Reading};
use headroom_core::units::{Instant, Milliamps, Millivolts, Phase};

/// How many chargers.
const CHARGERS: [usize; 2] = [8, 16];

fn main() {
    divan::main();
}

fn house(count: usize, known: bool) -> (Engine, u64) {
    let chargers = (0..count)
        .map(|n| Charger {
            id: format!("ev{n}"),
            name: String::new(),
            driver: None,
            circuit: None,
            max_current_a: Milliamps::from_amps(32),
            min_current_a: Milliamps::from_amps(6),
            phases: known.then(|| {
                if n % 2 == 0 {
                    Phase::ALL.to_vec()
                } else {
                    Phase::ALL.iter().skip(n % 3).take(1).copied().collect()
                }
            }),
            phase_switching: false,
            safe_current_a: Milliamps::ZERO,
            lease_s: 120,
            lease: LeaseProof::Claimed,
            priority: 1,
            accept_risk: false,
        })
        .collect();
    let rating = Rating::All(Milliamps::from_amps(200));
    let site = Site {
        mode: Mode::Control,
        main_fuse: MainFuse {
            rating_a: rating,
            ..MainFuse::default()
        },
        ..Site::default()
    };
    let mut engine = Engine::new(
        Config {
            site,
            chargers,
            slow_loads: Vec::new(),
        },
        Instant(0),
    );
    let mut ms = 0;
    for _ in 0..120 {
        ms += 1000;
        engine.step(reading(ms, 20_000), Instant(ms));
        for n in 0..count {
            let report = ChargerReport {
                id: format!("ev{n}"),
                connected: true,
                status: ChargerStatus::Charging,
                current_a: Some(vec![
                    Some(Milliamps::from_amps(6));
                    if n % 2 == 0 { 3 } else { 1 }
                ]),
                limit_a: None,
                energy_kwh: None,
            };
            engine.step(Event::Charger(report), Instant(ms));
        }
    }
    (engine, ms)
}

fn reading(ms: u64, current: i64) -> Event {
    let wobble = i64::try_from(ms / 1000 % 7).unwrap_or(0);
    let phase = PhaseReading {
        current_a: Some(Milliamps(current + 100 * wobble)),
        voltage_v: Some(Millivolts(230_000 + 100 * wobble)),
        power_w: None,
    };
    Event::Reading(Reading {
        phases: vec![Some(phase); 3],
        ..Reading::default()
    })
}

/// A reading that changes nothing.
#[divan::bench(args = CHARGERS, sample_count = 1000)]
fn calm_reading(bencher: divan::Bencher<'_, '_>, count: usize) {
    let (mut engine, mut ms) = house(count, true);
    bencher.bench_local(|| {
        ms += 1000;
        engine.step(reading(ms, 100_000), Instant(ms))
    });
}

/// A reading that makes every charger's share be dealt anew.
#[divan::bench(args = CHARGERS, sample_count = 1000)]
fn overload(bencher: divan::Bencher<'_, '_>, count: usize) {
    let (mut engine, mut ms) = house(count, true);
    bencher.bench_local(|| {
        ms += 1000;
        engine.step(reading(ms, 250_000), Instant(ms))
    });
}

/// A reading that leaves more or less than the one before, in a house that is short: what each charger would have if
/// one thing were otherwise is reckoned anew.
#[divan::bench(args = CHARGERS, sample_count = 1000)]
fn short(bencher: divan::Bencher<'_, '_>, count: usize) {
    let (mut engine, mut ms) = house(count, true);
    bencher.bench_local(|| {
        ms += 1000;
        let more = i64::try_from(ms / 1000 % 5).unwrap_or(0) * 1_500;
        engine.step(reading(ms, 140_000 + more), Instant(ms))
    });
}

/// A calm reading with chargers whose phases nobody has told.
#[divan::bench(args = CHARGERS, sample_count = 1000)]
fn calm_reading_unknown_phases(bencher: divan::Bencher<'_, '_>, count: usize) {
    let (mut engine, mut ms) = house(count, false);
    bencher.bench_local(|| {
        ms += 1000;
        engine.step(reading(ms, 100_000), Instant(ms))
    });
}

/// Chargers of which no two are equal, in four circuits, that can all switch their phases, and half of which fit.
#[divan::bench(args = CHARGERS, sample_count = 1000)]
fn allocation_of_unequals(bencher: divan::Bencher<'_, '_>, count: usize) {
    let demands: Vec<Demand> = (0..count)
        .map(|n| Demand {
            class: 1,
            least: Milliamps::from_amps(6),
            most: Milliamps::from_amps(10 + i64::try_from(n).unwrap_or(0)),
            received: u64::try_from(n).unwrap_or(0),
            in_turn: n % 3 == 0,
            phases: 3,
            using: Use::Either,
        })
        .collect();
    // The main fuse and four circuits behind it, three lines each.
    let constraints: Vec<Constraint> = (0..15)
        .map(|row| {
            let (circuit, line) = (row / 3, row % 3);
            let inside = |n: usize| circuit == 0 || n % 4 == circuit - 1;
            let share = if circuit == 0 { count * 3 } else { count };
            Constraint {
                capacity: Milliamps::from_amps(i64::try_from(share + line).unwrap_or(0)),
                weights: (0..count).map(|n| u8::from(inside(n))).collect(),
                on_one: (0..count)
                    .map(|n| u8::from(inside(n) && n % 3 == line))
                    .collect(),
            }
        })
        .collect();
    bencher.bench_local(|| allocate(&demands, &constraints));
}
