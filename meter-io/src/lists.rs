//! The lists that a meter sends, each with its own period.
//!
//! A meter may send the total power every two seconds, currents every ten, and energies every hour. A list that stays
//! away must show, however often another one comes: long telegrams are lost first when a port's supply is weak.

use crate::{period::Period, status::ListStatus};
use headroom_codec::Telegram;
use std::collections::BTreeMap;
use tokio::time::Instant;

/// What was heard of each list.
#[derive(Debug, Default)]
pub(crate) struct Lists(BTreeMap<&'static str, Period>);

impl Lists {
    pub(crate) fn heard(&mut self, telegram: &Telegram, at: Instant) {
        self.0.entry(name(telegram)).or_default().heard(at);
    }

    pub(crate) fn status(&self) -> BTreeMap<&'static str, ListStatus> {
        let status = |period: &Period| {
            Some(ListStatus {
                period_s: period.seconds(),
                last: period.last()?,
            })
        };
        self.0
            .iter()
            .filter_map(|(name, period)| Some((*name, status(period)?)))
            .collect()
    }
}

/// A list is known by what it holds: its number means something else for each maker.
pub(crate) fn name(telegram: &Telegram) -> &'static str {
    let energy = telegram.energy_import_mwh.is_some();
    match (telegram.has_currents(), energy) {
        (true, false) => "currents",
        (true, true) => "currents and energy",
        (false, true) => "energy",
        (false, false) => "power",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headroom_codec::Protocol;
    use std::time::Duration;

    #[test]
    fn each_list_has_its_own_period_and_age() {
        let start = Instant::now();
        let mut lists = Lists::default();
        let power = Telegram::new(Protocol::Hdlc);
        let mut currents = power.clone();
        currents.phases[0].current_ma = Some(1000);
        let mut hourly = currents.clone();
        hourly.energy_import_mwh = Some(1);
        for second in (0..=30).step_by(2) {
            let at = start + Duration::from_secs(second);
            lists.heard(&power, at);
            if second % 10 == 0 && second < 30 {
                lists.heard(&currents, at);
            }
        }
        lists.heard(&hourly, start);
        let status = lists.status();
        let of = |name: &str| {
            let list = &status[name];
            (list.period_s, (list.last - start).as_secs())
        };
        assert_eq!(of("power"), (Some(2.0), 30));
        assert_eq!(of("currents"), (Some(10.0), 20));
        assert_eq!(of("currents and energy"), (None, 0));
    }
}
