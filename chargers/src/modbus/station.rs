//! A charger that is told and asked through its registers.

use std::time::Duration;

use headroom_core::{
    event::ChargerStatus,
    units::{Milliamps, WattHours},
};
use tokio::time::Instant;
use tokio_modbus::Request;
use tracing::warn;

use super::{
    link::Link,
    profile::{self, Block, Charger, FailSafe, LEAST_MA, OnLoss, State, Write},
    register::Register,
};
use crate::polled::{CallError, Pace, Repeat, Seen};

/// The limit of a charger with a validity time is written at least this many times within it.
const TIMES_WITHIN_VALIDITY: u32 = 3;
/// A limit is never written more often than this to keep it alive.
const KEEP_ALIVE_AT_MOST: Duration = Duration::from_secs(1);

/// A charger that shows another fail-safe than it was given is given it so many times again: its memory wears.
const FAIL_SAFE_AGAIN: u32 = 5;
/// A limit that was written this long ago at most must still hold.
const SURELY_HOLDS: Duration = Duration::from_secs(2);

/// A charger.
#[derive(Debug)]
pub(super) struct Station {
    /// Id of the charger, for the log.
    load: String,
    table: &'static Charger,
    /// Added to the address of every register.
    base: u16,
    terminals: usize,
    /// The limit that was written last.
    written: Option<Milliamps>,
    /// The limit that it said was in force when it was read last.
    applied: Option<Milliamps>,
    /// The fail-safe current and time that it has, as it says or as it was written.
    fail_safe: Option<(Milliamps, u32)>,
    /// The fail-safe that it was given, and how many times again.
    given: Option<((Milliamps, u32), u32)>,
    /// When a limit was written last.
    written_at: Option<Instant>,
    /// Whether it was told that the charger counts no limit.
    told_ignored: bool,
    /// Whether it was told that the charger has no fail-safe.
    told_no_fail_safe: bool,
    /// Whether it has the fail-safe that it was given.
    took_fail_safe: bool,
    /// The phases that it uses, as it says.
    phases: Option<u32>,
    /// The longest time that it said a limit still holds.
    validity_s: Option<u32>,
    /// What was told about its validity: the time and the current.
    told: Option<(u32, Milliamps)>,
    /// Where it falls to by itself, as it says.
    safe: Option<Milliamps>,
}

/// What the registers of a charger held.
#[derive(Debug, Default)]
struct Answers(Vec<(u16, Vec<u16>)>);

impl Answers {
    fn words(&self, register: Register) -> Option<&[u16]> {
        self.0.iter().find_map(|(start, words)| {
            let from = usize::from(register.address.checked_sub(*start)?);
            words.get(from..from + usize::from(register.count()))
        })
    }

    fn number(&self, register: Register) -> Option<f64> {
        register.number(self.words(register)?)
    }

    fn current(&self, register: Register) -> Option<Milliamps> {
        Milliamps::from_f64(self.number(register)?)
    }

    /// A whole number such as seconds; what is no such number is `None`.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked before"
    )]
    fn whole(&self, register: Register) -> Option<u32> {
        let value = self.number(register)?;
        (value >= 0.0 && value <= f64::from(u32::MAX)).then_some(value as u32)
    }
}

impl Station {
    /// A charger that was not spoken to yet.
    pub(super) fn new(load: &str, table: &'static Charger, base: u16, terminals: usize) -> Self {
        Self {
            load: load.to_owned(),
            table,
            base,
            terminals,
            written: None,
            applied: None,
            fail_safe: None,
            given: None,
            written_at: None,
            told_ignored: false,
            told_no_fail_safe: false,
            took_fail_safe: false,
            phases: None,
            validity_s: None,
            told: None,
            safe: None,
        }
    }

    /// How it wants to be written.
    pub(super) fn pace(&self) -> Pace {
        Pace {
            gap: self.table.gap,
            repeat: self.repeat(),
            ..Pace::default()
        }
    }

    /// Whether it has told how many phases it uses, and can be told another number.
    pub(super) const fn switches_phases(&self) -> bool {
        self.table.phases.is_some() && self.phases.is_some()
    }

    /// A fail-safe watches for any word of a controller; a validity counts from the last limit.
    pub(super) const fn is_kept_awake_by_questions(&self) -> bool {
        matches!(self.table.on_loss, OnLoss::FailSafe(_))
    }

    /// Its validity time, as far as it has told it.
    pub(super) const fn own_time_s(&self) -> Option<u32> {
        match self.table.on_loss {
            OnLoss::Validity { .. } => self.validity_s,
            OnLoss::FailSafe(_) | OnLoss::HoldsLast => None,
        }
    }

    /// Whether it falls by itself. Of a fail-safe that is known when it took one, or refused it.
    pub(super) const fn falls_by_itself(&self) -> Option<bool> {
        match self.table.on_loss {
            OnLoss::Validity { .. } => Some(true),
            OnLoss::FailSafe(_) if self.told_no_fail_safe => Some(false),
            OnLoss::FailSafe(_) if self.took_fail_safe => Some(true),
            OnLoss::FailSafe(_) => None,
            OnLoss::HoldsLast => Some(false),
        }
    }

    fn repeat(&self) -> Repeat {
        match self.table.on_loss {
            OnLoss::Validity { keep_alive, .. } => {
                let learnt = self
                    .validity_s
                    .map(|seconds| Duration::from_secs(seconds.into()) / TIMES_WITHIN_VALIDITY);
                let every = learnt.unwrap_or(KEEP_ALIVE_AT_MOST).min(keep_alive);
                Repeat::Every(every.max(KEEP_ALIVE_AT_MOST))
            }
            // Without its fail-safe it keeps what it was told.
            OnLoss::FailSafe(_) if self.told_no_fail_safe => Repeat::Needless,
            OnLoss::FailSafe(_) => Repeat::Always,
            OnLoss::HoldsLast => Repeat::Needless,
        }
    }

    /// Gives a limit, with its way back where the charger takes one.
    pub(super) async fn tell(
        &mut self,
        link: &mut Link,
        limit: Milliamps,
        phases: u8,
        lease_s: u32,
        safe: Milliamps,
    ) -> Result<(), CallError> {
        let limit = if limit.0 < LEAST_MA {
            Milliamps::ZERO
        } else {
            limit
        };
        // What gives more waits until the way back is there; what takes away, or may, waits for nothing.
        let more = match (self.written, self.applied) {
            (Some(written), applied) => {
                limit.0 > written.0 && applied.is_none_or(|applied| limit.0 >= applied.0)
            }
            (None, Some(applied)) => limit.0 >= applied.0,
            (None, None) => false,
        };
        if more {
            self.set_fail_safe(link, lease_s, safe).await?;
            self.set_phases(link, phases).await?;
        }
        self.set_limit(link, limit).await?;
        self.written = Some(limit);
        self.written_at = Some(Instant::now());
        if !more {
            self.set_fail_safe(link, lease_s, safe).await?;
            self.set_phases(link, phases).await?;
        }
        self.warn_of_validity(lease_s, safe);
        Ok(())
    }

    async fn set_limit(&self, link: &mut Link, limit: Milliamps) -> Result<(), CallError> {
        let pause = limit == Milliamps::ZERO;
        if let Some(enable) = self.table.enable
            && pause
        {
            return self.write(link, enable, enable.raw(0)).await;
        }
        let register = self.table.limit;
        self.write(link, register, register.current(limit)).await?;
        match self.table.enable {
            Some(enable) => self.write(link, enable, enable.raw(1)).await,
            None => Ok(()),
        }
    }

    /// Writes the fail-safe current and time if the charger has others. Older firmware has none: its limit counts
    /// all the same.
    async fn set_fail_safe(
        &mut self,
        link: &mut Link,
        lease_s: u32,
        safe: Milliamps,
    ) -> Result<(), CallError> {
        match self.write_fail_safe(link, lease_s, safe).await {
            Err(CallError::Refused(why)) => {
                if !self.told_no_fail_safe {
                    self.told_no_fail_safe = true;
                    warn!(
                        load = self.load,
                        why,
                        "the {} refuses a fail-safe and keeps its last limit when Headroom is gone; bring its \
                         firmware up to date, or set the fail-safe in it",
                        self.table.model
                    );
                }
                Ok(())
            }
            result => result,
        }
    }

    async fn write_fail_safe(
        &mut self,
        link: &mut Link,
        lease_s: u32,
        safe: Milliamps,
    ) -> Result<(), CallError> {
        let OnLoss::FailSafe(registers) = &self.table.on_loss else {
            return Ok(());
        };
        let wanted = fail_safe(registers, lease_s, safe);
        if self.fail_safe == Some(wanted) {
            self.took_fail_safe = true;
            return Ok(());
        }
        let times = match self.given {
            Some((given, times)) if given == wanted => times + 1,
            _ => 0,
        };
        if times > FAIL_SAFE_AGAIN {
            return Ok(());
        }
        self.given = Some((wanted, times));
        let (current, seconds) = wanted;
        let (set_current, set_timeout) = (registers.set_current, registers.set_timeout);
        self.write(link, set_current, set_current.current(current))
            .await?;
        self.write(link, set_timeout, set_timeout.raw(seconds))
            .await?;
        self.write(link, registers.persist, registers.persist.raw(1))
            .await?;
        self.fail_safe = Some(wanted);
        self.took_fail_safe = true;
        Ok(())
    }

    async fn set_phases(&mut self, link: &mut Link, phases: u8) -> Result<(), CallError> {
        let wanted = u32::from(phases);
        let Some(register) = self.table.phases else {
            return Ok(());
        };
        // One that has not told how many it uses is left alone.
        if !matches!(wanted, 1 | 3) || self.phases.is_none_or(|phases| phases == wanted) {
            return Ok(());
        }
        self.write(link, register, register.raw(wanted)).await?;
        self.phases = Some(wanted);
        Ok(())
    }

    async fn write(
        &self,
        link: &mut Link,
        register: Register,
        words: Option<Vec<u16>>,
    ) -> Result<(), CallError> {
        let words = words
            .ok_or_else(|| CallError::Refused("it has no room for such a value".to_owned()))?;
        let address = self.base.saturating_add(register.address);
        let request = match (self.table.write, words.as_slice()) {
            (Write::Single, &[word]) => Request::WriteSingleRegister(address, word),
            _ => Request::WriteMultipleRegisters(address, words.into()),
        };
        link.write(request).await
    }

    /// Asks for everything.
    pub(super) async fn read(&mut self, link: &mut Link) -> Result<Seen, CallError> {
        let mut answers = Answers::default();
        for Block {
            start,
            count,
            needed,
        } in self.table.blocks
        {
            let address = self.base.saturating_add(*start);
            match link.holding(address, *count).await {
                Ok(words) => answers.0.push((*start, words)),
                Err(CallError::Refused(_)) if !needed => {}
                Err(error) => return Err(error),
            }
        }
        self.learn(&answers);
        self.warn_if_ignored(&answers);
        let seen = self.seen(&answers);
        if let Seen::Charger { limit, .. } = &seen {
            self.applied = *limit;
        }
        Ok(seen)
    }

    /// What it says of the way back.
    fn learn(&mut self, answers: &Answers) {
        match &self.table.on_loss {
            OnLoss::Validity { left, safe, .. } => {
                self.safe = answers.current(*safe);
                // It counts down; the highest is the next to the time that is set. At nothing it has
                // run out: the time that is set may be another one now.
                let left = answers.whole(*left).filter(|left| *left > 0);
                self.validity_s = left.map(|left| left.max(self.validity_s.unwrap_or_default()));
            }
            OnLoss::FailSafe(registers) => {
                let current = answers.current(registers.current);
                let timeout = answers.whole(registers.timeout);
                if let (Some(current), Some(timeout)) = (current, timeout) {
                    self.fail_safe = Some((current, timeout));
                }
            }
            OnLoss::HoldsLast => {}
        }
        if let Some(register) = self.table.phases {
            self.phases = answers.whole(register);
        }
    }

    fn seen(&self, answers: &Answers) -> Seen {
        let status = match &self.table.state {
            State::Letters(register) => answers
                .words(*register)
                .map_or(ChargerStatus::Unknown, |words| {
                    profile::letters(&Register::text(words))
                }),
            State::Keba { state, plug } => match (answers.number(*state), answers.number(*plug)) {
                (Some(state), Some(plug)) => profile::keba(state, plug),
                _ => ChargerStatus::Unknown,
            },
        };
        let currents = self.table.currents.iter().take(self.terminals);
        // A current has no sign here; less than nothing is an error of the meter in the charger.
        let currents = currents
            .map(|register| answers.current(*register).map(Milliamps::abs))
            .collect();
        let disabled = self
            .table
            .enabled
            .and_then(|register| answers.whole(register))
            == Some(0);
        let limit = if disabled {
            Some(Milliamps::ZERO)
        } else {
            let applied = answers.current(self.table.applied);
            applied.map(|limit| {
                if limit.0 < LEAST_MA {
                    Milliamps::ZERO
                } else {
                    limit
                }
            })
        };
        let energy = self
            .table
            .energy
            .and_then(|register| answers.number(register));
        Seen::Charger {
            status,
            current_a: Some(currents),
            limit,
            energy: energy
                .filter(|kwh| *kwh >= 0.0)
                .and_then(WattHours::from_f64),
        }
    }

    /// Tells once that a limit which was just written does not hold.
    fn warn_if_ignored(&mut self, answers: &Answers) {
        let OnLoss::Validity { left, .. } = &self.table.on_loss else {
            return;
        };
        let just_written = self
            .written_at
            .is_some_and(|at| at.elapsed() < SURELY_HOLDS);
        if just_written && !self.told_ignored && answers.whole(*left) == Some(0) {
            self.told_ignored = true;
            warn!(
                load = self.load,
                "the {} takes limits and does not count them; enable active load balancing in it, with an \
                 energy management system as its source",
                self.table.model
            );
        }
    }

    /// Tells once what the charger's own validity makes of the lease.
    fn warn_of_validity(&mut self, lease_s: u32, safe: Milliamps) {
        let (Some(validity_s), Some(own)) = (self.validity_s, self.safe) else {
            return;
        };
        if self.told == Some((validity_s, own)) {
            return;
        }
        self.told = Some((validity_s, own));
        if own.0 > safe.0 {
            warn!(
                load = self.load,
                "the charger falls to {own} when Headroom is gone, and {safe} is configured; set its \
                 safe current to {safe}, or safe_current_a to what it has"
            );
        }
        if validity_s > lease_s {
            warn!(
                load = self.load,
                "the charger keeps a limit for {validity_s} s when Headroom is gone, and lease_s is \
                 {lease_s}; set its validity time to {lease_s} s or less, or raise lease_s"
            );
        }
    }
}

/// What a charger takes for a lease: nothing or a current at which cars charge, and a time in its range.
fn fail_safe(registers: &FailSafe, lease_s: u32, safe: Milliamps) -> (Milliamps, u32) {
    let safe = if safe.0 < LEAST_MA {
        Milliamps::ZERO
    } else {
        safe
    };
    let (least, most) = registers.range_s;
    (safe, lease_s.clamp(least, most))
}
