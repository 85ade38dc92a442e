//! On how many phases each charger is to be used, for those that can switch between three and one.
//!
//! One phase is for when all of them do not fit: a charger that was off for long goes to one when all of
//! its lines have not had room for the longer hold time, one that is on goes to one when another of its class
//! has waited for as long and could be on beside it, and each goes back when all of them have had room for that
//! long. What was told and not seen counts on all lines for everybody else, so a start on one phase is made
//! with the least current, and only where the fuses of the other lines would bear it there.

use super::rows::{Basis, RAISE_SHARE, Row};
use super::{World, times, used};
use crate::action::{Reason, ReasonCode};
use crate::allocate::{Constraint, Demand, Use};
use crate::load::Load;
use crate::load::phases::WAITS_MS;
use crate::units::Milliamps;

/// What must be there above the least for a switch, so that it is not the next ampere that undoes it.
const SWITCH_ROOM: Milliamps = Milliamps::from_amps(1);

impl World<'_> {
    /// Sets in the demands on how many phases each load is to be used.
    pub(super) fn choose_phases(&self, demands: &mut [Demand]) {
        for (index, (load, demand)) in self.loads.iter().zip(&mut *demands).enumerate() {
            let for_others = load.spec.switching && self.is_waited_for(index, demand.class);
            demand.using = load.possible_use(for_others, self.now);
        }
        if demands.iter().all(|demand| demand.using != Use::Either) {
            return;
        }
        let mut lasting = demands.to_vec();
        for demand in &mut lasting {
            if demand.using == Use::Either {
                demand.least = (demand.least + SWITCH_ROOM)
                    .min(demand.most)
                    .max(demand.least);
            }
        }
        let rows = self.rows(Basis::HeldLong);
        let constraints: Vec<Constraint> = rows.iter().map(Row::constraint).collect();
        let grants = self.allocate(&lasting, constraints);
        for ((demand, grant), load) in demands.iter_mut().zip(grants).zip(self.loads) {
            if demand.using == Use::Either {
                let on = grant.current > Milliamps::ZERO;
                let one = if on {
                    grant.one_phase
                } else {
                    load.is_told_one()
                };
                demand.using = if one { Use::One } else { Use::All };
            }
        }
    }

    /// Whether another load that goes no later has waited for long.
    fn is_waited_for(&self, index: usize, class: u32) -> bool {
        self.loads.iter().enumerate().any(|(other, load)| {
            let (most, _) = self.ceiling(load);
            other != index
                && load.current() == Milliamps::ZERO
                && load.waits_ms(self.now) >= WAITS_MS
                && self.demand(other, load, most).class >= class
                && most >= load.spec.least
        })
    }

    /// Whether the fuses of the other lines would bear a charger's least current if it did not do as it is
    /// told and drew from all of its lines, until it is cut.
    pub(super) fn bears_trial(&self, charger: usize, rows: &[Row], worst: &[Milliamps]) -> bool {
        let Some(load) = self.loads.get(charger) else {
            return false;
        };
        let is_other = |row: &&Row| {
            let counts = |weights: &[u8]| weights.get(charger).is_some_and(|weight| *weight > 0);
            counts(&row.by_phases.all) && !counts(&row.by_phases.one)
        };
        rows.iter().filter(is_other).all(|row| {
            let own = row.weights.get(charger).map_or(Milliamps::ZERO, |weight| {
                times(worst.get(charger).copied().unwrap_or_default(), *weight)
            });
            let others = used(row, worst) - own;
            let circuit = self.circuits.get(row.circuit);
            let (Some(circuit), Some(phase)) = (circuit, row.bound.phase) else {
                return true;
            };
            if !circuit.metered {
                return row.bound.available >= others + load.spec.least;
            }
            let carries = row.bound.level - row.bound.available + others;
            let level = row
                .reaction_ms
                .and_then(|reaction_ms| {
                    circuit
                        .meter
                        .level(phase, load.spec.least, reaction_ms, RAISE_SHARE)
                })
                .map_or(row.bound.limit, |level| level.min(row.bound.limit));
            carries <= level
        })
    }
}

/// Why a charger changes the number of its phases.
pub(super) fn switched(load: &Load, one: bool, from: Milliamps, to: Milliamps) -> Reason {
    let text = if one {
        format!(
            "There is no room on all phases of {} for long: it gets {to} on one phase.",
            load.title()
        )
    } else {
        format!(
            "There is room on all phases of {} again: it gets {to} on {}.",
            load.title(),
            load.spec.phases
        )
    };
    Reason {
        from_a: Some(from),
        to_a: Some(to),
        ..Reason::plain(ReasonCode::Restored, text)
    }
}
