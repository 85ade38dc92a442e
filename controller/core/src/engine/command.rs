//! From a plan to commands: what changes is told, and what must not run out is renewed in time.

use super::Engine;
use crate::action::{Action, Reason};
use crate::config::Mode;
use crate::load::Load;
use crate::plan::{Plan, Target, feeds};
use crate::units::{Instant, Milliamps};

impl Engine {
    /// Commands what the plan changes, and repeats what must not run out.
    pub(super) fn command(&mut self, plan: &mut Plan, now: Instant) -> Vec<Action> {
        for (load, reason) in self.loads.iter_mut().zip(&mut plan.reasons) {
            if let Some(reason) = reason.take() {
                load.reason = reason;
            }
        }
        if self.config.site.mode == Mode::Observe {
            self.note_would_be(plan, now);
            return Vec::new();
        }
        self.would_be.clear();
        let targets = self.changes(plan);
        let repeats: Vec<bool> = self
            .loads
            .iter()
            .map(|load| load.repeat_at().is_some_and(|at| at <= now))
            .collect();
        if targets.is_empty() && !repeats.contains(&true) {
            return Vec::new();
        }
        let lease_of = self.leases(&targets, now);
        let mut actions = Vec::new();
        for target in &targets {
            let (Some(load), Some(lease_s)) =
                (self.loads.get_mut(target.load), lease_of.get(target.load))
            else {
                continue;
            };
            if target.to < load.current() && target.reason.code.is_about_a_fuse() {
                load.note_cut(now);
            }
            load.reason = target.reason.clone();
            let told = (target.to, target.one_phase, *lease_s);
            let reason = target.reason.clone();
            actions.push(tell(load, told, reason, &mut self.next_command, now));
        }
        let loads = self.loads.iter_mut().zip(lease_of).zip(repeats);
        for (index, ((load, lease_s), repeat)) in loads.enumerate() {
            let renews = repeat || load.is_left_alone_longer_than(lease_s);
            if let Some(setpoint) = load.setpoint()
                && renews
                && !targets.iter().any(|target| target.load == index)
            {
                let reason = Reason::lease(load);
                let told = (setpoint, load.is_told_one(), lease_s);
                actions.push(tell(load, told, reason, &mut self.next_command, now));
            }
        }
        actions
    }

    /// What is new in a plan, one target for a load, what lowers first.
    fn changes<'p>(&self, plan: &'p Plan) -> Vec<&'p Target> {
        let load = |target: &Target| self.loads.get(target.load);
        let mut targets: Vec<&Target> = plan.targets.iter().collect();
        // A load that was lowered twice in one plan is told the lower only.
        targets.sort_by_key(|target| {
            let from = load(target).map(Load::current).unwrap_or_default();
            (target.to > from, target.load, target.to)
        });
        targets.dedup_by_key(|target| target.load);
        targets.retain(|target| {
            load(target).is_some_and(|load| {
                load.setpoint() != Some(target.to) || load.is_told_one() != target.one_phase
            })
        });
        targets
    }

    /// How long each load may go on with what it is told when nobody controls any more, in seconds: its lease, or a shorter
    /// one where a fuse would not bear for so long the highest house that is known beside all that the loads were told.
    fn leases(&self, targets: &[&Target], now: Instant) -> Vec<u32> {
        let plans: Vec<(Milliamps, bool)> = self
            .loads
            .iter()
            .enumerate()
            .map(|(index, load)| {
                let target = targets.iter().find(|target| target.load == index);
                target.map_or((load.current(), load.is_told_one()), |target| {
                    (target.to, target.one_phase)
                })
            })
            .collect();
        let mut borne = vec![true; self.loads.len()];
        for (place, circuit) in self.circuits.iter().enumerate() {
            if !circuit.metered {
                continue;
            }
            for &phase in self.config.site.grid.phases() {
                let counts = |load: &Load| {
                    let fed = feeds(&self.circuits, place, &load.spec.circuit);
                    fed && load.may_draw_from().contains(&phase)
                };
                let on_line: Vec<usize> = (0..self.loads.len())
                    .filter(|index| self.loads.get(*index).is_some_and(counts))
                    .collect();
                let told: Milliamps = on_line
                    .iter()
                    .filter_map(|index| self.loads.get(*index).zip(plans.get(*index)))
                    .map(|(load, (to, _))| {
                        let lowers = *to < load.current();
                        if lowers {
                            *to
                        } else {
                            load.worst(now).max(*to)
                        }
                    })
                    .sum();
                let current = circuit.meter.background.worst(phase) + told;
                for index in on_line {
                    let whole_s = self.loads.get(index).map_or(0, |load| load.spec.lease_s);
                    if let Some(borne) = borne.get_mut(index) {
                        let ms = u64::from(whole_s).saturating_mul(1000);
                        *borne &= circuit.meter.bears_for(phase, current, ms);
                    }
                }
            }
        }
        let loads = self.loads.iter().zip(plans).zip(borne);
        loads
            .map(|((load, (to, one_phase)), borne)| load.lease_s(to, one_phase, borne, now))
            .collect()
    }
}

fn tell(
    load: &mut Load,
    (to, one_phase, lease_s): (Milliamps, bool, u32),
    reason: Reason,
    next_command: &mut u64,
    now: Instant,
) -> Action {
    let command = *next_command;
    *next_command += 1;
    let (what, renewal) = load.tell(to, one_phase, lease_s, command, now);
    Action {
        command,
        what,
        renewal,
        reason,
    }
}
