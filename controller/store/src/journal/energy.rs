//! Energy per load and quarter of an hour: written again and again while the slot runs, read as sums.

use headroom_core::{Phase, ReasonCode};
use jiff::Timestamp;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as DeError, StrDeserializer};
use sqlx::sqlite::SqliteConnection;

use super::record::Record;
use super::{Journal, rows, sql};
use crate::energy::{Cause, EnergyRow};
use crate::error::StoreError;

/// The energy of a load, or of the house, over some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadEnergy {
    /// The load; `None`: what the house took from the net.
    pub load: Option<String>,
    /// Received, in milliwatt-hours.
    pub mwh: i64,
    /// What it would have received besides, in milliwatt-hours, by what it lost it to; the most first.
    pub lost: Vec<(Cause, i64)>,
}

impl Journal {
    /// Notes the energy of running slots, from [`crate::EnergyMeter`]. Never blocks.
    pub fn energy_rows(&self, rows: Vec<EnergyRow>) {
        if !rows.is_empty() {
            self.record(Record::Energy(rows));
        }
    }

    /// The energy of the slots that begin from `from` to before `to`: the house first, then each load by its id.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn energy(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<LoadEnergy>, StoreError> {
        let readers = self.readers()?;
        let (from, to) = (from.as_millisecond(), to.as_millisecond());
        let sums: Vec<(String, i64)> = sqlx::query_as(sql::ENERGY)
            .bind(from)
            .bind(to)
            .fetch_all(&readers)
            .await?;
        let lost: Vec<(String, String, String, String, String, i64)> =
            sqlx::query_as(sql::CURTAILED)
                .bind(from)
                .bind(to)
                .fetch_all(&readers)
                .await?;
        let mut loads: Vec<_> = sums
            .into_iter()
            .map(|(load, mwh)| LoadEnergy {
                load: some(load),
                mwh,
                lost: Vec::new(),
            })
            .collect();
        for (load, code, phase, circuit, other, mwh) in lost {
            let load = some(load);
            // A newer version may have had a reason that this one does not know.
            let Some(code) = variant::<ReasonCode>(&code) else {
                continue;
            };
            let cause = Cause {
                code,
                phase: variant::<Phase>(&phase),
                circuit: some(circuit),
                load: some(other),
            };
            if let Some(found) = loads.iter_mut().find(|found| found.load == load) {
                found.lost.push((cause, mwh));
            }
        }
        Ok(loads)
    }

    /// When the first slot that is kept begins; `None`: there is none.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn first_energy(&self) -> Result<Option<Timestamp>, StoreError> {
        self.flush().await;
        let first: Option<i64> = sqlx::query_scalar(sql::FIRST_ENERGY)
            .fetch_one(&self.readers()?)
            .await?;
        Ok(first.map(super::record::from_ms))
    }
}

pub(super) async fn insert(
    connection: &mut SqliteConnection,
    run: i64,
    energy: &[EnergyRow],
) -> Result<(), StoreError> {
    for row in energy {
        let load = row.load.as_deref().unwrap_or_default();
        sqlx::query(sql::INSERT_ENERGY)
            .bind(row.slot_ms)
            .bind(load)
            .bind(run)
            .bind(row.part)
            .bind(row.mwh)
            .execute(&mut *connection)
            .await?;
        for (cause, mwh) in &row.lost {
            let phase = cause.phase.map(|phase| rows::code(&phase)).transpose()?;
            sqlx::query(sql::INSERT_CURTAILED)
                .bind(row.slot_ms)
                .bind(load)
                .bind(run)
                .bind(row.part)
                .bind(rows::code(&cause.code)?)
                .bind(phase.unwrap_or_default())
                .bind(cause.circuit.as_deref().unwrap_or_default())
                .bind(cause.load.as_deref().unwrap_or_default())
                .bind(*mwh)
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}

fn some(column: String) -> Option<String> {
    Some(column).filter(|column| !column.is_empty())
}

fn variant<'de, T: serde::Deserialize<'de>>(column: &'de str) -> Option<T> {
    let column: StrDeserializer<'_, DeError> = column.into_deserializer();
    T::deserialize(column).ok()
}
