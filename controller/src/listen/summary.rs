//! What was heard, counted: telegrams by list with their spacing, and rejections by reason.

use headroom_meter_io::{Item, MeterStatus, Protocol, Telegram};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Lists and reasons that are told apart; a line of garbage may look like all of them.
const MOST: usize = 32;

/// Counts since the start.
#[derive(Debug)]
pub(crate) struct Summary {
    started: Instant,
    lists: BTreeMap<(Protocol, String), List>,
    rejected: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct List {
    count: u32,
    first: Instant,
    last: Instant,
}

impl Summary {
    /// Nothing heard yet.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            started: now,
            lists: BTreeMap::new(),
            rejected: BTreeMap::new(),
        }
    }

    /// Takes in what was just heard.
    pub(crate) fn add(&mut self, item: &Item, now: Instant) {
        match item {
            Item::Telegram(telegram) => {
                let key = (telegram.protocol, name(telegram));
                if let Some(list) = self.lists.get_mut(&key) {
                    list.count = list.count.saturating_add(1);
                    list.last = now;
                } else if self.lists.len() < MOST {
                    let list = List {
                        count: 1,
                        first: now,
                        last: now,
                    };
                    self.lists.insert(key, list);
                }
            }
            Item::Rejected(rejected) => {
                *self
                    .rejected
                    .entry(rejected.reason.to_string())
                    .or_default() += 1;
            }
        }
    }

    /// Valid telegrams.
    pub(crate) fn valid(&self) -> u64 {
        self.lists.values().map(|list| u64::from(list.count)).sum()
    }

    /// The summary; `status` is the last one of the source.
    pub(crate) fn lines(&self, status: Option<&MeterStatus>, now: Instant) -> Vec<String> {
        let mut lines = vec![format!(
            "heard in {}: {} telegrams{}",
            seconds(now - self.started),
            self.valid(),
            status
                .and_then(|status| status.serial.as_deref())
                .map(|serial| format!(", at {serial}"))
                .unwrap_or_default()
        )];
        for ((protocol, name), list) in &self.lists {
            let every = (list.count > 1)
                .then(|| (list.last - list.first) / (list.count - 1))
                .map(|period| format!(", every {}", seconds(period)))
                .unwrap_or_default();
            lines.push(format!("  {protocol} {name}: {}{every}", list.count));
        }
        for (reason, count) in &self.rejected {
            lines.push(format!("  rejected {count} ×: {reason}"));
        }
        if let Some(status) = status.filter(|_| self.valid() == 0) {
            lines.push(format!("nothing was decoded: {}", status.text));
        }
        lines
    }
}

/// What a list is called: by its maker's number where it has one, and by what it holds.
fn name(telegram: &Telegram) -> String {
    let lines: Vec<&str> = ["L1", "L2", "L3"]
        .into_iter()
        .zip(&telegram.phases)
        .filter(|(_, phase)| phase.current_ma.is_some())
        .map(|(line, _)| line)
        .collect();
    let holds = match (lines.is_empty(), telegram.import_mw.is_some()) {
        (false, _) => format!("with currents of {}", lines.join(" ")),
        (true, true) => "with power alone".to_owned(),
        (true, false) => "without power and currents".to_owned(),
    };
    let energy = if telegram.energy_import_mwh.is_some() {
        ", and energy"
    } else {
        ""
    };
    match telegram.list {
        Some(number) => format!("list {number} {holds}{energy}"),
        None => format!("{holds}{energy}"),
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use headroom_codec::{Reason, Rejected};

    #[test]
    fn lists_are_told_apart_with_their_spacing() {
        let start = Instant::now();
        let mut summary = Summary::new(start);
        let mut fast = Telegram::new(Protocol::Hdlc);
        fast.list = Some(1);
        fast.import_mw = Some(1000);
        let mut slow = fast.clone();
        slow.list = Some(2);
        slow.phases[0].current_ma = Some(1000);
        slow.phases[2].current_ma = Some(1000);
        for tick in 0..=8 {
            let now = start + Duration::from_millis(2500) * tick;
            summary.add(&Item::Telegram(fast.clone()), now);
            if tick % 4 == 0 {
                summary.add(&Item::Telegram(slow.clone()), now);
            }
        }
        for _ in 0..2 {
            let lost = Rejected {
                protocol: Protocol::Hdlc,
                reason: Reason::Checksum,
                bytes: 9,
            };
            summary.add(&Item::Rejected(lost), start);
        }
        assert_eq!(summary.valid(), 12);
        assert_eq!(
            summary.lines(None, start + Duration::from_millis(22_500)),
            [
                "heard in 22.5 s: 12 telegrams",
                "  hdlc list 1 with power alone: 9, every 2.5 s",
                "  hdlc list 2 with currents of L1 L3: 3, every 10.0 s",
                "  rejected 2 ×: the checksum is wrong",
            ]
        );
    }
}
