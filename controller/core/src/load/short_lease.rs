//! For how long a limit is told to hold: the configured lease, or half of it where a fuse would not bear the whole.

use serde::{Deserialize, Serialize};

use super::Load;
use super::draw::IDLE;
use crate::units::{Instant, Milliamps};

/// No lease is made shorter than this, in seconds: each renewal is a write to the memory of a charge point…
const SHORTEST_S: u32 = 60;
/// …which must last for the day: so long in all a charger is told short leases…
const SHORT_MS: u64 = 4 * 3_600_000;
/// …in so long a time.
const DAY_MS: u64 = 24 * 3_600_000;

/// What a load was told of leases.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Leases {
    /// The newest one, in seconds, and when it runs out.
    newest: Option<(u32, Instant)>,
    /// When the first short one of a day was told…
    since: Option<Instant>,
    /// …and for how long they were in force on that day.
    short_ms: u64,
}

impl Leases {
    pub(super) fn note(&mut self, lease_s: u32, whole_s: u32, now: Instant) {
        if lease_s < whole_s {
            if self.since.is_none_or(|since| now.since_ms(since) >= DAY_MS) {
                (self.since, self.short_ms) = (Some(now), 0);
            }
            // It is renewed at half of it.
            self.short_ms += u64::from(lease_s) * 500;
        }
        self.newest = Some((lease_s, now.after_s(lease_s)));
    }

    /// It counts from when it was said yes to.
    pub(super) fn renew(&mut self, now: Instant) {
        self.newest = self.newest.map(|(s, _)| (s, now.after_s(s)));
    }

    pub(super) fn until(&self) -> Option<Instant> {
        self.newest.map(|(_, until)| until)
    }

    /// For how long the newest limit was told to hold, in seconds.
    pub(super) fn told_s(&self, whole_s: u32) -> u32 {
        self.newest
            .map_or(whole_s, |(told_s, _)| told_s.min(whole_s))
    }

    /// Whether there may be short ones today.
    fn last(&self, now: Instant) -> bool {
        let begun = self.since.is_some_and(|since| now.since_ms(since) < DAY_MS);
        !begun || self.short_ms < SHORT_MS
    }
}

impl Load {
    /// The lease of a limit, in seconds: the configured one, or half of it while a charger draws that takes leases, and a fuse
    /// would not bear the whole. What it falls to anyway needs no shorter one, and a test measures the configured one.
    pub fn lease_s(&self, to: Milliamps, one_phase: bool, borne: bool, now: Instant) -> u32 {
        let whole = self.spec.lease_s;
        let draws = to > self.current() || self.draw().is_none_or(|draw| draw >= IDLE);
        // Back at its safe current it may use all of its phases again, for which the ledger allows when the whole is over.
        let spreads = one_phase && self.spec.safe > Milliamps::ZERO;
        let helps = to > self.spec.safe && draws && !spreads;
        let may = self.spec.takes_leases && self.wishes.test.is_none() && self.leases.last(now);
        if !borne && helps && may {
            whole.min((whole / 2).max(SHORTEST_S))
        } else {
            whole
        }
    }

    /// Whether it was told that its limit holds for longer than this, and has answered.
    pub fn is_left_alone_longer_than(&self, lease_s: u32) -> bool {
        let told = self.setpoint.is_some() && self.outcome.is_some() && !self.wishes.silent;
        told && self.link.is_connected() && self.leases.told_s(self.spec.lease_s) > lease_s
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Grid, Tuning};
    use crate::load::{charger, slow_load};

    /// Of a charger that is to draw 16 A where the fuse does not bear the whole lease.
    fn told(safe_a: i64, one_phase: bool) -> u32 {
        let config =
            serde_json::json!({"id": "ev1", "safe_current_a": safe_a, "phase_switching": true});
        let config = serde_json::from_value(config).unwrap();
        let spec = charger::spec(&config, Grid::Tn3ph, &Tuning::default());
        let load = Load::new(spec, Instant(0));
        load.lease_s(Milliamps::from_amps(16), one_phase, false, Instant(0))
    }

    #[test]
    fn who_may_spread_over_more_lines_when_a_lease_ends_is_told_the_whole_one() {
        assert_eq!(
            (told(0, true), told(6, false), told(6, true)),
            (60, 60, 120)
        );
    }

    #[test]
    fn a_relay_has_one_lease_only() {
        let heater = serde_json::json!({"id": "heater", "rated_w": 2000, "phases": ["l1"]});
        let heater = serde_json::from_value(heater).unwrap();
        let spec = slow_load::spec(&heater, &Config::default().site);
        let (most, whole) = (spec.most, spec.lease_s);
        let load = Load::new(spec, Instant(0));
        assert_eq!(load.lease_s(most, false, false, Instant(0)), whole);
    }

    #[test]
    fn a_charger_is_told_short_leases_for_four_hours_a_day() {
        let mut leases = Leases::default();
        let mut short_s = 0_u64;
        for s in (0_u64..2 * 86_400).step_by(30) {
            let now = Instant(s * 1000);
            if leases.last(now) {
                leases.note(60, 120, now);
                short_s += 30;
            } else {
                leases.note(120, 120, now);
            }
        }
        assert_eq!(short_s, 2 * 4 * 3600);
    }

    #[test]
    fn a_lease_counts_from_the_answer() {
        let mut leases = Leases::default();
        leases.note(60, 120, Instant(0));
        leases.renew(Instant(2_000));
        assert_eq!(leases.until(), Some(Instant(62_000)));
        // Less was configured since.
        assert_eq!((leases.told_s(120), leases.told_s(30)), (60, 30));
    }
}
