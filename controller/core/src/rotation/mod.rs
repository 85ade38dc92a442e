//! Learning which line each terminal of a charger hangs on, where nobody has told it.
//!
//! It runs beside the states, on star grids of three phases. [`Watch`] finds steps: the engine tells a charger
//! something else, the charger says by how much the current of each terminal changed, the meter by how much that of
//! each line did. [`Evidence`] rules out wirings by several such steps. [`Learner`] says which lines a charger counts
//! on: all of them, unless
//! - the evidence leaves certain lines only for the terminals that the car of this session draws from,
//! - the charger has told these terminals for a while, and
//! - the meter has seen a step of this session on these lines alone.
//!
//! It counts on all lines again at once when another terminal draws, when a step contradicts, when the car or the
//! link changes, and while several other lines rise as if the car had begun to draw from them.
//!
//! A car that draws the same from all three terminals tells nothing of their order, and none is needed for it. Between
//! lines (IT and TT without neutral) currents do not add up as numbers: there nothing is learnt.

mod evidence;
mod watch;

pub use evidence::{Evidence, STEPS, TERMINALS, Verdict};
pub use watch::Watch;

use serde::{Deserialize, Serialize};

use crate::units::{Instant, Milliamps, PerPhase, Phase};

/// A terminal below this draws nothing.
const IDLE: Milliamps = Milliamps::from_amps(1);
/// So long a car must have drawn from the same terminals only, in milliseconds.
const STEADY_MS: u64 = 60_000;
/// More time between two reports does not count, in milliseconds.
const REPORT_MS: u64 = 60_000;
/// Small steps to find out more in one session of a car: twice what is needed.
const TRIALS_MAX: u8 = STEPS * 2;
/// Time from one of them to the next, in milliseconds.
const TRIAL_EVERY_MS: u64 = 90_000;

/// What is known of the car of this session.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Session {
    /// Terminals that it drew from.
    draws: [bool; TERMINALS],
    /// Currents that the charger reports.
    terminals: usize,
    /// How long it drew from these terminals only.
    steady_ms: u64,
    /// The newest report.
    heard: Option<Instant>,
    /// Steps of this session that the meter has seen on the lines that they should be on.
    steps: u16,
    /// How often it was lowered in this session to see where.
    trials: u8,
    tried: Option<Instant>,
}

/// What has been found out of a charger, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The line of each terminal, as far as one line is left for it; a single entry where one current of all is told.
    pub lines: Vec<Option<Phase>>,
    /// The lines that the car of this session counts on; `None`: all of them.
    pub now: Option<Vec<Phase>>,
    /// Steps that agree.
    pub steps: u16,
}

/// What one charger has shown of its wiring.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Learner {
    evidence: Evidence,
    session: Session,
    lines: Option<Vec<Phase>>,
    order: Option<[Phase; TERMINALS]>,
    finding: Option<Finding>,
}

impl Learner {
    /// The lines that it counts on; `None`: all of them.
    pub fn lines(&self) -> Option<&[Phase]> {
        self.lines.as_deref()
    }

    /// The line of each terminal, where that is known as far as it matters now.
    pub fn order(&self) -> Option<&[Phase]> {
        self.order.as_ref().map(<[Phase; TERMINALS]>::as_slice)
    }

    /// Whether a small step would teach something: its car draws unevenly, does so steadily, and what it shows is not
    /// enough yet.
    pub fn wants_trial(&self, now: Instant) -> bool {
        let session = &self.session;
        let some = session
            .draws
            .iter()
            .take(session.terminals)
            .any(|draws| *draws);
        let all = session
            .draws
            .iter()
            .take(session.terminals)
            .all(|draws| *draws);
        let uneven = session.terminals == 1 || !all;
        let rested = session
            .tried
            .is_none_or(|at| now.since_ms(at) >= TRIAL_EVERY_MS);
        self.lines.is_none()
            && some
            && uneven
            && rested
            && session.steady_ms >= STEADY_MS
            && session.trials < TRIALS_MAX
    }

    /// A small step begins.
    pub fn begin_trial(&mut self, now: Instant) {
        self.session.trials = self.session.trials.saturating_add(1);
        self.session.tried = Some(now);
    }

    /// What can be kept over a restart.
    pub const fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// Takes over what was kept of three terminals. The car must show itself anew.
    pub fn restore(&mut self, evidence: Evidence) {
        if evidence.terminals() != TERMINALS {
            return;
        }
        *self = Self {
            evidence,
            ..Self::default()
        };
        self.conclude();
    }

    /// What has been found out, once it is used.
    pub const fn finding(&self) -> Option<&Finding> {
        self.finding.as_ref()
    }

    /// Whether it has taken this report already.
    fn has_heard(&self, report: Option<Instant>) -> bool {
        report.is_some() && self.session.heard == report
    }

    /// Follows what the charger says. `present`: a car is there and the link too. Returns whether the lines change.
    fn follow(&mut self, present: bool, report: Option<(Instant, &[Milliamps])>) -> bool {
        if !present {
            let was = self.session.heard.is_some();
            self.session = Session::default();
            if self.evidence.terminals() == 1 {
                // Of the next car's lines nothing is known.
                self.evidence = Evidence::default();
            }
            return was && self.conclude();
        }
        let Some((at, currents)) = report else {
            let was = self.session.heard.is_some();
            self.session = Session::default();
            return was && self.conclude();
        };
        let session = &mut self.session;
        if session.heard == Some(at) {
            return false;
        }
        let since_ms = session.heard.map_or(0, |heard| at.since_ms(heard));
        session.heard = Some(at);
        if session.terminals != currents.len() {
            *session = Session {
                terminals: currents.len(),
                heard: Some(at),
                ..Session::default()
            };
        }
        let mut more = false;
        for (known, current) in session.draws.iter_mut().zip(currents) {
            more |= !*known && *current >= IDLE;
            *known |= *current >= IDLE;
        }
        if more {
            session.steady_ms = 0;
            session.steps = 0;
        } else if currents.iter().any(|current| *current >= IDLE) {
            session.steady_ms = session.steady_ms.saturating_add(since_ms.min(REPORT_MS));
        }
        self.conclude()
    }

    /// Takes a step. Returns whether the lines change.
    fn judge(&mut self, step: &[Milliamps], gains: &[PerPhase<Milliamps>]) -> bool {
        match self.evidence.judge(step, gains) {
            Verdict::Unclear => return false,
            Verdict::Supports => self.session.steps = self.session.steps.saturating_add(1),
            Verdict::Contradicts => self.session.steps = 0,
        }
        self.conclude()
    }

    /// Other lines rose as if the car had begun to draw from them: it must draw steadily anew. Returns whether the
    /// lines change.
    fn doubt(&mut self) -> bool {
        self.session.steady_ms = 0;
        self.conclude()
    }

    /// What follows. Returns whether the lines change.
    fn conclude(&mut self) -> bool {
        let session = &self.session;
        let draws = |terminal: usize| session.draws.get(terminal).copied().unwrap_or(false);
        let shown = self.evidence.terminals() == session.terminals
            && session.steps > 0
            && session.steady_ms >= STEADY_MS;
        let lines = shown
            .then(|| self.evidence.lines(draws))
            .filter(|lines| !lines.is_empty() && lines.len() < Phase::ALL.len());
        self.order = self
            .evidence
            .order(|_| true)
            .or_else(|| lines.as_ref().and_then(|_| self.evidence.order(draws)));
        let changes = lines != self.lines;
        self.lines = lines;
        self.finding = self.find();
        changes
    }

    fn find(&self) -> Option<Finding> {
        let terminals = self.evidence.terminals();
        let line = |terminal| match self.evidence.lines(|one| one == terminal)[..] {
            [line] => Some(line),
            _ => None,
        };
        let lines: Vec<Option<Phase>> = (0..terminals).map(line).collect();
        // Every car draws from the first terminal, and most of those that draw from one only draw from this one.
        let first = terminals == TERMINALS && lines.first().is_some_and(Option::is_some);
        (first || self.lines.is_some()).then(|| Finding {
            lines,
            now: self.lines.clone(),
            steps: self.evidence.steps(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amps(amps: [i64; TERMINALS]) -> [Milliamps; TERMINALS] {
        amps.map(Milliamps::from_amps)
    }

    /// What a charger tells from one second to another, every five of them.
    fn draws(learner: &mut Learner, from_s: u64, to_s: u64, currents: [i64; TERMINALS]) {
        for s in (from_s..=to_s).step_by(5) {
            learner.follow(true, Some((Instant(s * 1000), &amps(currents))));
        }
    }

    fn step(learner: &mut Learner, step: [i64; TERMINALS], lines: [i64; 3]) {
        learner.judge(&amps(step), &[PerPhase(amps(lines))]);
    }

    /// A charger in the order L2, L3, L1, with a car at its first terminal that has shown itself within 65 s.
    fn shown() -> Learner {
        let mut learner = Learner::default();
        draws(&mut learner, 0, 60, [10, 0, 0]);
        for _ in 0..STEPS {
            step(&mut learner, [3, 0, 0], [0, 3, 0]);
        }
        learner
    }

    #[test]
    fn a_car_counts_on_its_line_when_it_has_drawn_from_it_for_a_minute() {
        let mut early = Learner::default();
        draws(&mut early, 0, 55, [10, 0, 0]);
        for _ in 0..STEPS {
            step(&mut early, [3, 0, 0], [0, 3, 0]);
        }
        assert_eq!(early.lines(), None);
        draws(&mut early, 60, 60, [10, 0, 0]);
        assert_eq!(early.lines(), Some(&[Phase::L2][..]));
        assert_eq!(shown().lines(), Some(&[Phase::L2][..]));
    }

    #[test]
    fn evidence_of_another_day_needs_a_step_of_this_session() {
        let mut learner = Learner::default();
        learner.restore(shown().evidence().clone());
        draws(&mut learner, 0, 600, [10, 0, 0]);
        assert_eq!(learner.lines(), None);
        step(&mut learner, [-3, 0, 0], [0, -3, 0]);
        assert_eq!(learner.lines(), Some(&[Phase::L2][..]));
        // Nor does it survive the car.
        learner.follow(false, None);
        assert_eq!(learner.lines(), None);
        assert!(learner.finding().is_some_and(|found| found.now.is_none()));
    }

    #[test]
    fn another_terminal_or_a_doubt_counts_on_all_lines_for_a_minute_at_least() {
        let mut learner = shown();
        assert!(learner.doubt());
        assert_eq!(learner.lines(), None);
        draws(&mut learner, 65, 120, [10, 0, 0]);
        assert!(learner.lines().is_some());
        // The whole order is known now.
        for _ in 0..STEPS {
            step(&mut learner, [9, 6, 0], [0, 9, 6]);
        }
        assert_eq!(
            learner.order(),
            Some(&[Phase::L2, Phase::L3, Phase::L1][..])
        );
        draws(&mut learner, 125, 180, [10, 10, 0]);
        assert_eq!(learner.lines(), None);
        draws(&mut learner, 185, 240, [10, 10, 0]);
        assert_eq!(learner.lines(), None, "without a step of both terminals");
        step(&mut learner, [3, 3, 0], [0, 3, 3]);
        assert_eq!(learner.lines(), Some(&[Phase::L2, Phase::L3][..]));
    }

    #[test]
    fn a_charger_that_says_nothing_of_its_terminals_counts_on_all_lines() {
        let mut learner = shown();
        learner.follow(true, None);
        assert_eq!(learner.lines(), None);
    }

    #[test]
    fn of_a_single_current_nothing_is_kept_for_the_next_car() {
        let mut learner = Learner::default();
        for s in (0..=60).step_by(5) {
            learner.follow(true, Some((Instant(s * 1000), &[Milliamps::from_amps(10)])));
        }
        for _ in 0..STEPS {
            learner.judge(&[Milliamps::from_amps(3)], &[PerPhase(amps([0, 3, 0]))]);
        }
        assert_eq!(learner.lines(), Some(&[Phase::L2][..]));
        learner.follow(false, None);
        assert_eq!(learner.evidence(), &Evidence::default());
    }
}
