//! One load: what it was told, what it may still be doing, what it says.
//!
//! Chargers and slow loads share one ledger; a slow load is a load whose least and most are the same.
//! [`charger`] and [`slow_load`] translate their configuration and reports into it.
//!
//! Invariant: [`Load::worst`] is never below what the load can draw from a line, as far as anybody
//! knows: the worst of what it was told, what may still be in force and what it says it draws.

pub mod charger;
mod draw;
pub mod link;
pub mod slow_load;

use crate::action::{Command, Reason};
use crate::config::LeaseProof;
use crate::event::{ChargerStatus, Outcome};
use crate::units::{Instant, Milliamps, Phase, Watts};
use link::{LinkEvent, LinkMachine};

/// Time that a charger and its car are given to follow (IEC 61851-1: 5 s for the car; the rest for the
/// way to it and back), in milliseconds.
pub const REACTION_MS: u64 = 10_000;
/// Two cuts within this are wavering, in milliseconds.
const WAVER_MS: u64 = 900_000;
/// A load in the house answers a command within this, in milliseconds.
const ANSWER_MS: u64 = 1_000;
/// An answer later than this is no answer any more.
const ANSWER_MAX_MS: u64 = 30_000;
/// A car must follow its charger within this, in milliseconds (IEC 61851-1).
const CAR_MS: u64 = 5_000;
/// A lease counts as run out this long after it should have, in milliseconds.
const LEASE_SLACK_MS: u64 = 10_000;
/// A report older than this tells nothing about now.
const REPORT_MAX_AGE_MS: u64 = 60_000;
/// What is left to a load above its draw, so that it can show that it wants more.
const DEMAND_ROOM: Milliamps = Milliamps::from_amps(1);
/// A load is not commanded twice within this time by a repeat, in milliseconds.
const COMMAND_EVERY_MS: u64 = 1_000;
/// Time between repeats of a command that was not taken, in milliseconds.
const RETRY_MS: u64 = 10_000;
/// Time between repeats to a load that does not obey, in milliseconds.
const STRAY_RETRY_MS: u64 = 30_000;
/// How long a slow load's relay stays closed without renewal, in seconds.
pub const SLOW_LOAD_LEASE_S: u32 = 120;

/// What does not change while the configuration stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Its circuit.
    pub circuit: String,
    /// Its class of priority.
    pub priority: u32,
    /// The lines that it may draw from.
    pub lines: Vec<Phase>,
    /// Which line each terminal is on; `None`: not known.
    pub map: Option<Vec<Phase>>,
    /// How many phases it is told to use.
    pub phases: u8,
    /// The least that it can run with.
    pub least: Milliamps,
    /// The most that it can be given.
    pub most: Milliamps,
    /// What it falls to by itself.
    pub safe: Milliamps,
    /// How long a command holds without renewal, in seconds.
    pub lease_s: u32,
    /// What is known of its falling back.
    pub proof: LeaseProof,
    /// No start sooner than this after a stop, in seconds.
    pub restart_after_s: u32,
    /// Least time on, in seconds; gives way to the fuse.
    pub min_on_s: u32,
    /// Longest time off that was promised, in seconds.
    pub max_off_s: Option<u32>,
    /// Which kind of load it is.
    pub kind: Kind,
}

/// Which kind of load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A charger, told a limit.
    Charger,
    /// A relay, told on or off.
    SlowLoad,
}

/// What a person wants of a load, each until a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Nothing for it.
    pub pause: Option<Instant>,
    /// No more than this for it.
    pub limit: Option<(Milliamps, Instant)>,
    /// Highest class for it.
    pub boost: Option<Instant>,
}

impl Wishes {
    /// Forgets what has ended.
    pub fn expire(&mut self, now: Instant) {
        self.pause = self.pause.filter(|until| *until > now);
        self.limit = self.limit.filter(|(_, until)| *until > now);
        self.boost = self.boost.filter(|until| *until > now);
    }

    /// When the next of them ends.
    pub fn next_end(&self) -> Option<Instant> {
        [self.pause, self.limit.map(|(_, until)| until), self.boost]
            .into_iter()
            .flatten()
            .min()
    }
}

/// Why a load asks for less than its most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ceiling {
    /// Nothing holds it back.
    Most,
    /// No car, or the car takes no more.
    Demand,
    /// A person wanted it so, until then.
    User(Instant),
}

/// One load.
#[derive(Debug)]
pub struct Load {
    /// What was configured.
    pub spec: Spec,
    /// Is it there, and does it obey?
    pub link: LinkMachine,
    /// What a person wants of it.
    pub wishes: Wishes,
    /// Why it has what it has.
    pub reason: Reason,

    /// State of the connector; chargers only.
    pub status: ChargerStatus,
    /// Current at each terminal, as it says.
    pub measured: Option<Vec<Option<Milliamps>>>,
    /// Power, as it says; slow loads only.
    pub power: Option<Watts>,
    /// Whether the relay is closed, as it says; slow loads only.
    pub reported_on: Option<bool>,
    /// Energy received, as it says, in watt-hours.
    pub energy_wh: Option<u64>,
    measured_at: Option<Instant>,
    reported_limit: Option<Milliamps>,
    /// Energy by its draw, in milliampere-milliseconds on each phase.
    drawn: u64,
    accounted_at: Option<Instant>,
    created_at: Instant,
    /// Draw at the time since which the meter has said the same.
    draw_mark: Option<Milliamps>,

    /// What it was told last.
    setpoint: Option<Milliamps>,
    changed_at: Option<Instant>,
    sent_at: Option<Instant>,
    newest_command: Option<u64>,
    outcome: Option<Outcome>,
    accepted_at: Option<Instant>,
    acknowledged: Option<Milliamps>,
    lease_until: Option<Instant>,
    /// What may still be in force from before the last change, until the change was seen.
    unsettled: Option<Milliamps>,
    failures: u32,
    /// When a command that was not taken is given again.
    retry_at: Option<Instant>,
    /// When it was lowered because of a fuse, the last two times.
    cuts: [Option<Instant>; 2],
    /// The longest time that it took to answer a command.
    answers_after_ms: u64,
    /// The last command, in force or not.
    last_told: Option<(Milliamps, u8)>,
    resend: bool,
    followed: Option<bool>,
    /// Since when it says that it draws more than it was told.
    above_since: Option<Instant>,
    /// When it was last stopped although it wanted to run.
    stopped_at: Option<Instant>,
    started_at: Option<Instant>,
    off_since: Option<Instant>,
    /// The next grant is the first of a session: it is not delayed.
    fresh_session: bool,
    unused_since: Option<Instant>,
    demand_cap: Option<Milliamps>,
}

impl Load {
    /// A load that nothing is known of yet.
    pub fn new(spec: Spec, now: Instant) -> Self {
        Self {
            spec,
            link: LinkMachine::default(),
            wishes: Wishes::default(),
            reason: Reason::starting(),
            status: ChargerStatus::Unknown,
            measured: None,
            power: None,
            reported_on: None,
            energy_wh: None,
            measured_at: None,
            reported_limit: None,
            drawn: 0,
            accounted_at: None,
            created_at: now,
            draw_mark: None,
            setpoint: None,
            changed_at: None,
            sent_at: None,
            newest_command: None,
            outcome: None,
            accepted_at: None,
            acknowledged: None,
            lease_until: None,
            unsettled: None,
            failures: 0,
            retry_at: None,
            cuts: [None; 2],
            answers_after_ms: 0,
            last_told: None,
            resend: false,
            followed: None,
            above_since: None,
            stopped_at: None,
            started_at: None,
            off_since: Some(now),
            fresh_session: true,
            unused_since: None,
            demand_cap: None,
        }
    }

    /// What people call it.
    pub fn title(&self) -> &str {
        if self.spec.name.is_empty() {
            &self.spec.id
        } else {
            &self.spec.name
        }
    }

    /// What it was told last. Before that, or when its lease has run out, what it is at by itself as far
    /// as it says: a process before this one may have told it more.
    pub fn current(&self) -> Milliamps {
        self.setpoint.unwrap_or_else(|| match self.spec.kind {
            Kind::SlowLoad => self.spec.most,
            Kind::Charger => {
                let said = self.reported_limit.max(self.draw()).unwrap_or_default();
                let whole = (said + DEMAND_ROOM - Milliamps(1)).floor_to_amps();
                self.spec
                    .safe
                    .max(whole.min(self.spec.most.max(self.spec.safe)))
            }
        })
    }

    /// What it was told last.
    pub const fn setpoint(&self) -> Option<Milliamps> {
        self.setpoint
    }

    /// Whether it says that it is limited to less than this.
    pub fn says_less_than(&self, current: Milliamps) -> bool {
        self.reported_limit.is_some_and(|limit| limit < current)
    }

    /// What it said yes to last.
    pub const fn acknowledged(&self) -> Option<Milliamps> {
        self.acknowledged
    }

    /// When its lease runs out.
    pub const fn lease_until(&self) -> Option<Instant> {
        self.lease_until
    }

    /// Does it do what it was told; `None`: not known yet.
    pub fn following(&self) -> Option<bool> {
        if self.link.straying_since().is_some() {
            Some(false)
        } else {
            self.followed
        }
    }

    /// When it was told something else last.
    pub const fn changed_at(&self) -> Option<Instant> {
        self.changed_at
    }

    /// When it was last stopped although it wanted to run.
    pub const fn stopped_at(&self) -> Option<Instant> {
        self.stopped_at
    }

    /// Whether its next grant is the first of a session.
    pub const fn is_fresh_session(&self) -> bool {
        self.fresh_session
    }

    /// How long it has been on.
    pub fn on_ms(&self, now: Instant) -> u64 {
        self.started_at
            .map_or(u64::MAX, |since| now.since_ms(since))
    }

    /// How long it has been off; 0 when on.
    pub fn off_ms(&self, now: Instant) -> u64 {
        self.off_since.map_or(0, |since| now.since_ms(since))
    }

    /// The largest of the currents that it says it draws.
    pub fn draw(&self) -> Option<Milliamps> {
        self.measured.as_ref()?.iter().copied().flatten().max()
    }

    /// Whether its word on its draw is recent.
    fn has_recent_report(&self, now: Instant) -> bool {
        self.measured_at
            .is_some_and(|at| now.since_ms(at) <= REPORT_MAX_AGE_MS)
    }

    /// Remembers the draw, as of now, to tell whether it moves while the meter says the same.
    pub fn mark_draw(&mut self) {
        self.draw_mark = self.draw();
    }

    /// How far the draw has moved since it was remembered.
    pub fn moved(&self) -> Milliamps {
        self.draw()
            .zip(self.draw_mark)
            .map_or(Milliamps::ZERO, |(draw, mark)| (draw - mark).abs())
    }

    /// Whether the allocation may count on its doing what it is told.
    pub fn is_controllable(&self) -> bool {
        self.link.is_connected() && self.link.straying_since().is_none()
    }

    /// Whether its last lowering has not been seen yet.
    pub const fn is_unsettled(&self) -> bool {
        self.unsettled.is_some()
    }

    /// Whether a command was refused or not answered, again and again.
    pub const fn is_refusing(&self) -> bool {
        self.failures >= 2
    }

    /// The ceiling that people have set, and until when.
    pub fn user_ceiling(
        &self,
        manual: Option<(Milliamps, Instant)>,
    ) -> Option<(Milliamps, Instant)> {
        let pause = self.wishes.pause.map(|until| (Milliamps::ZERO, until));
        let (lowest, until) = [pause, self.wishes.limit, manual]
            .into_iter()
            .flatten()
            .min()?;
        (lowest < self.spec.most).then(|| (self.allowed(lowest), until))
    }

    /// What it asks for, and why no more.
    pub fn ceiling(&self, manual: Option<(Milliamps, Instant)>) -> (Milliamps, Ceiling) {
        let user = self.user_ceiling(manual);
        if let Some((Milliamps::ZERO, until)) = user {
            return (Milliamps::ZERO, Ceiling::User(until));
        }
        if self.spec.kind == Kind::Charger && !wants(self.status) {
            return (Milliamps::ZERO, Ceiling::Demand);
        }
        let (most, why) = user.map_or((self.spec.most, Ceiling::Most), |(most, until)| {
            (most, Ceiling::User(until))
        });
        match self.demand_cap {
            Some(cap) if cap < most => (self.allowed(cap), Ceiling::Demand),
            _ => (most, why),
        }
    }

    /// The nearest current below that it can be given: 0, or from its least to its most, in whole amperes
    /// where it is not its most.
    pub fn allowed(&self, current: Milliamps) -> Milliamps {
        if current >= self.spec.most {
            self.spec.most
        } else if current < self.spec.least || self.spec.kind == Kind::SlowLoad {
            Milliamps::ZERO
        } else {
            current.floor_to_amps().max(self.spec.least)
        }
    }

    /// Takes a link that is there.
    fn hear(&mut self, now: Instant) {
        if !self.link.is_connected() {
            self.lapse(now);
            // What it did in between is not known: tell it again, and let it show anew whether it answers.
            self.resend = self.setpoint.is_some();
            self.failures = 0;
            self.retry_at = None;
            self.followed = None;
        }
        self.link.handle(LinkEvent::Heard);
    }

    /// When its lease has run out it is at its safe current by itself: more is a new grant.
    fn lapse(&mut self, now: Instant) {
        let over = self.lease_until.is_some_and(|until| until <= now);
        if over
            && self
                .setpoint
                .is_some_and(|setpoint| setpoint != self.spec.safe)
        {
            self.forget_setpoint();
        }
    }

    fn forget_setpoint(&mut self) {
        self.setpoint = None;
        // It gets another chance, and one only.
        self.failures = self.failures.min(1);
        self.unsettled = None;
        self.reported_limit = None;
        self.started_at = None;
        self.fresh_session = self.stopped_at.is_none();
    }

    /// Takes a link that broke.
    fn lose(&mut self, now: Instant) {
        if self.link.lost_since().is_none() {
            self.link.handle(LinkEvent::Gone(now));
            self.followed = None;
        }
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
            self.accepted_at = Some(now);
            self.failures = 0;
            self.retry_at = None;
            self.lease_until = Some(now.after_s(self.spec.lease_s));
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

    /// Lets time pass: leases run out, energy adds up, and a change is settled where the load says nothing
    /// of its draw.
    pub fn settle(&mut self, now: Instant) {
        if self.link.is_connected() {
            self.lapse(now);
        }
        self.account(now);
        let silent = !self.has_recent_report(now);
        let accepted = self.outcome == Some(Outcome::Accepted)
            && self
                .accepted_at
                .is_some_and(|at| now.since_ms(at) >= REACTION_MS);
        if silent && accepted && self.link.is_connected() {
            self.unsettled = None;
        }
    }

    /// Adds up what it draws, for chargers that do not say it.
    fn account(&mut self, now: Instant) {
        let since = self.accounted_at.replace(now);
        let ms = since
            .map_or(0, |since| now.since_ms(since))
            .min(REPORT_MAX_AGE_MS);
        let draw = self.draw().unwrap_or_else(|| self.current());
        let step = draw.0.unsigned_abs().saturating_mul(ms);
        self.drawn = self
            .drawn
            .saturating_add(step.saturating_mul(u64::from(self.spec.phases)));
    }

    /// Energy received, in watt-hours: as it says, else by its draw at 230 V.
    pub fn received_wh(&self) -> u64 {
        self.energy_wh
            .unwrap_or(self.drawn / 1_000_000 * 230 / 3600)
    }

    /// Notes that it was lowered because of a fuse.
    pub const fn note_cut(&mut self, now: Instant) {
        let [last, _] = self.cuts;
        self.cuts = [Some(now), last];
    }

    /// Whether it was lowered because of a fuse twice within a quarter of an hour: it goes up and down.
    pub fn wavers(&self, now: Instant) -> bool {
        let [_, before] = self.cuts;
        before.is_some_and(|before| now.since_ms(before) < WAVER_MS)
    }

    /// The longest time from a command until it draws what it was told, in milliseconds: the time until its
    /// answer, as learnt, and the car's.
    pub fn reaction_ms(&self) -> u64 {
        let answer = self.answers_after_ms.max(ANSWER_MS);
        match self.spec.kind {
            Kind::Charger => answer + CAR_MS,
            Kind::SlowLoad => answer,
        }
    }

    /// Since when it is known here.
    pub const fn created_at(&self) -> Instant {
        self.created_at
    }

    /// Tells it something: books the change and gives the command.
    pub fn tell(&mut self, to: Milliamps, number: u64, now: Instant) -> (Command, bool) {
        let from = self.current();
        let renewal = self.last_told == Some((to, self.spec.phases));
        let repeats = self.setpoint == Some(to) && renewal;
        if !repeats {
            let possible = self.worst(now).max(from);
            self.unsettled = (possible > to).then_some(possible);
            self.changed_at = Some(now);
            self.outcome = None;
            self.failures = 0;
            self.followed = None;
            self.unused_since = None;
            if to == Milliamps::ZERO {
                self.off_since = Some(now);
                self.started_at = None;
                if from > Milliamps::ZERO && wants(self.status) {
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
        self.last_told = Some((to, self.spec.phases));
        self.lease_until = Some(now.after_s(self.spec.lease_s));
        let command = match self.spec.kind {
            Kind::Charger => Command::SetLimit {
                load: self.spec.id.clone(),
                limit_a: to,
                phases: self.spec.phases,
                lease_s: self.spec.lease_s,
            },
            Kind::SlowLoad => Command::Switch {
                load: self.spec.id.clone(),
                on: to > Milliamps::ZERO,
            },
        };
        (command, renewal)
    }

    /// When what it was told must be repeated; `None`: not needed.
    pub fn repeat_at(&self) -> Option<Instant> {
        let setpoint = self.setpoint?;
        let sent = self.sent_at?;
        if !self.link.is_connected() {
            return None;
        }
        if self.resend
            || self
                .last_told
                .is_some_and(|(_, phases)| phases != self.spec.phases)
        {
            return Some(sent);
        }
        if self.retry_at.is_some() {
            return self.retry_at;
        }
        if self.link.straying_since().is_some() {
            return Some(sent.after_ms(STRAY_RETRY_MS));
        }
        // What it would fall to by itself needs no renewal.
        (setpoint != self.spec.safe)
            .then(|| sent.after_ms(u64::from(self.spec.lease_s).saturating_mul(500).max(500)))
    }

    /// When the passing of time alone changes what is known of it.
    pub fn next_change(&self) -> Option<Instant> {
        if self.link.lost_since().is_some() {
            return self.lease_until.map(|until| until.after_ms(LEASE_SLACK_MS));
        }
        None
    }

    /// Takes over a changed configuration; what is known of it stays.
    pub fn reconfigure(&mut self, spec: Spec) {
        if spec.kind == Kind::SlowLoad && self.setpoint.is_some_and(|on| on > Milliamps::ZERO) {
            self.setpoint = Some(spec.most);
        }
        self.spec = spec;
    }
}

/// Whether a connector in this state wants current, or may.
const fn wants(status: ChargerStatus) -> bool {
    !matches!(
        status,
        ChargerStatus::Available
            | ChargerStatus::Finishing
            | ChargerStatus::Reserved
            | ChargerStatus::Unavailable
            | ChargerStatus::Faulted
    )
}
