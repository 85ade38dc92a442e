//! What is measured in one run, and the numbers that many runs give.

use headroom_core::units::{Milliamps, PerPhase, Phase};
use serde::Serialize;

use super::fuse::PlantFuse;
use super::scenario::Scenario;

/// A line above its rating by this and the resolution of the meter is overloaded, in amperes.
const OVERLOAD_A: f64 = 0.3;
/// Less than this is no current that could be lowered, in amperes.
const CONTROLLABLE_A: f64 = 0.05;

/// What one run gave.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RunMetrics {
    /// The seed of the run.
    pub seed: u64,
    /// How often the fastest legal device opened, over all lines and circuits.
    pub trips: u32,
    /// How often a typical device opened.
    pub typical_trips: u32,
    /// Highest state of the fastest device as a share of the one at which it opens.
    pub highest_thermal: f64,
    /// Ampere-seconds above the rating, over all lines and circuits.
    pub above_rating_as: f64,
    /// Energy to the cars, at nominal voltage, in kWh.
    pub energy_kwh: f64,
    /// The same as a share of the clairvoyant's.
    pub energy_share: f64,
    /// Commands (renewals not counted) per hour with a car and car.
    pub commands_per_hour: f64,
    /// The same per hour of the day, whether a car is there or not.
    pub commands_per_hour_of_day: f64,
    /// Contactor closings per day and car.
    pub closings_per_day: f64,
    /// Jain's index of the cars' shares of what the clairvoyant gave each; the worst class of priority.
    pub jain: f64,
    /// Times from overload to relief, in seconds.
    #[serde(skip)]
    pub reliefs_s: Vec<f64>,
    /// The same from the newest rise of the house in an overload.
    #[serde(skip)]
    pub answers_s: Vec<f64>,
    /// Minutes in which a tank was colder than comfortable.
    pub comfort_missed_min: f64,
    /// Switchings of slow loads.
    pub switchings: u32,
    /// Share of the clairvoyant's energy, for each charger.
    pub shares: Vec<f64>,
    /// Events that the controller called impossible.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
    /// When the first device opened, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_trip_s: Option<f64>,
}

/// One overcurrent device with what is measured at it.
#[derive(Clone, Debug)]
struct Pole {
    line: Phase,
    rating_a: f64,
    fastest: Option<PlantFuse>,
    typical: PlantFuse,
    overload: Option<Overload>,
}

/// An overload that lasts.
#[derive(Clone, Copy, Debug)]
struct Overload {
    since_s: f64,
    /// When the house last rose in it, and to what.
    risen_s: f64,
    house_a: f64,
}

impl Overload {
    /// From its beginning, and from the newest rise, to relief.
    const fn ends(self, at_s: f64) -> (f64, f64) {
        (at_s - self.since_s, at_s - self.risen_s)
    }
}

/// The poles of one circuit, or of the main fuse.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    poles: Vec<Pole>,
    /// What a meter cannot show is no overload.
    overload_a: f64,
    above_as: f64,
    /// From the beginning of each overload, and from the newest rise of the house in it.
    reliefs_s: Vec<(f64, f64)>,
    first_trip_s: Option<f64>,
}

impl Watch {
    /// On the main fuse (`None`) or on a circuit by its place in the configuration.
    pub(super) fn new(scenario: &Scenario, circuit: Option<usize>, step_s: f64) -> Self {
        let site = &scenario.site;
        let own = circuit.and_then(|index| site.circuits.get(index));
        let rating = own.map_or_else(
            || scenario.rating(),
            |own| own.rating_a.per_phase().map(Milliamps::to_f64),
        );
        let characteristic = own
            .and_then(|own| own.characteristic)
            .unwrap_or(site.main_fuse.characteristic);
        let curve = match own {
            None => site.main_fuse.curve,
            Some(own) if own.characteristic.is_none() => own.curve.unwrap_or(site.main_fuse.curve),
            Some(own) => own.curve.unwrap_or_default(),
        };
        let poles = site
            .grid
            .phases()
            .iter()
            .map(|line| Pole {
                line: *line,
                rating_a: rating.get(*line),
                fastest: PlantFuse::fastest(characteristic, curve, rating.get(*line), step_s)
                    .map(|fuse| fuse.in_the_heat(site.main_fuse.ambient_c)),
                typical: PlantFuse::typical(rating.get(*line), step_s),
                overload: None,
            })
            .collect();
        Self {
            poles,
            overload_a: OVERLOAD_A + scenario.meter.current_step_a.to_f64(),
            above_as: 0.0,
            reliefs_s: Vec::new(),
            first_trip_s: None,
        }
    }

    /// Lets one step pass. `house` is what flows of that by itself; `controllable` tells what could be lowered on each line,
    /// if it is asked.
    pub(super) fn step(
        &mut self,
        now_s: f64,
        step_s: f64,
        amps: PerPhase<f64>,
        house: PerPhase<f64>,
        controllable: impl Fn() -> PerPhase<f64>,
    ) {
        for pole in &mut self.poles {
            let flows = amps.get(pole.line);
            if let Some(fuse) = &mut pole.fastest
                && fuse.step(flows)
            {
                self.first_trip_s.get_or_insert(now_s);
            }
            pole.typical.step(flows);
            self.above_as += (flows - pole.rating_a).max(0.0) * step_s;
            let over = flows > pole.rating_a + self.overload_a
                && controllable().get(pole.line) > CONTROLLABLE_A;
            let (began_s, house_a) = (now_s - step_s, house.get(pole.line));
            pole.overload = match (over, pole.overload) {
                (true, Some(overload)) if house_a <= overload.house_a + self.overload_a => {
                    Some(overload)
                }
                (true, overload) => Some(Overload {
                    since_s: overload.map_or(began_s, |overload| overload.since_s),
                    risen_s: began_s,
                    house_a,
                }),
                (false, overload) => {
                    self.reliefs_s
                        .extend(overload.map(|overload| overload.ends(began_s)));
                    None
                }
            };
        }
    }

    /// Adds what was measured to the metrics of the run.
    pub(super) fn add_to(mut self, end_s: f64, metrics: &mut RunMetrics) {
        for pole in &self.poles {
            if let Some(fuse) = &pole.fastest {
                metrics.trips += fuse.trips();
                metrics.highest_thermal = metrics.highest_thermal.max(fuse.highest_share());
            }
            metrics.typical_trips += pole.typical.trips();
            let lasting = pole.overload.map(|overload| overload.ends(end_s));
            self.reliefs_s.extend(lasting);
        }
        metrics.above_rating_as += self.above_as;
        for (relief_s, answer_s) in self.reliefs_s {
            metrics.reliefs_s.push(relief_s);
            metrics.answers_s.push(answer_s);
        }
        metrics.first_trip_s = match (metrics.first_trip_s, self.first_trip_s) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (one, other) => one.or(other),
        };
    }
}

/// Jain's index of fairness: 1 when all have the same, 1/n when one has everything.
pub fn jain(values: &[f64]) -> f64 {
    let count = f64::from(u32::try_from(values.len()).unwrap_or(u32::MAX));
    let sum: f64 = values.iter().sum();
    let squares: f64 = values.iter().map(|value| value * value).sum();
    if squares <= 0.0 {
        1.0
    } else {
        sum * sum / (count * squares)
    }
}

/// Of sorted times, the one that 99 of 100 are not above.
fn p99(sorted: &[f64]) -> f64 {
    let rank = (sorted.len() * 99).div_ceil(100);
    let at = sorted.get(rank.saturating_sub(1));
    at.copied().unwrap_or_default()
}

/// The numbers of a controller in a scenario over all seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The scenario.
    pub scenario: String,
    /// The controller.
    pub controller: String,
    /// Whether the scenario counts in the mean of households.
    pub household: bool,
    /// Trips of the fastest device per day.
    pub trips_per_day: f64,
    /// In how many seeds the fastest device opened.
    pub seeds_with_trips: u32,
    /// Trips of a typical device per day.
    pub typical_trips_per_day: f64,
    /// Highest thermal state of all seeds.
    pub highest_thermal: f64,
    /// Ampere-seconds above the rating, mean of the seeds.
    pub above_rating_as: f64,
    /// Share of the clairvoyant's energy: mean.
    pub energy_share: f64,
    /// And the worst seed.
    pub energy_share_worst: f64,
    /// Commands per hour and car: mean.
    pub commands_per_hour: f64,
    /// And the worst seed.
    pub commands_per_hour_worst: f64,
    /// Commands per hour of the day and car, whether one is there or not: mean.
    pub commands_per_hour_of_day: f64,
    /// Contactor closings per day and car: mean.
    pub closings_per_day: f64,
    /// And the worst seed.
    pub closings_per_day_worst: f64,
    /// Jain's index: mean.
    pub jain: f64,
    /// And the worst seed.
    pub jain_worst: f64,
    /// Overloads over all seeds.
    pub overloads: u32,
    /// Time from overload to relief, 99 of 100, in seconds.
    pub relief_p99_s: f64,
    /// And the longest.
    pub relief_worst_s: f64,
    /// Time from the newest rise of the house in an overload to relief, 99 of 100, in seconds.
    pub answer_p99_s: f64,
    /// Minutes without comfort: mean.
    pub comfort_missed_min: f64,
    /// The runs behind it.
    pub runs: Vec<RunMetrics>,
}

impl Summary {
    /// Of the runs of one controller in one scenario.
    pub fn new(scenario: &Scenario, controller: &str, runs: Vec<RunMetrics>) -> Self {
        let days = scenario.duration_h / 24.0;
        let count = f64::from(u32::try_from(runs.len()).unwrap_or(u32::MAX).max(1));
        let mean = |value: fn(&RunMetrics) -> f64| runs.iter().map(value).sum::<f64>() / count;
        let most = |value: fn(&RunMetrics) -> f64| runs.iter().map(value).fold(0.0, f64::max);
        let least =
            |value: fn(&RunMetrics) -> f64| runs.iter().map(value).fold(f64::INFINITY, f64::min);
        let sorted = |times: fn(&RunMetrics) -> &Vec<f64>| {
            let mut all: Vec<f64> = runs.iter().flat_map(|run| times(run).clone()).collect();
            all.sort_unstable_by(f64::total_cmp);
            all
        };
        let reliefs_s = sorted(|run| &run.reliefs_s);
        let tripped = runs.iter().filter(|run| run.trips > 0).count();
        Self {
            scenario: scenario.name.clone(),
            controller: controller.to_owned(),
            household: scenario.household,
            trips_per_day: mean(|run| f64::from(run.trips)) / days,
            seeds_with_trips: u32::try_from(tripped).unwrap_or(u32::MAX),
            typical_trips_per_day: mean(|run| f64::from(run.typical_trips)) / days,
            highest_thermal: most(|run| run.highest_thermal),
            above_rating_as: mean(|run| run.above_rating_as),
            energy_share: mean(|run| run.energy_share),
            energy_share_worst: least(|run| run.energy_share),
            commands_per_hour: mean(|run| run.commands_per_hour),
            commands_per_hour_worst: most(|run| run.commands_per_hour),
            commands_per_hour_of_day: mean(|run| run.commands_per_hour_of_day),
            closings_per_day: mean(|run| run.closings_per_day),
            closings_per_day_worst: most(|run| run.closings_per_day),
            jain: mean(|run| run.jain),
            jain_worst: least(|run| run.jain),
            overloads: u32::try_from(reliefs_s.len()).unwrap_or(u32::MAX),
            relief_p99_s: p99(&reliefs_s),
            relief_worst_s: reliefs_s.last().copied().unwrap_or_default(),
            answer_p99_s: p99(&sorted(|run| &run.answers_s)),
            comfort_missed_min: mean(|run| run.comfort_missed_min),
            runs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jain_is_one_for_equals_and_a_share_for_one_of_many() {
        assert!((jain(&[0.5, 0.5, 0.5]) - 1.0).abs() < 1e-12);
        assert!((jain(&[1.0, 0.0, 0.0, 0.0]) - 0.25).abs() < 1e-12);
        assert!((jain(&[0.0]) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn an_overload_counts_while_something_could_be_lowered() {
        let text = "title = \"t\"\nchargers = []\n[site]\n[background]\nkind = \"constant\"\namps = [0, 0, 0]";
        let scenario = Scenario::parse("t", text).unwrap();
        let mut watch = Watch::new(&scenario, None, 1.0);
        let mut second = 0.0;
        let mut flow = |watch: &mut Watch, seconds: u32, amps: f64, lowerable: f64| {
            for _ in 0..seconds {
                second += 1.0;
                let amps = PerPhase([amps, 0.0, 0.0]);
                let house = PerPhase([amps.get(Phase::L1) - lowerable, 0.0, 0.0]);
                watch.step(second, 1.0, amps, house, || PerPhase::all(lowerable));
            }
        };
        flow(&mut watch, 5, 16.0, 6.0);
        flow(&mut watch, 4, 17.0, 6.0);
        flow(&mut watch, 5, 16.0, 6.0);
        // Nothing to lower: no overload of ours.
        flow(&mut watch, 5, 17.0, 0.0);
        flow(&mut watch, 3, 17.0, 6.0);
        // The house rises by 2 A beside a cut of 1 A, and noise is no rise.
        flow(&mut watch, 2, 18.0, 5.0);
        flow(&mut watch, 2, 18.2, 5.0);
        let mut metrics = RunMetrics::default();
        watch.add_to(26.0, &mut metrics);
        assert_eq!(metrics.reliefs_s, [4.0, 7.0]);
        assert_eq!(metrics.answers_s, [4.0, 4.0]);
        assert!((metrics.above_rating_as - 20.4).abs() < 1e-9);
        assert_eq!(metrics.trips, 0);
    }
}
