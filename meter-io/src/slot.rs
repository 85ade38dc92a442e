//! The newest reading of each kind, and nothing older.

use headroom_codec::Telegram;
use headroom_core::event::Reading;
use std::sync::{Mutex, PoisonError};
use tokio::{sync::Notify, time::Instant};

/// A telegram as the decision core takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct MeterReading {
    /// When its last byte was received.
    pub received: Instant,
    /// What the meter said.
    pub telegram: Telegram,
    /// What it means for the core.
    pub reading: Reading,
}

/// Two places, latest wins in each: lists with currents come seldom, lists with the power alone come often.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    places: Mutex<Places>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Places {
    currents: Option<MeterReading>,
    power: Option<MeterReading>,
}

impl Slot {
    pub(crate) fn put(&self, reading: MeterReading) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if reading.telegram.has_currents() {
            // What the power alone said before is older and says less.
            places.power = None;
            places.currents = Some(reading);
        } else {
            places.power = Some(reading);
        }
        drop(places);
        self.changed.notify_one();
    }

    /// The oldest of the two, so that time does not go back. Cancel-safe.
    pub(crate) async fn take(&self) -> MeterReading {
        loop {
            if let Some(reading) = self.try_take() {
                return reading;
            }
            self.changed.notified().await;
        }
    }

    fn try_take(&self) -> Option<MeterReading> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.currents.take().or_else(|| places.power.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::tests::telegram;

    fn reading(current_ma: Option<i64>, power_mw: i64) -> MeterReading {
        let mut telegram = telegram();
        telegram.import_mw = Some(power_mw);
        telegram.phases = Default::default();
        telegram.phases[0].current_ma = current_ma;
        MeterReading {
            received: Instant::now(),
            telegram,
            reading: Reading::default(),
        }
    }

    #[test]
    fn power_alone_never_takes_the_place_of_currents() {
        let slot = Slot::default();
        slot.put(reading(Some(1000), 1));
        slot.put(reading(Some(2000), 2));
        slot.put(reading(None, 3));
        slot.put(reading(None, 4));
        assert_eq!(slot.try_take().unwrap().telegram.import_mw, Some(2));
        assert_eq!(slot.try_take().unwrap().telegram.import_mw, Some(4));
        assert_eq!(slot.try_take(), None);
    }

    #[test]
    fn newer_currents_make_older_power_needless() {
        let slot = Slot::default();
        slot.put(reading(None, 1));
        slot.put(reading(Some(1000), 2));
        assert_eq!(slot.try_take().unwrap().telegram.import_mw, Some(2));
        assert_eq!(slot.try_take(), None);
    }
}
