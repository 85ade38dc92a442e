//! Why each load has what it has after the raising pass, and what would have to change for it to have more.

use super::super::rows::Row;
use super::super::{Plan, set, times};
use super::{RAISE_STEP, Raising, Turn, small_raise_at};
use crate::action::Reason;
use crate::background::Background;
use crate::load::{Ceiling, Load};
use crate::reason::Bound;
use crate::supervisor::Supply;
use crate::units::{Instant, Milliamps};

/// Who counts where a row is full; of each the first load, and the next one, for that load itself.
#[derive(Clone, Copy, Debug, Default)]
struct Rivals {
    /// Who goes first.
    first: [Option<usize>; 2],
    /// Who has most of what the row gives.
    most: [Option<usize>; 2],
}

/// Puts a load among two, the best first. `yields`: whether another one comes after it; of equals the later one is first.
fn insert(loads: &mut [Option<usize>; 2], load: usize, yields: impl Fn(usize) -> bool) {
    let [best, second] = *loads;
    if best.is_none_or(&yields) {
        *loads = [Some(load), best];
    } else if second.is_none_or(&yields) {
        *loads = [best, Some(load)];
    }
}

/// Of two loads the one that is not this one.
fn other_of(loads: [Option<usize>; 2], than: usize) -> Option<usize> {
    loads.into_iter().flatten().find(|load| *load != than)
}

impl Raising<'_> {
    /// Says why everybody has what it has, and how the house is doing.
    pub(super) fn explain(&self, turns: &[Turn], plan: &mut Plan) {
        let mut short: Option<Reason> = None;
        let mut returning = false;
        let present = std::mem::take(&mut plan.present);
        let first = plan.first_targets();
        let is_told = |load: usize| first.get(load).is_some_and(Option::is_some);
        let mut rivals = vec![None; self.rows.len()];
        for (index, (load, turn)) in self.world.loads.iter().zip(turns).enumerate() {
            let (most, why) = self.asks(index);
            let has = self.has(index);
            if self.world.fixed(index).is_some() || !load.link.is_connected() {
                continue;
            }
            if has >= most {
                let reason = match why {
                    Ceiling::User(until) => Reason::user(load, has, has, until),
                    Ceiling::Demand if most == Milliamps::ZERO => Reason::idle(load),
                    Ceiling::Demand | Ceiling::Most => Reason::satisfied(load),
                };
                set(&mut plan.reasons, index, Some(reason));
                continue;
            }
            match turn {
                Turn::Wait(until, what) => {
                    returning = true;
                    plan.wake = Some(plan.wake.map_or(*until, |wake| wake.min(*until)));
                    set(
                        &mut plan.reasons,
                        index,
                        Some(Reason::waiting(load, what, *until)),
                    );
                }
                Turn::Now => returning = true,
                Turn::None => {
                    if let Some(reason) = self.held_by(index, load, &present, &mut rivals) {
                        short.get_or_insert_with(|| reason.clone());
                        if !is_told(index) {
                            let own = self.small_raise(index, load).unwrap_or(reason);
                            set(&mut plan.reasons, index, Some(own));
                        }
                    }
                }
            }
        }
        if plan.supply == Supply::Enough {
            plan.supply = if short.is_some() {
                Supply::Short
            } else if returning {
                Supply::Returning
            } else {
                Supply::Enough
            };
        }
        if plan.shortage.is_none() {
            plan.shortage = short;
        }
        plan.present = present;
    }

    /// What keeps a load from having more.
    fn held_by(
        &self,
        index: usize,
        load: &Load,
        present: &[Row],
        rivals: &mut [Option<Rivals>],
    ) -> Option<Reason> {
        let has = self.has(index);
        if has == Milliamps::ZERO
            && load.current() == Milliamps::ZERO
            && let Some(reason) = self.never(index, load)
        {
            return Some(reason);
        }
        if let Some(reason) = self.patience(index, load) {
            return Some(reason);
        }
        let bound = self.wanted.get(index)?.bound_by?;
        let row = self.rows.get(bound)?;
        let rivals = rivals
            .get_mut(bound)?
            .get_or_insert_with(|| self.rivals(row));
        let loads = self.world.loads;
        let rival = other_of(rivals.first, index)
            .and_then(|other| loads.get(other))
            .filter(|rival| {
                rival.spec.priority > load.spec.priority
                    || (rival.spec.priority == load.spec.priority && has == Milliamps::ZERO)
            });
        Some(match rival {
            Some(rival) => Reason::behind(load, rival, &row.bound, has),
            None => match self.peak_until(bound, index, present) {
                Some(until) => Reason::peak(load, &row.bound, until),
                None if load.current() == Milliamps::ZERO => {
                    let keeper = other_of(rivals.most, index).and_then(|other| loads.get(other));
                    let needs = times(self.least(index, load), self.weight(row, index));
                    Reason::waits(load, &row.bound, needs, keeper)
                }
                None => Reason::held(load, &row.bound),
            },
        })
    }

    /// That its least is more than a fuse ever gives, however little the others take.
    fn never(&self, index: usize, load: &Load) -> Option<Reason> {
        let needs = |row: &Row| {
            let ways = [&row.by_phases.all, &row.by_phases.one];
            let weights = ways.map(|way| way.get(index).copied().unwrap_or(0));
            times(load.spec.least, weights.into_iter().min().unwrap_or(0))
        };
        let row = self.rows.iter().find(|row| needs(row) > row.bound.limit)?;
        Some(Reason::never(load, &row.bound, needs(row)))
    }

    /// The loads that go first where a row is full, and those that have most of it.
    fn rivals(&self, row: &Row) -> Rivals {
        let mut rivals = Rivals::default();
        let rank = |load: usize| {
            let rival = self.world.loads.get(load);
            (rival.map(|it| it.spec.priority), self.wanted(load))
        };
        for (load, &weight) in row.weights.iter().enumerate() {
            if weight == 0 {
                continue;
            }
            if self.wanted(load) > Milliamps::ZERO {
                insert(&mut rivals.first, load, |it| rank(it) <= rank(load));
            }
            let holds = times(self.has(load), weight);
            if holds > Milliamps::ZERO {
                let of = |it: usize| row.weights.get(it).map(|w| times(self.has(it), *w));
                insert(&mut rivals.most, load, |it| of(it) <= Some(holds));
            }
        }
        rivals
    }

    /// That it went up and down, if that alone keeps it from more.
    fn patience(&self, index: usize, load: &Load) -> Option<Reason> {
        let bound = &self.rows.get((*self.patient.get(index)?)?)?.bound;
        let until = self
            .background_of(bound)?
            .held_patient_until(bound.phase?, self.world.now)?;
        (until > self.world.now).then(|| Reason::patience(load, bound, until))
    }

    /// That there is a little more for it, which is not worth a change yet.
    fn small_raise(&self, index: usize, load: &Load) -> Option<Reason> {
        let has = self.has(index);
        let runs = has > Milliamps::ZERO && !self.switches(index);
        let more = self.wanted(index) >= has + RAISE_STEP;
        let at = small_raise_at(load).filter(|_| runs && more)?;
        let what = "so little more is worth a change only after a quarter of an hour without one";
        Some(Reason::waiting(load, what, at))
    }

    /// Who still draws more than it is to have on a row of a load that is to have more.
    pub(super) fn gives_way(&self, raiser: usize) -> Option<&Load> {
        let shares = |other: usize| {
            self.rows.iter().any(|row| {
                let counts = row.weights.get(other).is_some_and(|weight| *weight > 0);
                counts && self.weight(row, raiser) > 0
            })
        };
        let mut others = self.world.loads.iter().enumerate();
        let other = others.find(|(index, other)| {
            let more = other.worst(self.world.now) > self.has(*index);
            *index != raiser && more && shares(*index)
        });
        other.map(|(_, other)| other)
    }

    /// The background of the circuit of a bound.
    fn background_of(&self, bound: &Bound) -> Option<&Background> {
        let mut circuits = self.world.circuits.iter();
        let circuit = circuits.find(|circuit| *circuit.id == *bound.circuit)?;
        Some(&circuit.meter.background)
    }

    /// When a peak of the house within the hold time ends that alone keeps a load from more.
    fn peak_until(&self, row: usize, load: usize, present: &[Row]) -> Option<Instant> {
        let held = self.rows.get(row)?;
        let more = (present.get(row)?.bound.available - held.bound.available).max(Milliamps::ZERO);
        let load_state = self.world.loads.get(load)?;
        let wanted = self.wanted(load).max(self.has(load)) + more;
        if !self.is_worth(load, load_state, wanted) {
            return None;
        }
        let background = self.background_of(&held.bound)?;
        let until = background.held_until(held.bound.phase?)?;
        (until > self.world.now).then_some(until)
    }
}
