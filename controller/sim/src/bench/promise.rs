//! A clairvoyant that keeps what Headroom promises, and its rules: between it and the core lie delays, the hold time, and
//! thrift with commands and contactors; between it and the clairvoyant the promise and whole amperes.
//!
//! It knows the house of each second and acts in it. It raises to where the fastest legal device, at its steady state, bears a
//! step of the house until the chargers have answered, and lowers when that is passed by noise and more; it gives whole
//! amperes; it raises a charger no sooner than 30 s after a change. It knows no faults, and commands as often as it likes.

use std::cmp::Reverse;

use headroom_core::fuse::{Class, Fuse};
use headroom_core::units::{Milliamps, PerPhase, Phase};

use super::scenario::Scenario;
use super::share::Claim;

/// As the core: raised up to this share of the state at which the fastest legal device opens, and cut above the other.
const RAISE_SHARE: f64 = 0.92;
const KEEP_SHARE: f64 = 0.98;
/// Nothing is cut for less than this, in amperes.
const NOISE_A: f64 = 0.3;
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

/// What it keeps to, and what it did.
pub(super) struct Promise {
    fuses: PerPhase<Option<Fuse>>,
    rating_a: PerPhase<f64>,
    largest_step_a: Option<f64>,
    /// From a step of the house to the answer of the slowest charger on each line.
    reaction_ms: PerPhase<u64>,
    /// What each charger was given last, and since which second.
    given: Vec<(f64, Option<u64>)>,
    done: Done,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Done {
    /// Changes of a limit while a car was there.
    pub commands: u32,
    /// Those from nothing.
    pub closings: u32,
    /// Seconds in which a car was there that wanted current, over all chargers.
    pub present_s: u32,
}

impl Promise {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let fuse = &scenario.site.main_fuse;
        let class = Class {
            characteristic: fuse.characteristic,
            curve: fuse.curve,
            ambient_c: fuse.ambient_c,
        };
        let meter = &scenario.meter;
        // The total power shows a step too, where it comes more often.
        let period_s = meter.power_period_s.unwrap_or(f64::INFINITY);
        let sees_s = meter.period_s.min(period_s) + meter.latency_s;
        let slowest_s = |line: Phase| {
            let there = scenario.chargers.iter();
            let there = there.filter(|charger| scenario.terminals(charger).contains(&line));
            let links = there.map(|charger| scenario.link(&charger.id).latency_s);
            links.fold(0.0, f64::max)
        };
        Self {
            fuses: fuse
                .rating_a
                .per_phase()
                .map(|rating| Fuse::new(class, rating)),
            rating_a: scenario.rating(),
            largest_step_a: scenario.site.largest_step_a.map(Milliamps::to_f64),
            reaction_ms: PerPhase(
                Phase::ALL.map(|line| crate::millis(sees_s + slowest_s(line) + CAR_S)),
            ),
            given: vec![(0.0, None); scenario.chargers.len()],
            done: Done::default(),
        }
    }

    pub(super) const fn done(&self) -> Done {
        self.done
    }

    /// What each charger gets in a second. `shares`: fair shares of what levels of the lines leave; `fits`: whether shares are
    /// within them.
    pub(super) fn give(
        &mut self,
        second: u64,
        claims: &[Claim],
        house_a: PerPhase<f64>,
        shares: impl Fn(&[Claim], PerPhase<f64>) -> Vec<f64>,
        fits: impl Fn(&[f64], PerPhase<f64>) -> bool,
    ) -> Vec<f64> {
        let keep = self.levels(house_a, KEEP_SHARE);
        let before: Vec<f64> = self
            .given
            .iter()
            .zip(claims)
            .map(|((given, _), claim)| whole(given.min(claim.most_a), claim))
            .collect();
        let share = |most: &[f64], level: PerPhase<f64>| {
            let claims: Vec<Claim> = claims
                .iter()
                .zip(most)
                .map(|(claim, most)| Claim {
                    most_a: claim.most_a.min(*most),
                    ..claim.clone()
                })
                .collect();
            let shares = shares(&claims, level);
            in_whole_amperes(&shares, &claims, |amps| fits(amps, level))
        };
        let amps = if fits(&before, keep.map(|level| level + NOISE_A)) {
            let most: Vec<f64> = self
                .given
                .iter()
                .zip(&before)
                .map(|((_, since), before)| {
                    let waits = since.is_some_and(|since| second < since + RAISE_AFTER_S);
                    if waits { *before } else { f64::INFINITY }
                })
                .collect();
            let goal = share(&most, self.levels(house_a, RAISE_SHARE));
            let raised: Vec<f64> = goal.iter().zip(&before).map(|(a, b)| a.max(*b)).collect();
            // Who is to have less has it only where another one could not have more else.
            if fits(&raised, keep) {
                raised
            } else if raised == before {
                before
            } else {
                goal
            }
        } else {
            share(&before, keep)
        };
        for ((given, claim), amps) in self.given.iter_mut().zip(claims).zip(&amps) {
            let there = claim.most_a > 0.0;
            self.done.present_s += u32::from(there);
            if (given.0 - *amps).abs() > 0.5 {
                self.done.commands += u32::from(there);
                self.done.closings += u32::from(given.0 <= 0.0);
                *given = (*amps, Some(second));
            }
        }
        amps
    }

    /// What each line may carry beside a house.
    fn levels(&self, house_a: PerPhase<f64>, share: f64) -> PerPhase<f64> {
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
                    let level = fuse.level(step, self.reaction_ms.get(line), share);
                    level.to_f64().min(rating_a)
                })
        }))
    }
}

/// Whole amperes of a share, and nothing where that is less than can be used.
fn whole(amps: f64, claim: &Claim) -> f64 {
    // A share of 6 A may be told as a hair less.
    let amps = (amps + 1e-6).floor();
    if amps < claim.least_a { 0.0 } else { amps }
}

/// Whole amperes of shares, and what is left over one by one to whom it fits, class by class.
fn in_whole_amperes(shares: &[f64], claims: &[Claim], fits: impl Fn(&[f64]) -> bool) -> Vec<f64> {
    let mut amps: Vec<f64> = shares
        .iter()
        .zip(claims)
        .map(|(share, claim)| whole(*share, claim))
        .collect();
    let mut order: Vec<usize> = (0..claims.len()).collect();
    order.sort_by_key(|index| claims.get(*index).map(|claim| Reverse(claim.class)));
    for index in order {
        let (Some(before), Some(claim)) = (amps.get(index).copied(), claims.get(index)) else {
            continue;
        };
        if before <= 0.0 || before + 1.0 > claim.most_a {
            continue;
        }
        let mut tried = amps.clone();
        if let Some(slot) = tried.get_mut(index) {
            *slot = before + 1.0;
        }
        if fits(&tried) {
            amps = tried;
        }
    }
    amps
}
