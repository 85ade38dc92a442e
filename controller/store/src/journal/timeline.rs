//! Readings of the main meter over time, in steps.

use headroom_core::units::{Milliamps, Millivolts, Phase, Watts};
use jiff::Timestamp;
use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::record::from_ms;
use super::{Journal, sql};
use crate::error::StoreError;

/// One step of a timeline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimelinePoint {
    /// When the step begins.
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
        let rows = sqlx::query(sql::TIMELINE)
            .bind(from.as_millisecond())
            .bind(to.as_millisecond())
            .bind(step_ms.max(1))
            .bind(i64::from(limit))
            .fetch_all(&self.readers()?)
            .await?;
        Ok(rows.iter().map(point).collect::<Result<Vec<_>, _>>()?)
    }
}

fn point(row: &SqliteRow) -> Result<TimelinePoint, sqlx::Error> {
    let lines: i64 = row.try_get(1)?;
    let mut phases = Vec::new();
    for (index, phase) in Phase::ALL.into_iter().enumerate() {
        if i64::try_from(index).is_ok_and(|index| index < lines) {
            let first = 2 + 4 * index;
            phases.push(TimelineLine {
                phase,
                current_a: mean(row, first)?.map(Milliamps),
                max_a: row.try_get::<Option<i64>, _>(first + 1)?.map(Milliamps),
                voltage_v: mean(row, first + 2)?.map(Millivolts),
                power_w: mean(row, first + 3)?.map(Watts),
            });
        }
    }
    let power_w = mean(row, 14)?.map(Watts);
    Ok(TimelinePoint {
        time: from_ms(row.try_get(0)?),
        phases,
        power_w,
    })
}

fn mean(row: &SqliteRow, column: usize) -> Result<Option<i64>, sqlx::Error> {
    let mean: Option<f64> = row.try_get(column)?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the mean of integers that were stored"
    )]
    Ok(mean.map(|mean| mean.round() as i64))
}
