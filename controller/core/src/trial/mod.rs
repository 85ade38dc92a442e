//! The follow test and the cut test: does a charger do what it is told, and is it safe when nobody tells it anything?
//!
//! The follow test gives 10 A, 6 A, 13 A, a pause and a start; the cut test then says nothing more, until the charger
//! has fallen to its safe current by itself. Each step is judged by what the charger says and by the house meter.
//!
//! Inputs: [`Sight`], what the engine sees of the charger at each of its steps. Outputs: [`Order`], a ceiling and
//! whether the charger is left alone; in the end a [`Report`].
//!
//! Invariant: the test only ever asks for less. What the charger is given is the engine's decision, with every rule of
//! the fuse; a step for which there is no room waits, and after a while the test ends and says why.

mod cut;
mod lines;
mod report;
mod step;

use serde::{Deserialize, Serialize};

use crate::config::LeaseProof;
use crate::event::ChargerStatus;
use crate::units::{Instant, Milliamps, PerPhase, Phase};
use cut::Cut;
use step::{Mark, Step};

pub use report::{CutReport, FollowReport, Limits, Report, StepKind, StepReport, Verdict};

/// The steps of the follow test (capability of the project): far enough apart to be seen beside a house.
const FIRST: Milliamps = Milliamps::from_amps(10);
/// The least that a charger gives (IEC 61851-1).
const LOW: Milliamps = Milliamps::from_amps(6);
/// High, and no common maximum, so that a charger that gives all or nothing is found.
const HIGH: Milliamps = Milliamps::from_amps(13);
/// The safe current must be below what the car draws by this, or its fall would not be seen.
const SEEN: Milliamps = Milliamps::from_amps(2);
/// The whole test takes no longer than this besides the lease, in milliseconds.
const WHOLE_MS: u64 = 1_800_000;
/// While it runs it looks at least this often, in milliseconds.
const LOOK_MS: u64 = 1_000;

/// What the driver of a charger knows of how it falls back by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// Any question would keep it awake: it is asked nothing in the cut test until the meter has shown its fall.
    #[serde(default)]
    pub unasked: bool,
    /// A time of its own after which it falls when it is not told anything, in seconds; it may be shorter than the lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_s: Option<u32>,
}

/// What does not change during a test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setup {
    /// The charger.
    pub load: String,
    /// What people call it.
    pub title: String,
    /// The least that it can be given besides nothing.
    pub least: Milliamps,
    /// The most that it can be given.
    pub most: Milliamps,
    /// What it falls to by itself.
    pub safe: Milliamps,
    /// How long a limit holds without renewal, in seconds.
    pub lease_s: u32,
    /// What is known of its falling back.
    pub proof: LeaseProof,
    /// Which line each terminal is on, as configured; `None`: not known.
    pub map: Option<Vec<Phase>>,
    /// The lines on which the currents of loads add up as numbers; none on grids where they do not.
    pub judged: Vec<Phase>,
    /// How long a step may wait until the engine gives it, in milliseconds.
    pub patience_ms: u64,
    /// Whether the cut test follows.
    pub cut: bool,
    /// What its driver knows of how it falls back.
    #[serde(default)]
    pub guard: Guard,
}

/// What the engine sees of the charger at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    /// Now.
    pub now: Instant,
    /// What it has: what it was told last, or what it is at by itself as far as it says.
    pub setpoint: Option<Milliamps>,
    /// When that was.
    pub changed_at: Option<Instant>,
    /// When its lease runs out.
    pub lease_until: Option<Instant>,
    /// Whether it refused or did not answer its last command.
    pub refused: bool,
    /// Whether the allocation may not count on it.
    pub straying: bool,
    /// The link to it.
    pub connected: bool,
    /// State of its connector.
    pub status: ChargerStatus,
    /// What it says it draws, per terminal.
    pub currents: Option<&'a [Option<Milliamps>]>,
    /// When it said so.
    pub measured_at: Option<Instant>,
    /// What it says that it is limited to.
    pub limit: Option<Milliamps>,
    /// What the main meter measures, less what the other loads say they draw.
    pub lines: PerPhase<Option<Milliamps>>,
    /// When the meter last measured currents.
    pub lines_at: Option<Instant>,
    /// Why it has what it has.
    pub standing: &'a str,
    /// What forbids the test to go on, in a sentence.
    pub trouble: Option<&'a str>,
}

/// What a test wants of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// No more than this for the charger.
    pub ceiling: Milliamps,
    /// Whether it is left alone: nothing is renewed, and what it may draw stays reserved.
    pub silent: bool,
    /// A step has just begun: what was learnt of the car's demand is forgotten, and a start needs no wait.
    pub fresh: bool,
}

/// Where a test is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Progress {
    /// The step, from 1.
    pub step: usize,
    /// How many there are.
    pub of: usize,
    /// What is being done.
    pub kind: StepKind,
    /// What is waited for, in a sentence.
    pub text: String,
    /// What the charger is told, in amperes.
    pub told_a: Option<Milliamps>,
    /// What it says it draws, per terminal, in amperes.
    pub reported_a: Option<Vec<Option<Milliamps>>>,
    /// What the house meter measures less the other loads, per line, in amperes.
    pub lines_a: Vec<Option<Milliamps>>,
}

/// A test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Test {
    setup: Setup,
    begun: Instant,
    /// The steps of the follow test that are still to come, the next one last.
    to_come: Vec<(StepKind, Milliamps)>,
    now: Work,
    fresh: bool,
    done: Vec<StepReport>,
    follow: Option<FollowReport>,
    seen: Seen,
    /// The most that the car was seen to draw.
    top: Milliamps,
    text: String,
    ended: Option<Report>,
}

/// What is being done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Work {
    Follow(Step),
    Cut(Cut),
}

/// What was seen last, to be shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Seen {
    told: Option<Milliamps>,
    reported: Option<Vec<Option<Milliamps>>>,
    lines: PerPhase<Option<Milliamps>>,
}

impl Test {
    /// Begins a test.
    pub fn new(setup: Setup, now: Instant) -> Self {
        let within = |wanted: Milliamps| wanted.min(setup.most).max(setup.least);
        // The fall at the end must be seen.
        let again = within(FIRST.max(setup.safe + SEEN));
        let first = Step::new(StepKind::Limit, FIRST, within(FIRST), now);
        Self {
            to_come: vec![
                (StepKind::Resume, again),
                (StepKind::Pause, Milliamps::ZERO),
                (StepKind::Limit, HIGH),
                (StepKind::Limit, LOW),
            ],
            now: Work::Follow(first),
            setup,
            begun: now,
            fresh: true,
            done: Vec::new(),
            follow: None,
            seen: Seen::default(),
            top: Milliamps::ZERO,
            text: "The test begins.".to_owned(),
            ended: None,
        }
    }

    /// The charger.
    pub fn load(&self) -> &str {
        &self.setup.load
    }

    /// What it was begun with.
    pub const fn setup(&self) -> &Setup {
        &self.setup
    }

    /// When it began.
    pub const fn begun(&self) -> Instant {
        self.begun
    }

    /// Its result, once it has ended.
    pub const fn report(&self) -> Option<&Report> {
        self.ended.as_ref()
    }

    /// Whether it runs.
    pub const fn is_running(&self) -> bool {
        self.ended.is_none()
    }

    /// Whether the charger is left alone now.
    pub const fn is_silent(&self) -> bool {
        self.is_running() && matches!(self.now, Work::Cut(_))
    }

    /// Whether it must not even be asked now, if a question would keep it awake.
    pub const fn is_unasked(&self) -> bool {
        match &self.now {
            Work::Cut(cut) => self.is_running() && !cut.is_asking(),
            Work::Follow(_) => false,
        }
    }

    /// When it must look again.
    pub fn wake(&self, now: Instant) -> Option<Instant> {
        self.is_running().then(|| now.after_ms(LOOK_MS))
    }

    /// Where it is.
    pub fn progress(&self) -> Progress {
        let cut = usize::from(self.setup.cut);
        let kind = match &self.now {
            Work::Follow(step) => step.kind(),
            Work::Cut(_) => StepKind::Cut,
        };
        let of = self.done.len() + self.to_come.len() + 1 + cut;
        let at = self.done.len() + 1;
        Progress {
            step: at,
            of: if kind == StepKind::Cut { at } else { of },
            kind,
            text: self.text.clone(),
            told_a: self.seen.told,
            reported_a: self.seen.reported.clone(),
            lines_a: self.seen.lines.0.to_vec(),
        }
    }

    /// Ends it before its time.
    pub fn abort(&mut self, why: &str) {
        if self.is_running() {
            self.end(Verdict::Aborted, None, why.to_owned());
        }
    }

    /// Looks, and says what it wants of the engine; `None` once it has ended.
    pub fn look(&mut self, sight: &Sight<'_>) -> Option<Order> {
        if !self.is_running() {
            return None;
        }
        self.seen = Seen {
            told: sight.setpoint,
            reported: sight.currents.map(<[_]>::to_vec),
            lines: sight.lines,
        };
        let draw = sight.currents.into_iter().flatten().copied().flatten();
        self.top = draw.fold(self.top, Ord::max);
        let longest = WHOLE_MS + u64::from(self.setup.lease_s).saturating_mul(1000);
        let ends = match sight.trouble {
            Some(trouble) => Some(trouble.to_owned()),
            None if sight.now.since_ms(self.begun) >= longest => {
                Some("It took longer than half an hour.".to_owned())
            }
            None if !sight.connected && !self.is_silent() => {
                Some("The link to the charger broke.".to_owned())
            }
            None => None,
        };
        if let Some(why) = ends {
            self.end(Verdict::Aborted, None, why);
            return None;
        }
        match &mut self.now {
            Work::Follow(step) => match step.look(sight, &self.setup) {
                step::Look::Going(text) => self.text = text,
                step::Look::Impossible(why) => {
                    self.end(Verdict::Aborted, None, why);
                    return None;
                }
                step::Look::Done(done) => {
                    self.done.push(*done);
                    self.go_on(sight);
                }
            },
            Work::Cut(cut) => match cut.look(sight, &self.setup) {
                cut::Look::Going(text) => self.text = text,
                cut::Look::Unclear(why) => {
                    self.end(Verdict::Aborted, None, why);
                }
                cut::Look::Done(done) => {
                    let passed = done.passed;
                    let text = done.text.clone();
                    let verdict = if passed {
                        Verdict::Passed
                    } else {
                        Verdict::Failed
                    };
                    self.end(verdict, Some(done), text);
                }
            },
        }
        self.is_running().then(|| self.order())
    }

    fn order(&mut self) -> Order {
        let (ceiling, silent) = match &self.now {
            Work::Follow(step) => (step.to(), false),
            Work::Cut(cut) => (cut.told(), true),
        };
        Order {
            ceiling,
            silent,
            fresh: std::mem::take(&mut self.fresh),
        }
    }

    /// The next step, or the cut test, or the end.
    fn go_on(&mut self, sight: &Sight<'_>) {
        self.fresh = true;
        let followed = self.done.last().is_none_or(|step| step.follows);
        while let Some((kind, wanted)) = self.to_come.pop() {
            let has = sight.setpoint.unwrap_or_default();
            let to = if kind == StepKind::Pause {
                wanted
            } else {
                wanted.min(self.setup.most).max(self.setup.least)
            };
            // One that does not come down is given nothing more: the engine would not do it.
            if to > has && (!followed || sight.straying) {
                self.done.push(StepReport::skipped(kind, wanted, to));
                continue;
            }
            self.now = Work::Follow(Step::new(kind, wanted, to, sight.now).from(sight, self.top));
            return;
        }
        let follow = FollowReport::new(&self.done, &self.setup);
        let (passed, text) = (follow.passed, follow.text.clone());
        self.follow = Some(follow);
        if !passed {
            self.end(Verdict::Failed, None, text);
        } else if !self.setup.cut {
            self.end(Verdict::Passed, None, text);
        } else {
            self.begin_cut(sight, &text);
        }
    }

    fn begin_cut(&mut self, sight: &Sight<'_>, followed: &str) {
        let before = Mark::of(sight);
        let fall = before.draw().or(sight.setpoint).unwrap_or_default() - self.setup.safe;
        let Some(told) = sight.setpoint.filter(|_| fall >= SEEN) else {
            let text = format!(
                "{followed} The cut test was not made: its safe current of {} is not 2 A below what the car draws.",
                self.setup.safe
            );
            self.end(Verdict::Passed, None, text);
            return;
        };
        let falls = self.falls(&before, told);
        self.now = Work::Cut(Cut::new(told, before, falls, sight));
        "Nothing is renewed any more.".clone_into(&mut self.text);
    }

    /// How far each line must come down when the charger falls to its safe current; `None`: not so far that it is seen, or not
    /// known. By the charger's own word and its phases, or else as far as the line came up with its last start.
    fn falls(&self, before: &Mark, told: Milliamps) -> PerPhase<Option<Milliamps>> {
        let mut falls: PerPhase<Option<Milliamps>> = PerPhase::default();
        let mut note = |line: Phase, draw: Milliamps| {
            let fall = draw - self.setup.safe;
            if fall >= SEEN && self.setup.judged.contains(&line) {
                *falls.get_mut(line) = Some(fall);
            }
        };
        if let (Some(map), Some(_)) = (&self.setup.map, before.draw()) {
            for (line, draw) in map.iter().zip(&before.currents) {
                note(*line, draw.unwrap_or_default());
            }
            return falls;
        }
        let most = before.draw().unwrap_or(told);
        let start = self
            .done
            .iter()
            .rev()
            .find(|it| it.kind == StepKind::Resume);
        for line in Phase::ALL {
            let rose = start.and_then(|step| step.moved_a.get(line.index()).copied().flatten());
            note(line, rose.unwrap_or_default().min(most));
        }
        falls
    }

    fn end(&mut self, verdict: Verdict, cut: Option<CutReport>, text: String) {
        let report = Report::new(
            verdict,
            &self.setup,
            &self.done,
            self.follow.clone(),
            cut,
            text,
        );
        self.text.clone_from(&report.text);
        self.ended = Some(report);
    }
}
