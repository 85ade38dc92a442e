//! The clairvoyant: each second it gives cars exactly what the rating leaves beside the background of
//! that second, without delay and without mistakes. Its energy is the 100 % of the benchmark.
//!
//! It never goes above the rating, keeps to 6 A or nothing, serves class by class, is fair among the cars of
//! a class, and lets those that wait take turns every quarter of an hour, least energy first. Slow loads
//! are left to their thermostats. It is a strong baseline, no strict upper
//! bound: who goes above the rating may get more.

use headroom_core::units::{Milliamps, PerPhase, Phase};

use super::promise::{Done, Promise};
use super::scenario::Scenario;
use super::share::{Claim, all_fit, classes, fair};
use super::visit::{Stay, car_at, stays};
use crate::current::{Current, Currents};

/// Waiting cars take turns after this, in seconds.
const TURN_S: u64 = 900;
/// Halvings of a current that is sought on a grid without neutral: below a hundredth of an ampere.
const HALVINGS: u32 = 13;
/// Power factor of cars, of which all have the same here.
const POWER_FACTOR: f64 = 0.99;

struct Claimant {
    stays: Vec<Stay>,
    claim: Claim,
    terminals: Vec<Phase>,
    /// Ampere-seconds of one phase for a kWh.
    phases: f64,
    got: f64,
    got_this_stay: f64,
    at: usize,
}

/// Ampere-seconds (over all phases) that each charger's car gets.
pub fn charge(scenario: &Scenario, background: &[Currents], seed: u64) -> Vec<f64> {
    charge_within(scenario, background, seed, None)
}

/// The same where what Headroom promises is kept, and what it took.
pub fn charge_as_promised(
    scenario: &Scenario,
    background: &[Currents],
    seed: u64,
) -> (Vec<f64>, Done) {
    let mut promise = Promise::new(scenario);
    let charge = charge_within(scenario, background, seed, Some(&mut promise));
    (charge, promise.done())
}

fn charge_within(
    scenario: &Scenario,
    background: &[Currents],
    seed: u64,
    mut promise: Option<&mut Promise>,
) -> Vec<f64> {
    let circuits = &scenario.site.circuits;
    let rating = scenario.rating();
    let mut claimants: Vec<Claimant> = scenario
        .chargers
        .iter()
        .map(|charger| {
            let car = car_at(scenario, &charger.id);
            let delta = scenario.is_delta();
            let wired = scenario.terminals(charger);
            let used = match (delta, car.phases) {
                (true, 1 | 2) => wired.len().min(2),
                (true, _) => wired.len(),
                (false, phases) => wired.len().min(usize::from(phases)),
            };
            let terminals: Vec<Phase> = wired.into_iter().take(used).collect();
            let mut rows: Vec<usize> = terminals.iter().map(|line| line.index()).collect();
            for id in scenario.path_of(charger.circuit.as_deref()) {
                let place = circuits.iter().position(|circuit| circuit.id == id);
                rows.extend(
                    terminals
                        .iter()
                        .filter_map(|line| Some(3 + 3 * place? + line.index())),
                );
            }
            let most_a = car
                .max_current_a
                .unwrap_or(f64::INFINITY)
                .min(charger.max_current_a.to_f64());
            Claimant {
                stays: stays(scenario, &charger.id, seed),
                claim: Claim {
                    class: charger.priority,
                    rows,
                    least_a: car.min_current_a.max(charger.min_current_a.to_f64()),
                    most_a,
                },
                phases: match (delta, terminals.len()) {
                    (true, 3) => 1.732_050_807_568_877_2,
                    (true, _) => 1.0,
                    (false, count) => f64::from(u8::try_from(count).unwrap_or(3)),
                },
                terminals,
                got: 0.0,
                got_this_stay: 0.0,
                at: 0,
            }
        })
        .collect();
    let mut order: Vec<usize> = (0..claimants.len()).collect();
    let fed: Vec<f64> = circuits
        .iter()
        .flat_map(|circuit| circuit.rating_a.per_phase().map(Milliamps::to_f64).0)
        .collect();
    for (second, now) in (0_u64..).zip(background) {
        if second % TURN_S == 0 {
            order.sort_by(|a, b| {
                let got = |index: &usize| claimants.get(*index).map_or(0.0, |one| one.got);
                got(a).total_cmp(&got(b))
            });
        }
        let claims: Vec<Claim> = claimants.iter_mut().map(|one| one.now(second)).collect();
        if claims.iter().all(|claim| claim.most_a <= 0.0) {
            continue;
        }
        // What each row leaves where a line may carry so much.
        let room = |level: PerPhase<f64>| {
            let lines = level.zip_with(&now.branches, |level, now| beside(now, level));
            [&lines.0[..], &fed].concat()
        };
        let shares = |claims: &[Claim], level: PerPhase<f64>| {
            if scenario.is_delta() {
                phasor_shares(now, level, &claimants, claims, &order)
            } else {
                fair(&room(level), claims, &order)
            }
        };
        let fits = |amps: &[f64], level: PerPhase<f64>| {
            if scenario.is_delta() {
                phasors_fit(now, level, &claimants, amps)
            } else {
                all_fit(&room(level), &claims, amps)
            }
        };
        let amps = match &mut promise {
            Some(promise) => promise.give(second, &claims, now.line_amps(), shares, fits),
            None => shares(&claims, rating),
        };
        for (one, amps) in claimants.iter_mut().zip(amps) {
            one.got += amps * one.phases;
            one.got_this_stay += amps * one.phases;
        }
    }
    claimants.into_iter().map(|one| one.got).collect()
}

impl Claimant {
    /// What it wants in a second: nothing when it is away or full.
    fn now(&mut self, second: u64) -> Claim {
        while self
            .stays
            .get(self.at)
            .is_some_and(|stay| stay.to_s <= second)
        {
            self.at += 1;
            self.got_this_stay = 0.0;
        }
        let wants = self.stays.get(self.at).is_some_and(|stay| {
            let full = stay
                .kwh
                .is_some_and(|kwh| self.got_this_stay * 230.0 * POWER_FACTOR >= kwh * 3_600_000.0);
            stay.from_s <= second && !full
        });
        Claim {
            most_a: if wants { self.claim.most_a } else { 0.0 },
            ..self.claim.clone()
        }
    }
}

/// How much a car may draw beside a current before their sum reaches the rating.
fn beside(background: Current, rating_a: f64) -> f64 {
    let unit = Current::new(1.0, POWER_FACTOR);
    let along = background.active_a * unit.active_a + background.reactive_a * unit.reactive_a;
    let across = background.reactive_a * unit.active_a - background.active_a * unit.reactive_a;
    let square = rating_a * rating_a - across * across;
    if square <= 0.0 {
        0.0
    } else {
        square.sqrt() - along
    }
}

/// Shares where currents add as phasors: first who fits with the least, then all together, then one by
/// one what is left.
fn phasor_shares(
    background: &Currents,
    rating: PerPhase<f64>,
    claimants: &[Claimant],
    claims: &[Claim],
    order: &[usize],
) -> Vec<f64> {
    let fits = |amps: &[f64]| phasors_fit(background, rating, claimants, amps);
    let mut amps = vec![0.0; claims.len()];
    for class in classes(claims) {
        amps = serve(amps, claims, order, class, &fits);
    }
    amps
}

/// Whether all lines bear what the claimants draw beside the background, where currents add as phasors.
fn phasors_fit(
    background: &Currents,
    rating: PerPhase<f64>,
    claimants: &[Claimant],
    amps: &[f64],
) -> bool {
    let mut sum = *background;
    for (one, amps) in claimants.iter().zip(amps) {
        sum.connect(&one.terminals, Current::new(*amps, POWER_FACTOR));
    }
    let lines = sum.line_amps();
    Phase::ALL
        .iter()
        .all(|line| lines.get(*line) <= rating.get(*line))
}

/// Serves one class beside those that have their shares.
fn serve(
    mut amps: Vec<f64>,
    claims: &[Claim],
    order: &[usize],
    class: u32,
    fits: &impl Fn(&[f64]) -> bool,
) -> Vec<f64> {
    let mut on = Vec::new();
    for index in order.iter().copied() {
        let Some(claim) = claims
            .get(index)
            .filter(|claim| claim.class == class && claim.most_a >= claim.least_a)
        else {
            continue;
        };
        let mut tried = amps.clone();
        if let Some(slot) = tried.get_mut(index) {
            *slot = claim.least_a;
        }
        if fits(&tried) {
            amps = tried;
            on.push(index);
        }
    }
    let mut groups = vec![on.clone()];
    groups.extend(on.iter().map(|index| vec![*index]));
    for group in groups {
        let raised = |rise: f64| {
            let mut tried = amps.clone();
            for index in &group {
                if let (Some(slot), Some(claim)) = (tried.get_mut(*index), claims.get(*index)) {
                    *slot = (*slot + rise).min(claim.most_a);
                }
            }
            tried
        };
        let most = group
            .iter()
            .filter_map(|index| claims.get(*index))
            .fold(0.0, |most: f64, claim| most.max(claim.most_a));
        let (mut low, mut high) = (0.0, most);
        if fits(&raised(high)) {
            low = high;
        } else {
            for _ in 0..HALVINGS {
                let middle = f64::midpoint(low, high);
                if fits(&raised(middle)) {
                    low = middle;
                } else {
                    high = middle;
                }
            }
        }
        amps = raised(low);
    }
    amps
}
