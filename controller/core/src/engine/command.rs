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
        let holds = self.leases(&targets, now);
        let mut actions = Vec::new();
        for target in &targets {
            let (Some(load), Some(lease_s)) =
                (self.loads.get_mut(target.load), holds.get(target.load))
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
        let loads = self.loads.iter_mut().zip(holds).zip(repeats);
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
        let to = |index: usize| targets.iter().find(|it| it.load == index).map(|it| it.to);
        let ends_at: Vec<Milliamps> = self
            .loads
            .iter()
            .enumerate()
            .map(|(index, load)| to(index).unwrap_or_else(|| load.current()))
            .collect();
        let mut borne = vec![true; self.loads.len()];
        for (place, circuit) in self
            .circuits
            .iter()
            .enumerate()
            .filter(|(_, it)| it.metered)
        {
            for &phase in self.config.site.grid.phases() {
                let on_line = || {
                    let counts = |load: &Load| {
                        feeds(&self.circuits, place, &load.spec.circuit)
                            && load.may_draw_from().contains(&phase)
                    };
                    let loads = self.loads.iter().zip(&ends_at).enumerate();
                    loads.filter(move |(_, (load, _))| counts(load))
                };
                let told: Milliamps = on_line()
                    .map(|(_, (load, ends_at))| load.worst(now).max(*ends_at))
                    .sum();
                let meter = &circuit.meter;
                let current = meter.background.worst(phase) + told;
                for (index, (load, _)) in on_line() {
                    let whole_ms = u64::from(load.spec.lease_s).saturating_mul(1000);
                    if let Some(borne) = borne.get_mut(index) {
                        *borne &= meter.bears_for(phase, current, whole_ms);
                    }
                }
            }
        }
        let loads = self.loads.iter().zip(ends_at).zip(borne);
        loads
            .map(|((load, to), borne)| load.lease_s(to, borne))
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
