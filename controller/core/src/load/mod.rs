//! One load: what it was told, what it may still be doing, what it says.
//!
//! Chargers and slow loads share one ledger; a slow load is a load whose least and most are the same.
//! [`charger`] and [`slow_load`] translate their configuration and reports into it.
//!
//! Invariant: [`Load::worst`] is never below what the load can draw from a line, as far as anybody
//! knows: the worst of what it was told, what may still be in force and what it says it draws.

pub mod charger;
mod draw;
mod energy;
mod lease;
pub mod link;
pub mod phases;
mod short_lease;
pub mod slow_load;
mod tell;
mod wishes;

pub use wishes::{Ceiling, Wishes};

use serde::{Deserialize, Serialize};

use crate::action::Reason;
use crate::config::LeaseProof;
use crate::event::{ChargerStatus, Outcome};
use crate::rotation::Learner;
use crate::units::{Instant, Milliamps, PerPhase, Phase, Watts};
use link::LinkMachine;
use phases::PhaseUse;
use short_lease::Leases;

/// Time that a charger and its car are given to follow (IEC 61851-1: 5 s for the car; the rest for the
/// way to it and back), in milliseconds.
pub const REACTION_MS: u64 = 10_000;
/// Two cuts within this are wavering, in milliseconds.
const WAVER_MS: u64 = 900_000;
/// A load in the house answers a command within this, in milliseconds.
const ANSWER_MS: u64 = 1_000;
/// Before a load was seen to follow, its answer may take this long, in milliseconds: what is not known counts as slow.
const ANSWER_UNKNOWN_MS: u64 = 10_000;
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
/// How long a slow load's relay stays closed without renewal, in seconds.
pub const SLOW_LOAD_LEASE_S: u32 = 120;

/// What does not change while the configuration stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// How many phases it uses when it uses all of them.
    pub phases: u8,
    /// Whether it can change between three phases and one.
    pub switching: bool,
    /// The least that it can run with.
    pub least: Milliamps,
    /// The most that it can be given.
    pub most: Milliamps,
    /// What it falls to by itself.
    pub safe: Milliamps,
    /// How long a command holds without renewal, in seconds.
    pub lease_s: u32,
    /// Whether it is told with each limit for how long that holds. Other devices have a time of their own, which they may
    /// keep in memory, or none.
    #[serde(default)]
    pub takes_leases: bool,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A charger, told a limit.
    Charger,
    /// A relay, told on or off.
    SlowLoad,
}

/// One load.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Load {
    /// What was configured.
    pub spec: Spec,
    /// Is it there, and does it obey?
    pub link: LinkMachine,
    /// What a person wants of it.
    pub wishes: Wishes,
    /// Why it has what it has.
    pub reason: Reason,
    /// What it has shown of its wiring, where nobody has told it.
    pub rotation: Learner,

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
    /// Its word on its draw before the newest one.
    measured_before: Option<Vec<Option<Milliamps>>>,
    measured_before_at: Option<Instant>,
    /// When its word changed.
    moved_at: Option<Instant>,
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
    /// Until when it counts with what it was told when it cannot be reached.
    lease_until: Option<Instant>,
    /// Its newest lease as it was told, and the short ones.
    #[serde(default)]
    leases: Leases,
    /// What may still be in force from before the last change, until the change was seen.
    unsettled: Option<Milliamps>,
    /// What it was told before the last change.
    told_before: Milliamps,
    failures: u32,
    /// When a command that was not taken is given again.
    retry_at: Option<Instant>,
    /// When it was lowered because of a fuse, the last two times.
    cuts: [Option<Instant>; 2],
    /// The longest time that it took to answer a command.
    answers_after_ms: u64,
    /// The shortest time after which it was seen to do what it was told: its answer takes no longer.
    answers_within_ms: Option<u64>,
    /// How far the meter has shown that it came down since the last change, though it has not said so.
    fallen: Milliamps,
    /// What it drew at most before the last change, by that.
    falls_from: Milliamps,
    /// The most that it may have drawn from each line at the time of the newest reading, and whether its last word before was
    /// that it draws nothing.
    high_then: PerPhase<Milliamps>,
    idle_then: bool,
    /// What the lines carry, and the most that they carried since the last change.
    lines_now: PerPhase<Option<Milliamps>>,
    lines_high: PerPhase<Option<Milliamps>>,
    /// When it was last told more than it had.
    raised_at: Option<Instant>,
    /// What it was limited to before the last change, until it is seen to follow.
    follows_from: Option<Milliamps>,
    /// The last command, in force or not.
    last_told: Option<(Milliamps, u8)>,
    resend: bool,
    followed: Option<bool>,
    /// Since when it says that it draws more than it was told.
    above_since: Option<Instant>,
    /// The most that it has said to draw since it does not obey; nothing while it does.
    #[serde(default)]
    strays_to: Milliamps,
    /// When it was last stopped although it wanted to run.
    stopped_at: Option<Instant>,
    started_at: Option<Instant>,
    off_since: Option<Instant>,
    /// The next grant is the first of a session: it is not delayed.
    fresh_session: bool,
    unused_since: Option<Instant>,
    demand_cap: Option<Milliamps>,
    phase_use: PhaseUse,
}

/// Adds its id to what each load is called that another one is called too, so that what is said of one is not taken for
/// the other.
pub fn tell_apart(specs: &mut [Spec]) {
    let titles: Vec<String> = specs.iter().map(|spec| spec.title().to_owned()).collect();
    for (spec, title) in specs.iter_mut().zip(&titles) {
        if titles.iter().filter(|other| *other == title).count() > 1 {
            spec.name = format!("{title} ({})", spec.id);
        }
    }
}

impl Spec {
    /// What people call it, or its id.
    fn title(&self) -> &str {
        if self.name.is_empty() {
            &self.id
        } else {
            &self.name
        }
    }
}

impl Load {
    /// A load that nothing is known of yet.
    pub fn new(spec: Spec, now: Instant) -> Self {
        Self {
            spec,
            link: LinkMachine::default(),
            wishes: Wishes::default(),
            reason: Reason::starting(),
            rotation: Learner::default(),
            status: ChargerStatus::Unknown,
            measured: None,
            power: None,
            reported_on: None,
            energy_wh: None,
            measured_at: None,
            measured_before: None,
            measured_before_at: None,
            moved_at: None,
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
            leases: Leases::default(),
            unsettled: None,
            told_before: Milliamps::ZERO,
            failures: 0,
            retry_at: None,
            cuts: [None; 2],
            answers_after_ms: 0,
            answers_within_ms: None,
            fallen: Milliamps::ZERO,
            high_then: PerPhase::default(),
            idle_then: false,
            raised_at: None,
            falls_from: Milliamps::ZERO,
            lines_now: PerPhase::default(),
            lines_high: PerPhase::default(),
            follows_from: None,
            last_told: None,
            resend: false,
            followed: None,
            above_since: None,
            strays_to: Milliamps::ZERO,
            stopped_at: None,
            started_at: None,
            off_since: Some(now),
            fresh_session: true,
            unused_since: None,
            demand_cap: None,
            phase_use: PhaseUse::default(),
        }
    }

    /// What people call it.
    pub fn title(&self) -> &str {
        self.spec.title()
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
    pub fn lease_until(&self) -> Option<Instant> {
        self.leases.until().or(self.lease_until)
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

    /// The lines that it counts on: those that were configured, or fewer of them where it has shown that. What a car
    /// shows while its charger was told one phase says nothing of three.
    pub fn lines(&self) -> &[Phase] {
        self.rotation_if_unknown()
            .filter(|_| !self.spec.switching)
            .and_then(Learner::lines)
            .unwrap_or(&self.spec.lines)
    }

    /// Which line each terminal is on, as it was configured or has been shown; `None`: not known.
    pub fn map(&self) -> Option<&[Phase]> {
        let shown = || self.rotation_if_unknown().and_then(Learner::order);
        self.spec.map.as_deref().or_else(shown)
    }

    /// Whether it is a charger of which nobody has told the phases.
    pub fn is_unmapped(&self) -> bool {
        self.spec.kind == Kind::Charger && self.spec.map.is_none()
    }

    fn rotation_if_unknown(&self) -> Option<&Learner> {
        self.is_unmapped().then_some(&self.rotation)
    }

    /// When it last said what it draws.
    pub const fn measured_at(&self) -> Option<Instant> {
        self.measured_at
    }

    /// What it says that it is limited to.
    pub const fn reported_limit(&self) -> Option<Milliamps> {
        self.reported_limit
    }

    /// What it says it draws from each terminal, if it tells all of them.
    pub fn currents(&self) -> Option<Vec<Milliamps>> {
        self.measured.as_ref()?.iter().copied().collect()
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

    /// The longest time until it answers, as learnt, in milliseconds.
    pub fn answer_ms(&self) -> u64 {
        let seen = self.answers_within_ms.unwrap_or(ANSWER_UNKNOWN_MS);
        let seen = seen.clamp(ANSWER_MS, ANSWER_UNKNOWN_MS);
        self.answers_after_ms.max(seen)
    }

    /// The longest time from a command until it draws what it was told, in milliseconds: the time until its
    /// answer, as learnt, and the car's.
    pub fn reaction_ms(&self) -> u64 {
        match self.spec.kind {
            Kind::Charger => self.answer_ms() + CAR_MS,
            Kind::SlowLoad => self.answers_after_ms.max(ANSWER_MS),
        }
    }

    /// Whether it cannot be reached: it was there and is not, or nothing was heard of it for this long.
    pub fn is_away(&self, lost_after_s: u32, now: Instant) -> bool {
        self.link.lost_since().is_some()
            || (self.link.is_unseen() && now >= self.created_at.after_s(lost_after_s))
    }

    /// Since when it is known here.
    pub const fn created_at(&self) -> Instant {
        self.created_at
    }

    /// Takes over a changed configuration; what is known of it stays.
    pub fn reconfigure(&mut self, spec: Spec) {
        if spec.kind == Kind::SlowLoad && self.setpoint.is_some_and(|on| on > Milliamps::ZERO) {
            self.setpoint = Some(spec.most);
        }
        self.spec = spec;
        self.reconfigure_phases();
    }
}
