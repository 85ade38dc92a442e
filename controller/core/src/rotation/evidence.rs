//! What the steps of a charger's own current say of the lines that its terminals hang on.
//!
//! One step: the charger says by how much the current of each terminal changed, the meter by how much that of each
//! line did. Each possible wiring foretells the second from the first; the one with the least sum of deviations
//! explains the step best, and a wiring that is clearly worse is spoken against. A wiring is ruled out by several
//! such steps, never by one and never because nothing was seen of it.
//!
//! Invariant: all steps that count agree. A clear step that speaks against every wiring that was left makes all of it
//! be forgotten.

use serde::{Deserialize, Serialize};

use crate::units::{Milliamps, PerPhase, Phase};

/// Terminals of a charger on a grid of three phases.
pub const TERMINALS: usize = 3;
/// A wiring is ruled out when so many steps speak against it, and none against the one that is left. Reference
/// measurements: none of 400 wrong after four steps of 3 A beside the loads of a Nordic house.
pub const STEPS: u8 = 4;
/// Terminals must change by amounts that differ by this for a step to tell their lines apart: limits are whole amperes.
const STEP: Milliamps = Milliamps(900);
/// What the best wiring may leave unexplained: the meter's and the charger's resolution…
const NOISE: Milliamps = Milliamps(400);
/// …and this part of the step, for what the house does meanwhile and for currents that do not add up as numbers.
const NOISE_PART: i64 = 4;
/// So many steps in a row that are seen on more lines than the charger tells contradict it. One may be the house: loads
/// change because the house did, and by as much.
const STRANGE: u8 = 2;
/// Two wirings foretell different things if they differ by this over all lines.
const DISTINCT: Milliamps = Milliamps(1_500);
/// A wiring is spoken against if it is worse by these tenths of what it foretells differently.
const WORSE_TENTHS: i64 = 6;

/// Which terminal feeds each line; `None`: none does.
type Wiring = PerPhase<Option<usize>>;

/// Every order of three terminals: three rotations, and their mirrors.
const ORDERS: [Wiring; 6] = [
    fed(0, 1, 2),
    fed(2, 0, 1),
    fed(1, 2, 0),
    fed(0, 2, 1),
    fed(2, 1, 0),
    fed(1, 0, 2),
];
/// Every set of lines that one reported current may be drawn from.
const SETS: [Wiring; 7] = [
    PerPhase([Some(0), None, None]),
    PerPhase([None, Some(0), None]),
    PerPhase([None, None, Some(0)]),
    PerPhase([Some(0), Some(0), None]),
    PerPhase([None, Some(0), Some(0)]),
    PerPhase([Some(0), None, Some(0)]),
    PerPhase([Some(0), Some(0), Some(0)]),
];

const fn fed(l1: usize, l2: usize, l3: usize) -> Wiring {
    PerPhase([Some(l1), Some(l2), Some(l3)])
}

/// What a step was worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It tells nothing: the house moved too, or the wirings foretell the same.
    Unclear,
    /// It agrees with those before.
    Supports,
    /// It contradicts those before: all is forgotten.
    Contradicts,
}

/// What is known of one charger's wiring. It can be kept over a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// How many currents the charger reports: three terminals in an unknown order, or one current of unknown lines.
    terminals: usize,
    /// Steps that speak against each possible wiring.
    against: [u8; SETS.len()],
    /// Clear steps.
    steps: u16,
    /// Steps in a row that were seen on more lines than the charger tells.
    strange: u8,
}

impl Evidence {
    /// Nothing known yet of a charger that reports so many currents.
    pub fn of_terminals(terminals: usize) -> Self {
        Self {
            terminals,
            ..Self::default()
        }
    }

    /// How many currents the charger reports.
    pub const fn terminals(&self) -> usize {
        self.terminals
    }

    /// Steps that agree.
    pub const fn steps(&self) -> u16 {
        self.steps
    }

    /// Steps that speak against an order of three terminals.
    pub fn against(&self, order: &[Phase]) -> u8 {
        let feeds = |phase: Phase| order.iter().position(|line| *line == phase);
        let wiring = PerPhase(Phase::ALL.map(feeds));
        let at = ORDERS.iter().position(|one| *one == wiring);
        let at = at.filter(|_| self.terminals == TERMINALS);
        at.and_then(|at| self.against.get(at).copied())
            .unwrap_or_default()
    }

    /// Takes a step: the change of each reported current, and that of each line less what other loads changed. There
    /// is one of these for each way in which others of unknown wiring may have had a part in it.
    pub fn judge(&mut self, step: &[Milliamps], gains: &[PerPhase<Milliamps>]) -> Verdict {
        if step.len() != self.terminals {
            *self = Self::of_terminals(step.len());
        }
        let largest = largest(step);
        let foretold: Vec<PerPhase<Milliamps>> = wirings(self.terminals)
            .iter()
            .map(|wiring| wiring.map(|terminal| at(step, terminal)))
            .chain(false_reports(self.terminals, largest))
            .collect();
        let deviation = |foretold: &PerPhase<Milliamps>| {
            let least = gains.iter().map(|gain| distance(gain, foretold)).min();
            least.unwrap_or(Milliamps(i64::MAX))
        };
        let deviations: Vec<Milliamps> = foretold.iter().map(deviation).collect();
        let Some((chosen, (best, least))) = foretold
            .iter()
            .zip(&deviations)
            .enumerate()
            .min_by_key(|(_, (_, deviation))| **deviation)
        else {
            return Verdict::Unclear;
        };
        if *least > NOISE + Milliamps(largest.0.abs() / NOISE_PART) {
            return Verdict::Unclear;
        }
        let worse: Vec<bool> = foretold
            .iter()
            .zip(&deviations)
            .map(|(other, deviation)| {
                let apart = distance(other, best);
                let worse = (*deviation - *least).0.saturating_mul(10);
                apart >= DISTINCT && worse >= apart.0.saturating_mul(WORSE_TENTHS)
            })
            .collect();
        let ours = || worse.iter().zip(&self.against);
        let count = wirings(self.terminals).len();
        if !ours().take(count).any(|(worse, _)| *worse) {
            return Verdict::Unclear;
        }
        if !ours()
            .take(count)
            .any(|(worse, against)| !worse && *against == 0)
        {
            // More lines than the charger tells: the house may have moved with it, once.
            if chosen >= count && self.strange.saturating_add(1) < STRANGE {
                self.strange += 1;
                return Verdict::Unclear;
            }
            *self = Self::of_terminals(self.terminals);
            return Verdict::Contradicts;
        }
        self.strange = 0;
        for (worse, against) in worse.iter().zip(&mut self.against).take(count) {
            *against = against.saturating_add(u8::from(*worse));
        }
        self.steps = self.steps.saturating_add(1);
        Verdict::Supports
    }

    /// The wirings that are not ruled out.
    fn possible(&self) -> impl Iterator<Item = Wiring> + '_ {
        let all = wirings(self.terminals);
        // Nothing is ruled out by evidence that leaves nothing, whoever wrote it.
        let sound = self.against.iter().take(all.len()).any(|n| *n == 0);
        all.iter()
            .zip(&self.against)
            .filter(move |(_, against)| !sound || **against < STEPS)
            .map(|(wiring, _)| *wiring)
    }

    /// The lines that may carry what these terminals draw.
    pub fn lines(&self, draws: impl Fn(usize) -> bool) -> Vec<Phase> {
        let possible: Vec<Wiring> = self.possible().collect();
        let carries = |phase: &Phase| {
            let fed = |wiring: &Wiring| wiring.get(*phase).is_some_and(&draws);
            possible.is_empty() || possible.iter().any(fed)
        };
        Phase::ALL.into_iter().filter(carries).collect()
    }

    /// The line of each terminal, if one order alone is left for the terminals that draw.
    pub fn order(&self, draws: impl Fn(usize) -> bool) -> Option<[Phase; TERMINALS]> {
        if self.terminals != TERMINALS {
            return None;
        }
        let certain = (0..TERMINALS)
            .filter(|terminal| draws(*terminal))
            .all(|terminal| self.lines(|other| other == terminal).len() == 1);
        let wiring = self.possible().next().filter(|_| certain)?;
        let mut order = Phase::ALL;
        for (terminal, slot) in order.iter_mut().enumerate() {
            let fed = |phase: &Phase| wiring.get(*phase) == Some(terminal);
            *slot = Phase::ALL.into_iter().find(fed)?;
        }
        Some(order)
    }

    /// Ways in which a step of this charger may have reached the lines.
    pub fn reaches(&self, step: &[Milliamps]) -> Vec<PerPhase<Milliamps>> {
        let of = |wiring: Wiring| wiring.map(|terminal| at(step, terminal));
        if step.len() == self.terminals {
            self.possible().map(of).collect()
        } else {
            wirings(step.len())
                .iter()
                .map(|wiring| of(*wiring))
                .collect()
        }
    }
}

fn wirings(terminals: usize) -> &'static [Wiring] {
    match terminals {
        TERMINALS => &ORDERS,
        1 => &SETS,
        _ => &[],
    }
}

/// What the lines of a charger would show that tells the current of one terminal where several draw it.
fn false_reports(
    terminals: usize,
    largest: Milliamps,
) -> impl Iterator<Item = PerPhase<Milliamps>> {
    let several = |wiring: &&Wiring| wiring.0.iter().flatten().count() > 1;
    let sets = SETS.iter().filter(several);
    sets.filter(move |_| terminals == TERMINALS)
        .map(move |wiring| wiring.map(|fed| fed.map_or(Milliamps::ZERO, |_| largest)))
}

fn at(step: &[Milliamps], terminal: Option<usize>) -> Milliamps {
    terminal
        .and_then(|terminal| step.get(terminal).copied())
        .unwrap_or_default()
}

/// The change of the terminal that changed most.
pub(super) fn largest(step: &[Milliamps]) -> Milliamps {
    let by_size = step.iter().copied().max_by_key(|change| change.abs());
    by_size.unwrap_or_default()
}

/// Whether the lines of the terminals can be told apart by a step.
pub(super) fn tells(step: &[Milliamps]) -> bool {
    let apart = match step {
        [one] => one.abs(),
        [_, _, _] => {
            let most = step.iter().copied().max().unwrap_or_default();
            most - step.iter().copied().min().unwrap_or_default()
        }
        _ => Milliamps::ZERO,
    };
    apart >= STEP
}

fn distance(a: &PerPhase<Milliamps>, b: &PerPhase<Milliamps>) -> Milliamps {
    a.zip_with(b, |a, b| (a - b).abs()).0.into_iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const L1: Phase = Phase::L1;
    const L2: Phase = Phase::L2;
    const L3: Phase = Phase::L3;

    fn milliamps(amps: &[i64]) -> Vec<Milliamps> {
        amps.iter()
            .map(|amps| Milliamps::from_amps(*amps))
            .collect()
    }

    fn gain(milli: [i64; 3]) -> PerPhase<Milliamps> {
        PerPhase(milli.map(Milliamps))
    }

    fn judge(evidence: &mut Evidence, step: &[i64], lines: [i64; 3]) -> Verdict {
        evidence.judge(&milliamps(step), &[gain(lines)])
    }

    #[test]
    fn four_steps_that_agree_leave_one_line() {
        let mut evidence = Evidence::default();
        for step in 1..=4 {
            assert_eq!(evidence.lines(|one| one == 0).len(), 3, "after {step}");
            let verdict = judge(&mut evidence, &[3, 0, 0], [100, 3_100, -200]);
            assert_eq!(verdict, Verdict::Supports);
        }
        assert_eq!(evidence.lines(|one| one == 0), [L2]);
        // Of the other terminals it is known only where they are not.
        assert_eq!(evidence.lines(|one| one == 1), [L1, L3]);
        assert_eq!(
            evidence.order(|one| one == 0).map(|order| order[0]),
            Some(L2)
        );
        assert_eq!(evidence.order(|_| true), None);
    }

    #[test]
    fn terminals_that_differ_show_the_whole_order_and_its_mirror() {
        for (lines, order) in [
            ([6_000, 9_000, 0], [L2, L1, L3]),
            ([0, 9_000, 6_000], [L2, L3, L1]),
            ([9_000, 6_000, 0], [L1, L2, L3]),
        ] {
            let mut evidence = Evidence::default();
            for _ in 0..STEPS {
                judge(&mut evidence, &[9, 6, 0], lines);
            }
            assert_eq!(evidence.order(|_| true), Some(order));
        }
    }

    #[test]
    fn two_terminals_that_draw_the_same_show_two_lines() {
        let mut evidence = Evidence::default();
        for _ in 0..STEPS {
            judge(&mut evidence, &[5, 5, 0], [5_000, 100, 5_100]);
        }
        assert_eq!(evidence.lines(|one| one < 2), [L1, L3]);
        assert_eq!(evidence.lines(|one| one == 0), [L1, L3]);
    }

    #[test]
    fn a_single_current_is_one_of_seven_sets_of_lines() {
        for (lines, set) in [
            ([0, 4_000, 0], vec![L2]),
            ([4_000, 4_000, 0], vec![L1, L2]),
            ([4_000, 4_000, 4_000], vec![L1, L2, L3]),
        ] {
            let mut evidence = Evidence::default();
            for _ in 0..STEPS {
                assert_eq!(judge(&mut evidence, &[4], lines), Verdict::Supports);
            }
            assert_eq!(evidence.lines(|_| true), set);
        }
    }

    #[test]
    fn what_the_house_does_meanwhile_counts_for_nothing() {
        let mut evidence = Evidence::default();
        // The kettle at once with it; on its own line, against it; nothing at all.
        for lines in [
            [9_000, 3_000, 0],
            [0, 0, 0],
            [0, -3_000, 0],
            [-3_000, 3_000, 3_000],
        ] {
            assert_eq!(
                judge(&mut evidence, &[3, 0, 0], lines),
                Verdict::Unclear,
                "{lines:?}"
            );
        }
        // All terminals alike tell nothing, whatever the lines do.
        assert_eq!(
            judge(&mut evidence, &[3, 3, 3], [3_000, 3_000, 3_000]),
            Verdict::Unclear
        );
        assert_eq!(evidence, Evidence::of_terminals(3));
    }

    #[test]
    fn one_clear_step_on_another_line_makes_all_be_forgotten() {
        let mut evidence = Evidence::default();
        for _ in 0..20 {
            judge(&mut evidence, &[3, 0, 0], [0, 3_000, 0]);
        }
        let verdict = judge(&mut evidence, &[3, 0, 0], [3_000, 0, 0]);
        assert_eq!(verdict, Verdict::Contradicts);
        assert_eq!(evidence.lines(|one| one == 0).len(), 3);
        assert_eq!(evidence.steps(), 0);
    }

    #[test]
    fn more_lines_than_are_told_contradict_the_second_time() {
        let mut evidence = Evidence::default();
        for _ in 0..STEPS {
            judge(&mut evidence, &[8, 0, 0], [8_000, 0, 0]);
        }
        let all = [8_000, 8_000, 8_000];
        assert_eq!(judge(&mut evidence, &[8, 0, 0], all), Verdict::Unclear);
        assert_eq!(evidence.lines(|one| one == 0), [L1]);
        assert_eq!(judge(&mut evidence, &[8, 0, 0], all), Verdict::Contradicts);
    }

    #[test]
    fn another_load_of_unknown_wiring_that_moved_too_is_reckoned_with() {
        let mut evidence = Evidence::default();
        let lines = gain([3_000, -3_000, 0]);
        let other = Evidence::of_terminals(3).reaches(&milliamps(&[-3, 0, 0]));
        let less = |reach: &PerPhase<Milliamps>| lines.zip_with(reach, |line, part| line - part);
        let gains: Vec<_> = other.iter().map(less).collect();
        let verdict = evidence.judge(&milliamps(&[3, 0, 0]), &gains);
        assert_eq!(verdict, Verdict::Supports);
        for _ in 1..STEPS {
            evidence.judge(&milliamps(&[3, 0, 0]), &gains);
        }
        assert_eq!(evidence.lines(|one| one == 0), [L1]);
    }

    #[test]
    fn what_is_kept_comes_back_and_what_cannot_be_rules_nothing_out() {
        let mut evidence = Evidence::default();
        for _ in 0..STEPS {
            judge(&mut evidence, &[3, 0, 0], [0, 3_000, 0]);
        }
        let text = serde_json::to_string(&evidence).unwrap();
        assert_eq!(serde_json::from_str::<Evidence>(&text).unwrap(), evidence);
        let impossible = r#"{"terminals":3,"against":[9,9,9,9,9,9,9],"steps":9,"strange":0}"#;
        let impossible: Evidence = serde_json::from_str(impossible).unwrap();
        assert_eq!(impossible.lines(|one| one == 0).len(), 3);
        let strange = r#"{"terminals":77,"against":[9,9,9,9,9,9,9],"steps":9,"strange":255}"#;
        let mut strange: Evidence = serde_json::from_str(strange).unwrap();
        assert_eq!(strange.lines(|_| true).len(), 3);
        assert_eq!(
            judge(&mut strange, &[8, 0, 0], [8_000; 3]),
            Verdict::Unclear
        );
    }
}
