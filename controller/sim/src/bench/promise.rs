//! A clairvoyant that keeps what Headroom promises: what is left of the energy is the price of delays and of thrift with
//! commands, what is not is the price of the promise and of whole amperes.
//!
//! It knows the house of each second and acts in it. It stays where the fastest legal device, at its steady state, bears a
//! step of the house until the chargers have answered; it gives whole amperes; it raises a charger no sooner than 30 s after
//! a change. It knows no faults, and closes contactors and commands as often as it likes.

use headroom_core::fuse::{Class, Fuse};
use headroom_core::units::{Milliamps, PerPhase, Phase};

use super::scenario::Scenario;
use super::share::Claim;

/// The core raises up to this share of the state at which the fastest legal device opens.
const SHARE: f64 = 0.92;
/// The house alone is taken to draw no more than this part of a line's rating.
const HOUSE: f64 = 0.95;
/// The largest step of a house, in amperes: below this rating, and from it on.
const USUAL_STEP_A: f64 = 10.0;
const LARGE_STEP_A: f64 = 16.0;
const LARGE_FUSE_A: f64 = 35.0;
/// A car follows within this, in seconds (IEC 61851-1).
const CAR_S: f64 = 5.0;
/// A charger is raised no sooner after a change, in seconds.
const RAISE_AFTER_S: u64 = 30;

/// What it keeps to.
pub(super) struct Promise {
    fuses: PerPhase<Option<Fuse>>,
    rating_a: PerPhase<f64>,
    largest_step_a: Option<f64>,
    reaction_ms: u64,
    /// What each charger was given last, and since which second.
    given: Vec<(f64, u64)>,
}

impl Promise {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let fuse = &scenario.site.main_fuse;
        let class = Class {
            characteristic: fuse.characteristic,
            curve: fuse.curve,
            ambient_c: fuse.ambient_c,
        };
        let slowest = scenario
            .chargers
            .iter()
            .map(|charger| scenario.link(&charger.id).latency_s)
            .fold(0.0, f64::max);
        let reaction_s = scenario.meter.period_s + scenario.meter.latency_s + slowest + CAR_S;
        Self {
            fuses: fuse
                .rating_a
                .per_phase()
                .map(|rating| Fuse::new(class, rating)),
            rating_a: scenario.rating(),
            largest_step_a: scenario.site.largest_step_a.map(Milliamps::to_f64),
            reaction_ms: crate::millis(reaction_s),
            given: vec![(0.0, 0); scenario.chargers.len()],
        }
    }

    /// What each line may carry beside a house.
    pub(super) fn levels(&self, house_a: PerPhase<f64>) -> PerPhase<f64> {
        PerPhase(Phase::ALL.map(|line| {
            let rating_a = self.rating_a.get(line);
            let largest_a = self.largest_step_a.unwrap_or(if rating_a < LARGE_FUSE_A {
                USUAL_STEP_A
            } else {
                LARGE_STEP_A
            });
            let step_a = (rating_a * HOUSE - house_a.get(line)).clamp(0.0, largest_a);
            let fuse = self.fuses.get_ref(line).as_ref();
            fuse.zip(Milliamps::from_f64(step_a))
                .map_or(rating_a, |(fuse, step)| {
                    let level = fuse.level(step, self.reaction_ms, SHARE);
                    level.to_f64().min(rating_a)
                })
        }))
    }

    /// Makes whole amperes of shares, those that are left one by one to whom they fit, and holds raises back.
    pub(super) fn round(
        &mut self,
        second: u64,
        amps: &mut [f64],
        claims: &[Claim],
        order: &[usize],
        fits: impl Fn(&[f64]) -> bool,
    ) {
        let most: Vec<f64> = self
            .given
            .iter()
            .zip(claims)
            .map(|((given, since), claim)| {
                let waits = *given > 0.0 && second < since + RAISE_AFTER_S;
                if waits { *given } else { claim.most_a }
            })
            .collect();
        for ((amps, most), claim) in amps.iter_mut().zip(&most).zip(claims) {
            *amps = amps.min(*most).floor();
            if *amps < claim.least_a {
                *amps = 0.0;
            }
        }
        for index in order.iter().copied() {
            let before = amps.get(index).copied().unwrap_or_default();
            let most = most.get(index).copied().unwrap_or_default();
            let Some(slot) = amps.get_mut(index).filter(|amps| **amps > 0.0) else {
                continue;
            };
            *slot = (before + 1.0).min(most).max(before);
            if !fits(amps)
                && let Some(slot) = amps.get_mut(index)
            {
                *slot = before;
            }
        }
        for ((given, since), amps) in self.given.iter_mut().zip(amps) {
            if (*given - *amps).abs() > 0.5 {
                (*given, *since) = (*amps, second);
            }
        }
    }
}
