//! Steps of the loads between two calm times, as the meter sees them.
//!
//! Only what follows a command counts: a car that begins by itself may do so at the same hour as the house. What lies
//! before and after a step is the median of some readings, taken while every load says the same.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::evidence::{largest, tells};
use crate::event::ChargerStatus;
use crate::load::{Kind, Load, REACTION_MS};
use crate::units::{Instant, Milliamps, PerPhase, Phase};

/// Readings that a median needs.
const READINGS: usize = 3;
/// Readings that are enough for one.
const ENOUGH: usize = 9;
/// Readings over this time are enough too, in milliseconds.
const ENOUGH_MS: u64 = 20_000;
/// Older readings say nothing of now, in milliseconds.
const OLD_MS: u64 = 40_000;
/// A load whose reported current changes by no more is steady.
const STEADY: Milliamps = Milliamps(500);
/// A reading that comes this long after the first of two equal reports was taken after the change, in milliseconds.
const LAG_MS: u64 = 5_000;
/// A car that has not come near what it was told by then takes no more, in milliseconds…
const FOLLOW_MS: u64 = 45_000;
/// …and near is this.
const NEAR: Milliamps = Milliamps::from_amps(1);
/// A change of a load's current later than this after its command has another cause, in milliseconds.
const CAUSE_MS: u64 = 60_000;
/// A step that takes longer tells nothing, in milliseconds.
const STEP_MS: u64 = 120_000;
/// Loads of unknown wiring that may move in one step.
const UNSURE_MAX: usize = 3;
/// Two lines that rise together within this time may be a car that begins to draw from them, in milliseconds…
const RISE_MS: u64 = 15_000;
/// …if both rise by these tenths of what it draws.
const RISE_TENTHS: i64 = 6;
/// Readings that are kept to see it.
const RECENT: usize = 32;

/// A load's word when it was last steady.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Mark {
    currents: Option<Vec<Milliamps>>,
    /// The newest report.
    reported: Option<Instant>,
    /// The report that told another current last.
    moved: Option<Instant>,
    /// When it was told something else last.
    told: Option<Instant>,
}

/// A step that is under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Step {
    began: Instant,
    lines: PerPhase<Milliamps>,
    currents: Vec<Option<Vec<Milliamps>>>,
}

/// Waits for steps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Watch {
    /// Readings while every load is steady.
    calm: VecDeque<(Instant, PerPhase<Milliamps>)>,
    recent: VecDeque<(Instant, PerPhase<Milliamps>)>,
    marks: Vec<Mark>,
    step: Option<Step>,
}

impl Watch {
    /// Begins anew: the loads are others.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Follows what the loads were told and say. Returns whether a load counts on other lines now.
    pub fn follow(&mut self, loads: &mut [Load], now: Instant) -> bool {
        if !loads.iter().any(Load::is_unmapped) {
            return false;
        }
        if self.marks.len() != loads.len() {
            self.forget();
            self.marks.resize_with(loads.len(), Mark::default);
        }
        let mut told: Option<Instant> = None;
        for (load, mark) in loads.iter().zip(&mut self.marks) {
            if load.changed_at() != mark.told {
                mark.told = load.changed_at();
                told = Some(told.unwrap_or(now).min(mark.told.unwrap_or(now)));
            }
        }
        let mut changes = false;
        if let Some(told) = told {
            changes |= self.end(loads);
            self.begin(told);
        }
        let mut other_cause = false;
        for (load, mark) in loads.iter_mut().zip(&mut self.marks) {
            let report = load
                .measured_at()
                .filter(|at| mark.reported != Some(*at))
                .map(|at| (at, load.currents()));
            if let Some((at, currents)) = report {
                mark.reported = Some(at);
                if moved(mark.currents.as_deref(), currents.as_deref()) {
                    let caused = mark.told.is_some_and(|told| at.since_ms(told) <= CAUSE_MS);
                    other_cause |= !caused;
                    mark.moved = Some(at);
                    mark.currents = currents;
                }
            }
            if load.is_unmapped() {
                changes |= follow(load);
            }
        }
        if other_cause {
            self.step = None;
            self.calm.clear();
        }
        changes
    }

    /// Takes a reading of all lines; `over`: those that carry more than they may. Returns whether a load counts on
    /// other lines now.
    pub fn read(
        &mut self,
        lines: PerPhase<Milliamps>,
        over: PerPhase<bool>,
        loads: &mut [Load],
        now: Instant,
    ) -> bool {
        if self.marks.len() != loads.len() || !loads.iter().any(Load::is_unmapped) {
            return false;
        }
        let mut changes = self.doubt(lines, over, loads, now);
        if !self.is_calm(loads, now) {
            return changes;
        }
        let old = |at: &Instant| now.since_ms(*at) > OLD_MS;
        while self.calm.front().is_some_and(|(at, _)| old(at)) || self.calm.len() >= ENOUGH {
            self.calm.pop_front();
        }
        self.calm.push_back((now, lines));
        let first = self.calm.front().map_or(now, |(at, _)| *at);
        let long = self.calm.len() >= READINGS && now.since_ms(first) >= ENOUGH_MS;
        if long || self.calm.len() >= ENOUGH {
            changes |= self.end(loads);
        }
        changes
    }

    /// Whether every load is steady and nothing is under way: a step now would be seen well.
    pub fn is_ready(&self, loads: &[Load], now: Instant) -> bool {
        self.marks.len() == loads.len()
            && self.step.is_none()
            && median(&self.calm, now).is_some()
            && self.is_calm(loads, now)
    }

    /// Whether a step that began not long ago is still to be seen.
    pub fn is_busy(&self, now: Instant) -> bool {
        let young = |step: &Step| now.since_ms(step.began) <= STEP_MS;
        self.step.as_ref().is_some_and(young)
    }

    /// Doubts a car that may have begun to draw from other terminals: the lines tell it before the charger does.
    fn doubt(
        &mut self,
        lines: PerPhase<Milliamps>,
        over: PerPhase<bool>,
        loads: &mut [Load],
        now: Instant,
    ) -> bool {
        let old = |at: &Instant| now.since_ms(*at) > RISE_MS;
        while self.recent.front().is_some_and(|(at, _)| old(at)) || self.recent.len() >= RECENT {
            self.recent.pop_front();
        }
        let recent = &self.recent;
        let rise = |phase: Phase| {
            let lowest = recent.iter().map(|(_, before)| before.get(phase)).min();
            lowest.map_or(Milliamps::ZERO, |lowest| lines.get(phase) - lowest)
        };
        let mut changes = false;
        for load in loads.iter_mut().filter(|load| load.is_unmapped()) {
            let Some(own) = load.rotation.lines() else {
                continue;
            };
            let others = || Phase::ALL.into_iter().filter(|phase| !own.contains(phase));
            let draw = load.draw().unwrap_or_default().max(load.spec.least);
            let enough = Milliamps(draw.0 / 10 * RISE_TENTHS);
            if others().count() > 1
                && others().any(|phase| over.get(phase))
                && others().all(|phase| rise(phase) >= enough)
            {
                changes |= load.rotation.doubt();
            }
        }
        self.recent.push_back((now, lines));
        changes
    }

    /// Whether every load does steadily what it was told.
    fn is_calm(&self, loads: &[Load], now: Instant) -> bool {
        loads.iter().zip(&self.marks).all(|(load, mark)| {
            if !load.link.is_connected() {
                return true;
            }
            let answered = mark.told.is_none_or(|told| {
                let since = now.since_ms(told);
                let answered = load
                    .measured_at()
                    .is_some_and(|at| at.since_ms(told) >= REACTION_MS);
                let near = load.spec.kind == Kind::SlowLoad
                    || load
                        .draw()
                        .is_some_and(|draw| (draw - load.current()).abs() <= NEAR);
                since >= REACTION_MS
                    && (answered || since >= CAUSE_MS)
                    && (near || since >= FOLLOW_MS)
            });
            let steady = mark
                .moved
                .is_none_or(|moved| mark.reported > Some(moved) && now.since_ms(moved) >= LAG_MS);
            answered && steady
        })
    }

    /// A load was told something: a step begins, or the one under way grows.
    fn begin(&mut self, at: Instant) {
        let late = |step: &Step| at.since_ms(step.began) > STEP_MS;
        if self.step.as_ref().is_some_and(late) {
            self.step = None;
        }
        if let Some(lines) = median(&self.calm, at) {
            self.step = Some(Step {
                began: at,
                lines,
                currents: self
                    .marks
                    .iter()
                    .map(|mark| mark.currents.clone())
                    .collect(),
            });
        }
        self.calm.clear();
    }

    /// Ends a step, if it is calm again, and lets its loads learn from it.
    fn end(&mut self, loads: &mut [Load]) -> bool {
        let Some(now) = self.calm.back().map(|(at, _)| *at) else {
            return false;
        };
        let Some(after) = median(&self.calm, now) else {
            return false;
        };
        let Some(step) = self.step.take() else {
            return false;
        };
        if now.since_ms(step.began) > STEP_MS {
            return false;
        }
        let gain = after.zip_with(&step.lines, |after, before| after - before);
        self.learn(&step, gain, loads).unwrap_or(false)
    }

    /// `None`: the step tells nothing, since a load's part in it is not known.
    fn learn(
        &self,
        step: &Step,
        mut gain: PerPhase<Milliamps>,
        loads: &mut [Load],
    ) -> Option<bool> {
        // Loads of unknown wiring with the change of each of their terminals.
        let mut unsure: Vec<(usize, Vec<Milliamps>)> = Vec::new();
        for (index, ((load, mark), before)) in loads
            .iter()
            .zip(&self.marks)
            .zip(&step.currents)
            .enumerate()
        {
            let told = mark.told >= Some(step.began);
            let (before, after) = match (before, &mark.currents) {
                (None, None) if !told => continue,
                (Some(before), Some(after)) if before.len() == after.len() => (before, after),
                _ => return None,
            };
            let heard = mark.told.zip(mark.reported);
            if told && heard.is_none_or(|(told, at)| at.since_ms(told) < REACTION_MS) {
                return None;
            }
            let change: Vec<Milliamps> = after.iter().zip(before).map(|(a, b)| *a - *b).collect();
            let by_map = load
                .spec
                .map
                .as_ref()
                .filter(|map| map.len() == change.len());
            if let Some(map) = by_map {
                for (phase, change) in map.iter().zip(&change) {
                    *gain.get_mut(*phase) -= *change;
                }
            } else if load.spec.kind == Kind::Charger && is_even(before) && is_even(after) {
                gain = gain.map(|gain| gain - largest(&change));
            } else if largest(&change).abs() >= STEADY {
                if !load.is_unmapped() {
                    return None;
                }
                unsure.push((index, change));
            }
        }
        if unsure.len() > UNSURE_MAX {
            return None;
        }
        let mut changes = false;
        for (index, change) in &unsure {
            let told = self
                .marks
                .get(*index)
                .is_some_and(|mark| mark.told >= Some(step.began));
            if !told || !tells(change) {
                continue;
            }
            let mut gains = vec![gain];
            for (other, part) in unsure.iter().filter(|(other, _)| other != index) {
                let reaches = loads.get(*other)?.rotation.evidence().reaches(part);
                gains = gains
                    .iter()
                    .flat_map(|gain| {
                        let less = |reach: &PerPhase<Milliamps>| gain.zip_with(reach, |g, r| g - r);
                        reaches.iter().map(less).collect::<Vec<_>>()
                    })
                    .collect();
            }
            changes |= loads.get_mut(*index)?.rotation.judge(change, &gains);
        }
        Some(changes)
    }
}

fn follow(load: &mut Load) -> bool {
    let there = matches!(
        load.status,
        ChargerStatus::Charging | ChargerStatus::SuspendedEv | ChargerStatus::SuspendedEvse
    );
    let present = there && load.link.is_connected();
    if present && load.rotation.has_heard(load.measured_at()) {
        return false;
    }
    let currents = load.currents();
    let report = load.measured_at().zip(currents.as_deref());
    load.rotation.follow(present, report)
}

fn moved(before: Option<&[Milliamps]>, after: Option<&[Milliamps]>) -> bool {
    match (before, after) {
        (None, None) => false,
        (Some(before), Some(after)) if before.len() == after.len() => before
            .iter()
            .zip(after)
            .any(|(before, after)| (*after - *before).abs() > STEADY),
        _ => true,
    }
}

/// Whether it draws the same from all three lines, whatever their order.
fn is_even(currents: &[Milliamps]) -> bool {
    let most = currents.iter().copied().max().unwrap_or_default();
    let least = currents.iter().copied().min().unwrap_or_default();
    currents.len() == Phase::ALL.len() && most - least <= STEADY
}

/// The middle of each line over the readings that are not old.
fn median(
    readings: &VecDeque<(Instant, PerPhase<Milliamps>)>,
    now: Instant,
) -> Option<PerPhase<Milliamps>> {
    let mut median = PerPhase::default();
    for phase in Phase::ALL {
        let mut values: Vec<Milliamps> = readings
            .iter()
            .filter(|(at, _)| now.since_ms(*at) <= OLD_MS)
            .map(|(_, lines)| lines.get(phase))
            .collect();
        if values.len() < READINGS {
            return None;
        }
        values.sort_unstable();
        *median.get_mut(phase) = values.get(values.len() / 2).copied()?;
    }
    Some(median)
}
