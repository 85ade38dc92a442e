//! Readings of the main meter over time, in steps.

use std::collections::BTreeMap;
use std::ops::Range;

use headroom_core::event::Reading;
use headroom_core::units::{Milliamps, Millivolts, Phase, Watts};
use jiff::Timestamp;
use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::block::What;
use super::record::from_ms;
use super::{Journal, block, sql};
use crate::error::StoreError;

/// Blocks of a page: a few milliseconds of work. A month has some ten thousand.
const BLOCKS: i64 = 64;

/// One step of a timeline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimelinePoint {
    /// When the step begins.
    #[serde(serialize_with = "crate::times::one")]
    pub time: Timestamp,
    /// The lines that the meter has.
    pub phases: Vec<TimelineLine>,
    /// Mean of the total power, in watts; import is positive.
    pub power_w: Option<Watts>,
}

/// One line during one step. What the meter never said is `None`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimelineLine {
    /// Which line.
    pub phase: Phase,
    /// Mean current, in amperes.
    pub current_a: Option<Milliamps>,
    /// Highest current, in amperes: what the fuse felt.
    pub max_a: Option<Milliamps>,
    /// Mean voltage, in volts.
    pub voltage_v: Option<Millivolts>,
    /// Mean power, in watts.
    pub power_w: Option<Watts>,
}

impl Journal {
    /// Steps of `step_ms` from `from` to before `to`, oldest first, at most `limit`; steps without a reading
    /// are left out.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn timeline(
        &self,
        from: Timestamp,
        to: Timestamp,
        step_ms: i64,
        limit: u16,
    ) -> Result<Vec<TimelinePoint>, StoreError> {
        self.flush().await;
        let readers = self.readers()?;
        // All of it as it stands at one moment: inputs move from rows to blocks.
        let mut moment = readers.begin().await?;
        let mut steps: BTreeMap<i64, Step> = BTreeMap::new();
        for statement in [sql::TIMELINE, sql::TIMELINE_OF_MEANS] {
            let rows = sqlx::query(statement)
                .bind(from.as_millisecond())
                .bind(to.as_millisecond())
                .bind(step_ms.max(1))
                .bind(i64::from(limit))
                .fetch_all(&mut *moment)
                .await?;
            for row in &rows {
                steps.entry(row.try_get(0)?).or_default().add(row)?;
            }
        }
        let times = from.as_millisecond()..to.as_millisecond();
        let mut last = (times.start, i64::MIN, i64::MIN);
        loop {
            let blocks: Vec<(i64, i64, i64, Vec<u8>)> = sqlx::query_as(sql::BLOCKS_OF_TIME)
                .bind(last.0)
                .bind(last.1)
                .bind(last.2)
                .bind(times.end)
                .bind(BLOCKS)
                .fetch_all(&mut *moment)
                .await?;
            let Some((last_ms, first_ms, id, _)) = blocks.last() else {
                break;
            };
            last = (*last_ms, *first_ms, *id);
            let times = times.clone();
            // Beside the tasks: reading a month of them takes seconds on a small computer, and the loop waits for nobody.
            let add = move || {
                add_blocks(&mut steps, &blocks, &times, step_ms.max(1));
                steps
            };
            // It is broken off at the end of the program alone.
            let added = tokio::task::spawn_blocking(add).await;
            steps = added.map_err(|_| StoreError::NoJournal)?;
        }
        let steps = steps.into_iter().take(usize::from(limit));
        Ok(steps.map(|(ms, step)| step.point(from_ms(ms))).collect())
    }
}

/// Adds the readings of the main meter that stand in blocks.
fn add_blocks(
    steps: &mut BTreeMap<i64, Step>,
    blocks: &[(i64, i64, i64, Vec<u8>)],
    times: &Range<i64>,
    step_ms: i64,
) {
    let inputs = blocks
        .iter()
        .filter_map(|(_, first_ms, _, body)| block::read(body, *first_ms));
    for input in inputs.flatten() {
        if let What::Reading(reading) = input.what
            && reading.circuit.is_none()
            && times.contains(&input.time_ms)
        {
            let step = input.time_ms / step_ms * step_ms;
            steps.entry(step).or_default().add_reading(&reading);
        }
    }
}

/// A sum and how many values it has.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    sum: i64,
    count: i64,
}

impl Sum {
    fn add(&mut self, row: &SqliteRow, column: usize) -> Result<(), sqlx::Error> {
        if let Some(sum) = row.try_get::<Option<i64>, _>(column)? {
            self.sum = self.sum.saturating_add(sum);
            self.count = self.count.saturating_add(row.try_get(column + 1)?);
        }
        Ok(())
    }

    const fn add_value(&mut self, value: Option<i64>) {
        if let Some(value) = value {
            self.sum = self.sum.saturating_add(value);
            self.count = self.count.saturating_add(1);
        }
    }

    /// The mean, rounded to the nearest.
    const fn mean(self) -> Option<i64> {
        if self.count <= 0 {
            return None;
        }
        let half = self.count / 2;
        Some(self.sum.saturating_add(half).div_euclid(self.count))
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Line {
    current: Sum,
    most: Option<i64>,
    voltage: Sum,
    power: Sum,
}

/// A step as full readings and thinned ones make it up: both may be there where thinning has come to.
#[derive(Clone, Copy, Debug, Default)]
struct Step {
    lines: i64,
    each: [Line; 3],
    power: Sum,
}

/// Columns before the first line's, and of one line.
const HEAD: usize = 2;
const OF_A_LINE: usize = 7;

impl Step {
    fn add(&mut self, row: &SqliteRow) -> Result<(), sqlx::Error> {
        self.lines = self.lines.max(row.try_get(1)?);
        for (index, line) in self.each.iter_mut().enumerate() {
            let first = HEAD + OF_A_LINE * index;
            line.current.add(row, first)?;
            line.most = line.most.max(row.try_get(first + 2)?);
            line.voltage.add(row, first + 3)?;
            line.power.add(row, first + 5)?;
        }
        self.power.add(row, HEAD + OF_A_LINE * self.each.len())
    }

    fn add_reading(&mut self, reading: &Reading) {
        let lines = i64::try_from(reading.phases.len()).unwrap_or(i64::MAX);
        self.lines = self.lines.max(lines);
        for (line, said) in self.each.iter_mut().zip(&reading.phases) {
            let said = said.unwrap_or_default();
            let current = said.current_a.map(|it| it.0);
            line.current.add_value(current);
            line.most = line.most.max(current);
            line.voltage.add_value(said.voltage_v.map(|it| it.0));
            line.power.add_value(said.power_w.map(|it| it.0));
        }
        self.power.add_value(reading.power_w.map(|it| it.0));
    }

    fn point(self, time: Timestamp) -> TimelinePoint {
        let lines = usize::try_from(self.lines).unwrap_or(0);
        let phases = Phase::ALL.into_iter().zip(self.each).take(lines);
        TimelinePoint {
            time,
            phases: phases
                .map(|(phase, line)| TimelineLine {
                    phase,
                    current_a: line.current.mean().map(Milliamps),
                    max_a: line.most.map(Milliamps),
                    voltage_v: line.voltage.mean().map(Millivolts),
                    power_w: line.power.mean().map(Watts),
                })
                .collect(),
            power_w: self.power.mean().map(Watts),
        }
    }
}
