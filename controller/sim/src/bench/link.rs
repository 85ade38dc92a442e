//! What lies between the devices and the controller: readings as their kind of meter tells them, and
//! one charger's link.

use headroom_core::config::{Charger, Grid};
use headroom_core::event::{ChargerStatus, PhaseReading, Reading};
use headroom_core::units::{Milliamps, Phase};

use super::scenario::{Link, SecondLine};
use crate::charge_point::{ChargePoint, ConnectorStatus};
use crate::meter::MeterSample;
use crate::millis;

/// Meters with steps from here on are counted with the upper end of the step, as `headroom run` does it…
const WHOLE_AMPERE: Milliamps = Milliamps::from_amps(1);
/// …which is this much short of the next one.
const BELOW_NEXT_STEP: Milliamps = Milliamps(10);

/// A charger as the run keeps it.
#[derive(Clone, Debug)]
pub(super) struct PointState {
    pub(super) id: String,
    pub(super) link: Link,
    pub(super) safe_a: f64,
    range: std::ops::RangeInclusive<Milliamps>,
    /// The status that was reported last.
    pub(super) status: Option<ChargerStatus>,
    next_report_ms: u64,
    told: Option<(Milliamps, u8)>,
    /// It offers what it offers.
    pub(super) stuck: bool,
    /// It cannot be reached.
    pub(super) dead: bool,
    was_drawing: bool,
    pub(super) commands: u32,
    pub(super) closings: u32,
    pub(super) present_s: f64,
    /// Ampere-seconds over all phases.
    pub(super) charge_as: f64,
}

impl PointState {
    pub(super) fn new(charger: &Charger, link: Link, skew_ms: u64) -> Self {
        Self {
            id: charger.id.clone(),
            link,
            safe_a: charger.safe_current_a.to_f64(),
            range: charger.min_current_a..=charger.max_current_a,
            status: None,
            next_report_ms: skew_ms,
            told: None,
            stuck: false,
            dead: false,
            was_drawing: false,
            commands: 0,
            closings: 0,
            present_s: 0.0,
            charge_as: 0.0,
        }
    }

    /// Whether it does what it is told.
    pub(super) fn obeys(&self) -> bool {
        !self.stuck && !self.dead
    }

    /// Whether it can be told this: nothing, or from its least to its most.
    pub(super) fn allows(&self, limit: Milliamps) -> bool {
        limit == Milliamps::ZERO || self.range.contains(&limit)
    }

    /// Counts a command if it differs from the last.
    pub(super) fn count(&mut self, limit: Milliamps, phases: u8) {
        if self.told != Some((limit, phases)) {
            self.told = Some((limit, phases));
            self.commands += 1;
        }
    }

    /// From a command to the pilot and to its answer, in milliseconds.
    pub(super) fn ways_ms(&self) -> (u64, u64) {
        let answer_s = self.link.answer_s.unwrap_or(self.link.latency_s.min(1.0));
        (millis(self.link.latency_s), millis(answer_s))
    }

    pub(super) fn report_due(&self, now_ms: u64) -> bool {
        now_ms >= self.next_report_ms
    }

    pub(super) fn reported(&mut self, now_ms: u64, status: ChargerStatus, by_time: bool) {
        self.status = Some(status);
        if by_time {
            let period_ms = millis(self.link.report_s).max(100);
            while self.next_report_ms <= now_ms {
                self.next_report_ms += period_ms;
            }
        }
    }

    /// Measures one step.
    pub(super) fn measure(&mut self, charge_point: &ChargePoint, step_s: f64) {
        let car = charge_point.car();
        let draws = car.amps() > 0.0;
        self.closings += u32::from(draws && !self.was_drawing);
        self.was_drawing = draws;
        if car.plugged_in() {
            self.present_s += step_s;
        }
        self.charge_as += car.amps() * charge_point.power_phases() * step_s;
    }
}

/// State of the connector as the controller hears it.
pub(super) fn charger_status(charge_point: &ChargePoint) -> ChargerStatus {
    match charge_point.status() {
        ConnectorStatus::Available => ChargerStatus::Available,
        ConnectorStatus::Preparing => ChargerStatus::Preparing,
        ConnectorStatus::Charging => ChargerStatus::Charging,
        ConnectorStatus::SuspendedEv => ChargerStatus::SuspendedEv,
        ConnectorStatus::SuspendedEvse => ChargerStatus::SuspendedEvse,
        ConnectorStatus::Finishing => ChargerStatus::Finishing,
        ConnectorStatus::Unavailable => ChargerStatus::Unavailable,
    }
}

/// A reading as this kind of meter tells it. Without neutral the voltages are U12, U13 and U23 (as
/// those of L1, L2 and L3), and there is no power of a line.
pub(super) fn reading(sample: &MeterSample, grid: Grid, l2: SecondLine) -> Reading {
    let power_w = Some(sample.power());
    let lines = grid.phases();
    if sample.powers_only {
        return Reading {
            phases: vec![None; lines.len()],
            power_w,
            ..Reading::default()
        };
    }
    let phases = lines
        .iter()
        .map(|line| {
            let current = upper_end(sample.currents.get(*line), sample.current_step);
            Some(match grid {
                Grid::It3ph => PhaseReading {
                    current_a: match (line, l2) {
                        (Phase::L2, SecondLine::Missing) => None,
                        (Phase::L2, SecondLine::Zero) => Some(Milliamps::ZERO),
                        _ => Some(current),
                    },
                    voltage_v: Some(sample.voltages.get(match line {
                        Phase::L1 => Phase::L1,
                        Phase::L2 => Phase::L3,
                        Phase::L3 => Phase::L2,
                    })),
                    power_w: None,
                },
                Grid::Tn3ph | Grid::Tn1ph => PhaseReading {
                    current_a: Some(current),
                    voltage_v: Some(sample.voltages.get(*line)),
                    power_w: Some(sample.powers.get(*line)),
                },
            })
        })
        .collect();
    Reading {
        phases,
        power_w,
        reactive_var: Some(sample.reactive),
        circuit: None,
    }
}

/// What the translation of telegrams makes of a meter of whole amperes: the highest current that it may mean.
fn upper_end(current: Milliamps, step: Milliamps) -> Milliamps {
    if step < WHOLE_AMPERE {
        current
    } else {
        current + step - BELOW_NEXT_STEP
    }
}

#[cfg(test)]
mod tests {
    use headroom_core::units::{Millivolts, PerPhase, Watts};

    use super::*;

    fn sample() -> MeterSample {
        MeterSample {
            currents: PerPhase([Milliamps(1000), Milliamps(2000), Milliamps(3000)]),
            voltages: PerPhase([
                Millivolts(231_000),
                Millivolts(232_000),
                Millivolts(233_000),
            ]),
            powers: PerPhase([Watts(100), Watts(200), Watts(300)]),
            ..MeterSample::default()
        }
    }

    fn currents(reading: &Reading) -> Vec<Option<i64>> {
        let current = |phase: &Option<PhaseReading>| Some(phase.as_ref()?.current_a?.0);
        reading.phases.iter().map(current).collect()
    }

    #[test]
    fn renewals_are_no_commands_and_limits_have_a_range() {
        let text = "id = \"ev1\"\nmax_current_a = 16\nmin_current_a = 6\n";
        let charger: Charger = toml::from_str(text).unwrap();
        let mut point = PointState::new(&charger, Link::default(), 0);
        for (limit, phases) in [(10, 3), (10, 3), (12, 3), (12, 1), (12, 1)] {
            point.count(Milliamps::from_amps(limit), phases);
        }
        assert_eq!(point.commands, 3);
        let allowed = [0, 5, 6, 16, 17].map(|amps| point.allows(Milliamps::from_amps(amps)));
        assert_eq!(allowed, [true, false, true, true, false]);
    }

    #[test]
    fn a_second_line_is_told_missing_or_nothing() {
        let told = |l2| currents(&reading(&sample(), Grid::It3ph, l2));
        assert_eq!(
            told(SecondLine::Measured),
            [Some(1000), Some(2000), Some(3000)]
        );
        assert_eq!(told(SecondLine::Missing), [Some(1000), None, Some(3000)]);
        assert_eq!(told(SecondLine::Zero), [Some(1000), Some(0), Some(3000)]);
    }

    #[test]
    fn between_lines_the_voltages_are_those_of_12_13_and_23() {
        let reading = reading(&sample(), Grid::It3ph, SecondLine::Measured);
        let volts: Vec<i64> = reading
            .phases
            .iter()
            .map(|phase| phase.unwrap().voltage_v.unwrap().0)
            .collect();
        // The branches are 12, 23 and 31.
        assert_eq!(volts, [231_000, 233_000, 232_000]);
        assert_eq!(reading.power_w, Some(Watts(600)));
        assert_eq!(reading.phases[0].unwrap().power_w, None);
    }

    #[test]
    fn one_phase_is_one_entry_and_a_message_of_powers_has_no_currents() {
        let one = reading(&sample(), Grid::Tn1ph, SecondLine::Measured);
        assert_eq!(currents(&one), [Some(1000)]);
        let mut powers = sample();
        powers.powers_only = true;
        let told = reading(&powers, Grid::Tn3ph, SecondLine::Measured);
        assert_eq!(currents(&told), [None, None, None]);
        assert_eq!(told.power_w, Some(Watts(600)));
    }
}
