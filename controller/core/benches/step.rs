//! How long one step of the engine takes with 16 chargers.
#![allow(missing_docs)]

use headroom_core::Engine;
use headroom_core::config::{Charger, Config, LeaseProof, MainFuse, Mode, Rating, Site};
use headroom_core::event::{ChargerReport, ChargerStatus, Event, PhaseReading, Reading};
use headroom_core::units::{Instant, Milliamps, Millivolts, Phase};

const CHARGERS: usize = 16;

fn main() {
    divan::main();
}

fn house() -> (Engine, u64) {
    let chargers = (0..CHARGERS)
        .map(|n| Charger {
            id: format!("ev{n}"),
            name: String::new(),
            driver: None,
            circuit: None,
            max_current_a: Milliamps::from_amps(32),
            min_current_a: Milliamps::from_amps(6),
            phases: Some(if n % 2 == 0 {
                Phase::ALL.to_vec()
            } else {
                Phase::ALL.iter().skip(n % 3).take(1).copied().collect()
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
        for n in 0..CHARGERS {
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
#[divan::bench(sample_count = 1000)]
fn calm_reading(bencher: divan::Bencher<'_, '_>) {
    let (mut engine, mut ms) = house();
    bencher.bench_local(|| {
        ms += 1000;
        engine.step(reading(ms, 100_000), Instant(ms))
    });
}

/// A reading that makes every charger's share be dealt anew.
#[divan::bench(sample_count = 1000)]
fn overload(bencher: divan::Bencher<'_, '_>) {
    let (mut engine, mut ms) = house();
    bencher.bench_local(|| {
        ms += 1000;
        engine.step(reading(ms, 250_000), Instant(ms))
    });
}
