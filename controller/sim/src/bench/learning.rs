//! How well the decision core finds out on which lines chargers hang whose phases nobody told it: many houses, each
//! with two such chargers in orders of chance, whose cars draw from one terminal or two.

use std::fmt::{self, Write as _};

use headroom_core::units::Phase;

use super::background::{BackgroundSpec, Class};
use super::controller::Kind;
use super::parallel;
use super::plant::Run;
use super::scenario::Scenario;
use crate::random::Random;

/// A kind of house.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct House {
    /// Its name in the table.
    pub name: &'static str,
    class: Class,
    rating_a: u8,
    period_s: f64,
    latency_s: f64,
    current_step_a: f64,
}

impl House {
    /// Every household of three phases with neutral, its usual meter, and some slower or coarser ones.
    pub const ALL: [Self; 7] = [
        Self::new("dutch, 1 s", Class::Dutch, 25, 1.0, 0.1),
        Self::new("dutch, whole amperes", Class::Dutch, 25, 1.0, 1.0),
        Self::new("dutch, 10 s", Class::Dutch, 25, 10.0, 0.1),
        Self::new("heat pump, 1 s", Class::HeatPump, 20, 1.0, 0.1),
        Self::new("nordic, 2.5 s", Class::Nordic, 35, 2.5, 0.1),
        Self::new("nordic, 10 s", Class::Nordic, 35, 10.0, 0.1),
        Self::new("flats, 1 s", Class::Flats, 63, 1.0, 0.1),
    ];

    const fn new(
        name: &'static str,
        class: Class,
        rating_a: u8,
        period_s: f64,
        current_step_a: f64,
    ) -> Self {
        Self {
            name,
            class,
            rating_a,
            period_s,
            latency_s: if period_s > 5.0 { 2.0 } else { 0.5 },
            current_step_a,
        }
    }
}

/// What came out for chargers of one kind of house.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The lines of the terminals that the car draws from are known, and are those.
    pub right: usize,
    /// A line that is not the right one was believed, at any time.
    pub wrong: usize,
    /// Not known at the end.
    pub undecided: usize,
    /// Steps that counted.
    pub steps: u32,
    /// Steps that counted and spoke against the truth.
    pub wrong_steps: u32,
    /// Minutes until the right lines were known first, over all chargers.
    pub minutes: u32,
}

/// The outcome with its house.
#[derive(Clone, Debug)]
pub struct Line {
    /// The kind of house.
    pub house: House,
    /// What came out.
    pub outcome: Outcome,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = &self.outcome;
        let found = u32::try_from(one.right).unwrap_or(u32::MAX).max(1);
        write!(
            f,
            "{:<21} right {:>5} wrong {:>3} undecided {:>4}; steps {:>6}, of them wrong {:>3}; after {} min on average",
            self.house.name,
            one.right,
            one.wrong,
            one.undecided,
            one.steps,
            one.wrong_steps,
            one.minutes / found
        )
    }
}

/// Runs so many houses of a kind from 16:00 on for some hours, two chargers each.
///
/// # Errors
/// If the scenario that is made for it is none.
pub fn run(house: House, runs: u64, hours: f64, threads: usize) -> Result<Line, String> {
    let seeds: Vec<u64> = (1..=runs).collect();
    let results = parallel::map(&seeds, threads, |seed| one(house, hours, *seed));
    let mut outcome = Outcome::default();
    for result in results {
        let one = result?;
        outcome.right += one.right;
        outcome.wrong += one.wrong;
        outcome.undecided += one.undecided;
        outcome.steps += one.steps;
        outcome.wrong_steps += one.wrong_steps;
        outcome.minutes += one.minutes;
    }
    Ok(Line { house, outcome })
}

/// The truth of a charger, and what was found.
struct Point {
    id: String,
    terminals: Vec<Phase>,
    drawn: usize,
    wrong: bool,
    found_s: Option<u64>,
    right: bool,
    steps: u32,
    wrong_steps: u32,
    last: (u16, u8),
}

fn one(house: House, hours: f64, seed: u64) -> Result<Outcome, String> {
    let mut random = Random::new(seed, "wiring");
    let mut pick = |count: u64| usize::try_from(random.next_u64() % count).unwrap_or_default();
    let orders = [
        [0, 1, 2],
        [1, 2, 0],
        [2, 0, 1],
        [0, 2, 1],
        [2, 1, 0],
        [1, 0, 2],
    ];
    let mut points: Vec<Point> = ["ev1", "ev2"]
        .map(|id| Point {
            id: id.to_owned(),
            terminals: orders
                .get(pick(6))
                .into_iter()
                .flatten()
                .filter_map(|line: &usize| Phase::ALL.get(*line).copied())
                .collect(),
            drawn: 1 + pick(2),
            wrong: false,
            found_s: None,
            right: false,
            steps: 0,
            wrong_steps: 0,
            last: (0, 0),
        })
        .into();
    let scenario = scenario(house, hours, &points)?;
    let trace = scenario_background(house, &scenario, seed);
    Run::new(&scenario, &trace, Kind::Headroom, seed).run_watched(|second, controller| {
        let learnt = controller.learnt();
        for point in &mut points {
            let Some(evidence) = learnt.get(&point.id) else {
                point.right = false;
                point.last = (0, 0);
                continue;
            };
            let lines = evidence.lines(|terminal| terminal < point.drawn);
            let truth = point.terminals.iter().take(point.drawn);
            point.wrong |= truth.clone().any(|line| !lines.contains(line));
            point.right =
                lines.len() == point.drawn && truth.clone().all(|line| lines.contains(line));
            if point.right {
                point.found_s.get_or_insert(second);
            }
            let now = (evidence.steps(), evidence.against(&point.terminals));
            point.steps += u32::from(now.0.saturating_sub(point.last.0));
            point.wrong_steps += u32::from(now.1.saturating_sub(point.last.1));
            point.last = now;
        }
    });
    let mut outcome = Outcome::default();
    for point in points {
        outcome.wrong += usize::from(point.wrong);
        outcome.right += usize::from(point.right && !point.wrong);
        outcome.undecided += usize::from(!point.right && !point.wrong);
        outcome.steps += point.steps;
        outcome.wrong_steps += point.wrong_steps;
        let minutes = point.found_s.filter(|_| point.right).unwrap_or_default() / 60;
        outcome.minutes += u32::try_from(minutes).unwrap_or(u32::MAX);
    }
    Ok(outcome)
}

/// The background of the scenario's hours: from 16:00 on, when houses are busy.
fn scenario_background(
    house: House,
    scenario: &Scenario,
    seed: u64,
) -> Vec<crate::current::Currents> {
    const FROM_S: usize = 16 * 3600;
    let spec = BackgroundSpec::Household { class: house.class };
    let seconds = scenario.seconds();
    let wiring = crate::current::Wiring::Star;
    let from = u64::try_from(FROM_S).unwrap_or_default();
    let trace = spec.trace(wiring, seconds + from, scenario.rating(), seed);
    trace.into_iter().skip(FROM_S).collect()
}

fn scenario(house: House, hours: f64, points: &[Point]) -> Result<Scenario, String> {
    let mut text = format!(
        "title = \"learning\"\nduration_h = {hours}\n\
         chargers = [{{ id = \"ev1\", max_current_a = 32 }}, {{ id = \"ev2\", max_current_a = 32 }}]\n\
         [site]\ngrid = \"tn_3ph\"\nmain_fuse = {{ rating_a = {} }}\n\
         [background]\nkind = \"constant\"\namps = [0.0, 0.0, 0.0]\n\
         [meter]\nperiod_s = {:?}\nlatency_s = {:?}\ncurrent_step_a = {:?}\n",
        house.rating_a, house.period_s, house.latency_s, house.current_step_a
    );
    for point in points {
        let lines: Vec<String> = point
            .terminals
            .iter()
            .map(|line| format!("\"{line}\"").to_lowercase())
            .collect();
        // Writing to a text does not fail.
        write!(
            text,
            "[[points]]\nat = \"{id}\"\nterminals = [{}]\n[[cars]]\nat = \"{id}\"\nphases = {}\n\
             visits = [{{ from_h = 0.2, to_h = 48, jitter_min = 10 }}]\n",
            lines.join(", "),
            point.drawn,
            id = point.id
        )
        .ok();
    }
    Scenario::parse(house.name, &text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_house_teaches_a_wrong_line() {
        for house in House::ALL {
            let line = run(house, 1, 1.0, 2).unwrap();
            println!("{line}");
            assert_eq!(line.outcome.wrong, 0, "{line}");
        }
        let usual = run(House::ALL[0], 3, 1.0, 2).unwrap();
        assert!(usual.outcome.right >= 5, "{usual}");
    }
}
