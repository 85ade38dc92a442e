//! One meter: what it last said, how fresh that is, and whether it can be believed.
//!
//! Freshness comes from the data: a reading that is the same in every value for too long counts as one
//! stale reading, however often it comes. Power alone does not refresh a meter that sends currents.

mod intervals;

use serde::{Deserialize, Serialize};

use crate::background::{Background, DrawBounds};
use crate::config::{Grid, Site, Tuning};
use crate::event::{PhaseReading, Reading};
use crate::fuse::{Class, Fuse};
use crate::it::ThreeWire;
use crate::snapshot::Source;
use crate::units::{Instant, Milliamps, PerPhase, Phase, Watts};
use intervals::Intervals;

/// Readings with currents that must have come before anything is raised.
pub const READINGS_TO_RAISE: u32 = 3;
/// A meter is stale after this many of its periods…
const STALE_PERIODS: u64 = 3;
/// …within these bounds, in milliseconds.
const STALE_MS: std::ops::RangeInclusive<u64> = 5_000..=30_000;
/// This many readings that are the same in every value may be frozen.
const FROZEN_READINGS: u32 = 5;
/// A charger's current that moved by this while the meter said the same proves that it is frozen.
pub const FROZEN_MOVE: Milliamps = Milliamps::from_amps(2);

/// Ports whose period is longer than this have a slow line, in milliseconds.
const SLOW_PERIOD_MS: u64 = 5_000;
/// Age of a sample when the last byte of its telegram comes at 2400 baud, in milliseconds.
const SAMPLE_AGE_MS: u64 = 2_000;

/// A reading counts as lost this long after it was due.
const fn grace_ms(period: u64) -> u64 {
    let quarter = period / 4;
    if quarter < 500 { 500 } else { quarter }
}

/// Readings that should have come since the last one.
fn missed(age_ms: u64, period: u64) -> u64 {
    age_ms.saturating_sub(grace_ms(period)) / period.max(1)
}

/// How fresh a meter's word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Nothing yet.
    Waiting,
    /// Young enough to act upon.
    Fresh,
    /// Too old, or frozen.
    Stale,
    /// Nothing for too long.
    Lost,
}

/// One meter and the overcurrent device that it stands for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Meter {
    since: Instant,
    good: u32,
    last_currents: Option<Instant>,
    last_any: Option<Instant>,
    intervals: Intervals,
    newest: Option<Reading>,
    same_since: Instant,
    same_count: u32,
    fine_voltage: bool,
    measured: PerPhase<Option<Milliamps>>,
    source: PerPhase<Source>,
    line_at: PerPhase<Option<Instant>>,
    /// Total power of the newest reading with currents, and what the loads drew then at least.
    power_then: Option<(Watts, Milliamps)>,
    /// Times between readings that tell the total power.
    power_intervals: Intervals,
    last_power: Option<Instant>,
    /// What the power alone says that each line may have gained since.
    gained: Milliamps,
    /// The current that no configured load draws.
    pub background: Background,
    fuses: PerPhase<Option<Fuse>>,
    partial: bool,
}

impl Meter {
    /// A meter that has not said anything yet.
    pub fn new(class: Class, rating: PerPhase<Milliamps>, now: Instant) -> Self {
        Self {
            since: now,
            good: 0,
            last_currents: None,
            last_any: None,
            intervals: Intervals::default(),
            newest: None,
            same_since: now,
            same_count: 0,
            fine_voltage: false,
            measured: PerPhase::default(),
            source: PerPhase::all(Source::Measured),
            line_at: PerPhase::default(),
            power_then: None,
            power_intervals: Intervals::default(),
            last_power: None,
            gained: Milliamps::ZERO,
            background: Background::default(),
            fuses: rating.map(|rating| Fuse::new(class, rating)),
            partial: false,
        }
    }

    /// Takes another device in its place; its warmth stays where it can.
    pub fn replace_fuse(&mut self, class: Class, rating: PerPhase<Milliamps>) {
        for phase in Phase::ALL {
            let mut fuse = Fuse::new(class, rating.get(phase));
            let slot = self.fuses.get_mut(phase);
            if let (Some(new), Some(old)) = (&mut fuse, slot.as_ref()) {
                new.warm_as(old);
            }
            *slot = fuse;
        }
    }

    /// Its fuse may have carried its rating for long before anybody looked.
    pub fn presume_warm(&mut self, rating: PerPhase<Milliamps>) {
        for phase in Phase::ALL {
            if let Some(fuse) = self.fuses.get_mut(phase) {
                fuse.presume(rating.get(phase));
            }
        }
    }

    /// Takes a reading. Returns whether it differs from the one before in any value.
    pub fn take(
        &mut self,
        reading: &Reading,
        draw: &DrawBounds,
        site: &Site,
        now: Instant,
    ) -> bool {
        let (grid, tuning) = (site.grid, &site.tuning);
        let lines = currents(reading, grid);
        let has_any = lines.0.iter().any(|(current, _)| current.is_some());
        // A list of powers between the lists of currents says nothing of whether these are frozen.
        let tells = has_any || self.last_currents.is_none();
        let changed = tells && self.newest.as_ref() != Some(reading);
        if changed {
            self.same_since = now;
            self.same_count = 1;
            self.newest = Some(reading.clone());
        } else if tells {
            self.same_count = self.same_count.saturating_add(1);
        }
        self.fine_voltage |= reading
            .phases
            .iter()
            .flatten()
            .filter_map(|phase| phase.voltage_v)
            .any(|voltage| voltage.0 % 1000 != 0);
        if self.freshness(tuning, now) == Freshness::Lost {
            self.good = 0;
            self.intervals.clear();
            self.power_intervals.clear();
        }
        self.last_any = Some(now);
        self.take_power(reading, has_any, draw, site, now);

        for phase in Phase::ALL {
            let (current, source) = lines.get(phase);
            if current.is_some() {
                self.warm(phase, current, now);
                *self.measured.get_mut(phase) = current;
                *self.source.get_mut(phase) = source;
                *self.line_at.get_mut(phase) = Some(now);
            }
        }
        let complete = grid
            .phases()
            .iter()
            .all(|phase| lines.get(*phase).0.is_some());
        // A list without any current says nothing of the lines; one with some of them is partial.
        if tells {
            let measured = |phase: &Phase| lines.get(*phase).1 == Source::Measured;
            self.partial = !complete || !grid.phases().iter().all(measured);
        }
        if complete {
            if let Some(last) = self.last_currents {
                self.intervals.remember(now.since_ms(last));
            }
            self.last_currents = Some(now);
            self.good = self.good.saturating_add(1);
        }
        let hold_ms = u64::from(tuning.hold_s).saturating_mul(1000);
        let draw = DrawBounds {
            tells_within_ms: self.waits_ms(draw.tells_within_ms),
            ..*draw
        };
        self.background
            .observe(lines.map(|(current, _)| current), &draw, hold_ms, now);
        changed
    }

    /// Takes what the loads say now that they drew at most at the time of the newest reading. Says whether that changes
    /// the background.
    pub fn heed(
        &mut self,
        stated: &PerPhase<Milliamps>,
        tells_within_ms: u64,
        now: Instant,
    ) -> bool {
        let waits_ms = self.waits_ms(tells_within_ms);
        self.background.heed(stated, waits_ms, now)
    }

    /// A fuse does not wait for a load's word longer than its time constant.
    fn waits_ms(&self, tells_within_ms: u64) -> u64 {
        let fuses = Phase::ALL.iter();
        let fuses = fuses.filter_map(|phase| self.fuses.get_ref(*phase).as_ref());
        let bears_ms = fuses.map(Fuse::time_constant_ms).min();
        bears_ms.map_or(tells_within_ms, |ms| ms.min(tells_within_ms))
    }

    /// Learns what the total power says. Between two readings with currents, a gain that the loads cannot
    /// have made may be on any line.
    fn take_power(
        &mut self,
        reading: &Reading,
        with_currents: bool,
        draw: &DrawBounds,
        site: &Site,
        now: Instant,
    ) {
        let Some(power) = reading.power_w else {
            if with_currents {
                (self.power_then, self.gained) = (None, Milliamps::ZERO);
            }
            return;
        };
        if let Some(last) = self.last_power.replace(now) {
            self.power_intervals.remember(now.since_ms(last));
        }
        if with_currents {
            self.power_then = Some((power, sum(&draw.low)));
            self.gained = Milliamps::ZERO;
            return;
        }
        let Some((power_then, loads_then)) = self.power_then else {
            return;
        };
        let voltage = site.nominal_voltage_v;
        let more = Milliamps::from_power(power - power_then, voltage, 1);
        let loads = sum(&draw.high) - loads_then;
        let by_loads = if site.grid == Grid::It3ph {
            // A load between two lines counts on both of them.
            Milliamps(loads.0 / 2)
        } else {
            loads
        };
        self.gained = (more - by_loads.max(Milliamps::ZERO)).max(Milliamps::ZERO);
    }

    /// What each line may have gained since its current was measured, by the total power.
    pub const fn gained(&self) -> Milliamps {
        self.gained
    }

    fn warm(&mut self, phase: Phase, current: Option<Milliamps>, now: Instant) {
        let before = self.measured.get(phase);
        let since = self.line_at.get(phase);
        if let (Some(fuse), Some(current), Some(since)) =
            (self.fuses.get_mut(phase).as_mut(), current, since)
        {
            // In between the higher of the two counts.
            let between = current.max(before.unwrap_or(current));
            fuse.advance(between, now.since_ms(since));
        }
    }

    /// Learnt time between readings with currents, in milliseconds.
    pub fn period_ms(&self) -> Option<u64> {
        self.intervals.median()
    }

    /// Age at which its word is stale, in milliseconds.
    pub fn stale_after_ms(&self, tuning: &Tuning) -> u64 {
        tuning.stale_after_s.map_or_else(
            || {
                self.period_ms().map_or(*STALE_MS.end(), |period| {
                    period
                        .saturating_mul(STALE_PERIODS)
                        .clamp(*STALE_MS.start(), *STALE_MS.end())
                })
            },
            |seconds| u64::from(seconds).saturating_mul(1000),
        )
    }

    /// When the newest reading came that counts: one with currents, from a meter that sends them.
    pub fn last(&self) -> Option<Instant> {
        self.last_currents.or(self.last_any)
    }

    /// Whether it has said the same for too long, while the house moved or its voltages should have.
    pub fn is_frozen(&self, tuning: &Tuning, loads_moved: bool, now: Instant) -> bool {
        let long = now.since_ms(self.same_since) >= u64::from(tuning.frozen_after_s) * 1000;
        long && self.same_count >= FROZEN_READINGS && (self.fine_voltage || loads_moved)
    }

    /// When the newest reading with the currents of all lines came.
    pub const fn last_currents(&self) -> Option<Instant> {
        self.last_currents
    }

    /// How fresh its word is by age alone.
    pub fn freshness(&self, tuning: &Tuning, now: Instant) -> Freshness {
        let lost_ms = u64::from(tuning.lost_after_s).saturating_mul(1000);
        let Some(last) = self.last() else {
            let waited = now.since_ms(self.since);
            return if waited >= lost_ms {
                Freshness::Lost
            } else {
                Freshness::Waiting
            };
        };
        let age = now.since_ms(last);
        if age >= lost_ms {
            Freshness::Lost
        } else if age >= self.stale_after_ms(tuning) {
            Freshness::Stale
        } else {
            Freshness::Fresh
        }
    }

    /// When its freshness changes by the passing of time alone, or it counts as frozen.
    pub fn next_change(&self, tuning: &Tuning, now: Instant) -> Option<Instant> {
        let lost_ms = u64::from(tuning.lost_after_s).saturating_mul(1000);
        let from = self.last().unwrap_or(self.since);
        let frozen = self.same_since.after_s(tuning.frozen_after_s);
        let mut times = vec![from.after_ms(lost_ms), frozen];
        if self.last().is_some() {
            let stale = from.after_ms(self.stale_after_ms(tuning));
            times.push(stale);
            times.extend(self.late_at(now).filter(|late| *late < stale));
        }
        times.into_iter().filter(|time| *time > now).min()
    }

    /// Whether something may be raised on its word: enough readings with currents, the newest of them
    /// not older than 1.5 periods.
    pub fn allows_raising(&self, now: Instant) -> bool {
        let Some((last, period)) = self.last_currents.zip(self.period_ms()) else {
            return false;
        };
        self.good >= READINGS_TO_RAISE
            && now.since_ms(last).saturating_mul(2) <= period.saturating_mul(3)
    }

    /// Whether enough readings with currents have come.
    pub const fn has_started(&self) -> bool {
        self.good >= READINGS_TO_RAISE
    }

    /// Whether the newest reading leaves out a line, or has it only by its worst case.
    pub const fn is_partial(&self) -> bool {
        self.partial
    }

    /// The last current of a line.
    pub fn measured(&self, phase: Phase) -> Option<Milliamps> {
        self.measured.get(phase)
    }

    /// Where the last current of a line came from.
    pub fn source(&self, phase: Phase) -> Source {
        self.source.get(phase)
    }

    /// Age of the last current of a line, in milliseconds.
    pub fn line_age_ms(&self, phase: Phase, now: Instant) -> Option<u64> {
        self.line_at.get(phase).map(|at| now.since_ms(at))
    }

    /// The longest time from a step of the house to a reading that shows it, in milliseconds: until the next
    /// reading is due, and the age of the sample itself where the line is slow. A reading that is late counts as
    /// lost, and makes it one period more. `None` before the period is known.
    ///
    /// A total power that comes more often than the currents shows the step too.
    pub fn sees_after_ms(&self, now: Instant) -> Option<u64> {
        let currents = self.period_ms()?;
        let last = self.last_currents?;
        let power = self
            .power_intervals
            .median()
            .filter(|period| *period < currents);
        let (period, last) = match (power, self.last_power) {
            (Some(power), Some(at)) => (power, at.max(last)),
            _ => (currents, last),
        };
        let missed = missed(now.since_ms(last), period);
        let age = if period >= SLOW_PERIOD_MS {
            SAMPLE_AGE_MS
        } else {
            0
        };
        Some(period.saturating_mul(1 + missed).saturating_add(age))
    }

    /// When the next reading that does not come counts as lost.
    pub fn late_at(&self, now: Instant) -> Option<Instant> {
        let (period, last) = self.period_ms().zip(self.last_currents)?;
        let next = missed(now.since_ms(last), period) + 1;
        Some(last.after_ms(next.saturating_mul(period).saturating_add(grace_ms(period))))
    }

    /// The highest level of a line from which a step keeps its fuse below a share of its threshold; `None`:
    /// there is no model of it. See [`Fuse::level`].
    pub fn level(
        &self,
        phase: Phase,
        step: Milliamps,
        reaction_ms: u64,
        share: f64,
    ) -> Option<Milliamps> {
        let fuse = self.fuses.get_ref(phase).as_ref()?;
        Some(fuse.level(step, reaction_ms, share))
    }

    /// Whether a line's fuse bears, beside `from`, what the total power says that the line may have gained until
    /// its current is measured again, and a step more after that. See [`Fuse::bears`].
    pub fn bears_gain(
        &self,
        phase: Phase,
        from: Milliamps,
        step: (Milliamps, u64),
        share: f64,
        now: Instant,
    ) -> bool {
        let fuse = self.fuses.get_ref(phase).as_ref();
        let known = fuse.zip(self.period_ms()).zip(self.last_currents);
        known.is_some_and(|((fuse, period), last)| {
            let periods = 1 + missed(now.since_ms(last), period);
            let wait = period.saturating_mul(periods) + grace_ms(period) + SAMPLE_AGE_MS;
            fuse.bears((from, from + self.gained, wait), step, share)
        })
    }

    /// Whether a line's fuse bears a current for a time from now on; one without a model is not asked.
    pub fn bears_for(&self, phase: Phase, current: Milliamps, ms: u64) -> bool {
        let fuse = self.fuses.get_ref(phase).as_ref();
        fuse.is_none_or(|fuse| fuse.bears_for(current, ms))
    }

    /// Whether a line's fuse has mostly forgotten within this time what it carried before.
    pub fn forgets_within(&self, phase: Phase, ms: u64) -> bool {
        let fuse = self.fuses.get_ref(phase).as_ref();
        fuse.is_some_and(|fuse| fuse.time_constant_ms() < ms)
    }

    /// Thermal state of a line's fuse.
    pub fn thermal(&self, phase: Phase) -> Option<f64> {
        self.fuses.get_ref(phase).as_ref().map(Fuse::share)
    }
}

fn sum(lines: &PerPhase<Milliamps>) -> Milliamps {
    lines.0.iter().copied().sum()
}

/// The current of each line, as far as the reading says it.
fn currents(reading: &Reading, grid: Grid) -> PerPhase<(Option<Milliamps>, Source)> {
    let sent = |phase: Phase| {
        reading
            .phases
            .get(phase.index())
            .copied()
            .flatten()
            .and_then(|phase: PhaseReading| phase.current_a)
    };
    let mut lines = PerPhase(Phase::ALL.map(|phase| (sent(phase), Source::Measured)));
    if grid == Grid::It3ph
        && sent(Phase::L2).is_none()
        && let (Some(l1), Some(l3)) = (sent(Phase::L1), sent(Phase::L3))
    {
        // Three wires without neutral: the currents add to nothing as phasors (Kirchhoff), so the
        // missing one is at most the sum of the others.
        *lines.get_mut(Phase::L2) = match three_wire(reading, l1, l3).and_then(|said| said.l2()) {
            Some(rebuilt) => (Some(rebuilt), Source::Rebuilt),
            None => (Some(l1 + l3), Source::WorstCase),
        };
    }
    lines
}

/// What the current of L2 can be rebuilt from; three-wire meters send U12 as L1, U13 as L2 and U32 as L3.
fn three_wire(reading: &Reading, l1: Milliamps, l3: Milliamps) -> Option<ThreeWire> {
    let voltage = |phase: Phase| {
        let values = reading.phases.get(phase.index()).copied().flatten();
        values.and_then(|values| values.voltage_v)
    };
    Some(ThreeWire {
        l1,
        l3,
        u12: voltage(Phase::L1)?,
        u32: voltage(Phase::L3)?,
        u13: voltage(Phase::L2),
        power: reading.power_w?,
        reactive: reading.reactive_var?,
    })
}
