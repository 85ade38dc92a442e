//! What a load is told: the command, its answer, and its repeats.

use super::draw::IDLE;
use super::wishes::wants;
use super::{ANSWER_MAX_MS, Kind, Load};
use crate::action::Command;
use crate::event::Outcome;
use crate::units::{Instant, Milliamps};

/// A load is not commanded twice within this time by a repeat, in milliseconds.
const COMMAND_EVERY_MS: u64 = 1_000;
/// Time between repeats of a command that was not taken, in milliseconds.
const RETRY_MS: u64 = 10_000;
/// Time between repeats to a load that does not obey, in milliseconds.
const STRAY_RETRY_MS: u64 = 30_000;

impl Load {
    /// Tells it something: books the change and gives the command. `one_phase`: to be used on one phase only.
    pub fn tell(
        &mut self,
        to: Milliamps,
        one_phase: bool,
        lease_s: u32,
        number: u64,
        now: Instant,
    ) -> (Command, bool) {
        let from = self.current();
        let phases = if one_phase { 1 } else { self.spec.phases };
        let renewal = self
            .last_told
            .is_some_and(|last| self.is_same(last, (to, phases)));
        let repeats = renewal
            && self
                .setpoint
                .is_some_and(|has| self.is_same((has, phases), (to, phases)));
        if !repeats {
            let possible = self.worst(now).max(from);
            self.unsettled = (possible > to).then_some(possible);
            self.changed_at = Some(now);
            if to > from {
                self.raised_at = Some(now);
            }
            self.follows_from = (from != to).then_some(from);
            self.told_before = from;
            // What the meter has shown to have come down already is not expected to come down again.
            self.falls_from = self
                .left_to_fall()
                .map_or(possible, |left| possible.min(left));
            self.fallen = Milliamps::ZERO;
            self.lines_high = self.lines_now;
            self.outcome = None;
            self.failures = 0;
            self.followed = None;
            self.unused_since = None;
            self.note_phases(one_phase, now);
            if to == Milliamps::ZERO {
                self.off_since = Some(now);
                self.started_at = None;
                // One that was never told anything and draws nothing has not been stopped.
                let runs = self.setpoint.is_some() || self.draw().is_some_and(|draw| draw >= IDLE);
                if from > Milliamps::ZERO && runs && wants(self.status) {
                    self.stopped_at = Some(now);
                    self.fresh_session = false;
                }
            } else if from == Milliamps::ZERO || self.started_at.is_none() {
                self.started_at = Some(now);
                self.off_since = None;
                self.fresh_session = false;
            }
        }
        self.setpoint = Some(to);
        self.sent_at = Some(now);
        self.newest_command = Some(number);
        self.resend = false;
        self.retry_at = None;
        self.last_told = Some((to, phases));
        self.leases.note(lease_s, self.spec.lease_s, now);
        // Whoever does not take a shorter one has the whole.
        self.lease_until = Some(now.after_s(self.spec.lease_s));
        let command = match self.spec.kind {
            Kind::Charger => Command::SetLimit {
                load: self.spec.id.clone(),
                limit_a: to,
                phases,
                lease_s,
            },
            Kind::SlowLoad => Command::Switch {
                load: self.spec.id.clone(),
                on: to > Milliamps::ZERO,
            },
        };
        (command, renewal)
    }

    /// Whether two commands are the same to it: a relay knows on and off alone.
    fn is_same(&self, one: (Milliamps, u8), other: (Milliamps, u8)) -> bool {
        match self.spec.kind {
            Kind::Charger => one == other,
            Kind::SlowLoad => (one.0 > Milliamps::ZERO) == (other.0 > Milliamps::ZERO),
        }
    }

    /// Whether it was told one phase and is to be told all of them though nothing raised it: it does not switch any more, or
    /// refused to. It goes by way of a pause, for its other lines were counted without it.
    pub fn widens(&self) -> bool {
        let runs = self
            .setpoint
            .is_some_and(|setpoint| setpoint > Milliamps::ZERO);
        runs && self.spec.kind == Kind::Charger
            && self
                .last_told
                .is_some_and(|(_, phases)| phases < self.phases())
    }

    /// Takes what became of a command. What is not about the newest one is old news.
    pub fn take_result(&mut self, command: u64, outcome: Outcome, now: Instant) -> bool {
        if self.newest_command != Some(command) {
            return false;
        }
        self.outcome = Some(outcome);
        if outcome == Outcome::Accepted {
            let answered = self.sent_at.map_or(0, |sent| now.since_ms(sent));
            self.answers_after_ms = answered.min(ANSWER_MAX_MS).max(self.answers_after_ms);
            self.acknowledged = self.setpoint;
            self.take_phases();
            self.accepted_at = Some(now);
            self.failures = 0;
            self.retry_at = None;
            self.lease_until = Some(now.after_s(self.spec.lease_s));
            self.leases.renew(now);
        } else if outcome == Outcome::Rejected && self.refuse_phases(now) {
            self.failures = 0;
            self.followed = None;
            self.retry_at = None;
        } else {
            self.failures = self.failures.saturating_add(1);
            self.followed = None;
            // Once more soon, then in peace.
            let sent = self.sent_at.unwrap_or(now);
            let wait = if self.failures == 1 {
                COMMAND_EVERY_MS
            } else {
                RETRY_MS
            };
            self.retry_at = Some(sent.after_ms(wait).max(now));
        }
        true
    }

    /// When what it was told must be repeated; `None`: not needed.
    pub fn repeat_at(&self) -> Option<Instant> {
        let setpoint = self.setpoint?;
        let sent = self.sent_at?;
        if self.wishes.silent {
            return None;
        }
        if !self.link.is_connected() {
            return None;
        }
        let told = (setpoint, self.phases());
        if self.resend
            || self
                .last_told
                .is_some_and(|(_, phases)| !self.is_same((setpoint, phases), told))
        {
            return Some(sent);
        }
        if self.retry_at.is_some() {
            return self.retry_at;
        }
        let lease_s = self.leases.told_s(self.spec.lease_s);
        let half_life_ms = u64::from(lease_s).saturating_mul(500).max(500);
        if self.link.straying_since().is_some() {
            return Some(sent.after_ms(STRAY_RETRY_MS.min(half_life_ms)));
        }
        // What it would fall to by itself needs no renewal.
        (setpoint != self.spec.safe).then(|| sent.after_ms(half_life_ms))
    }
}
