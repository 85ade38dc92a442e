//! The smart meter: what it says of the lines, how often, how late, and how coarsely.
//!
//! A sample is the mean over the last second before its moment, as meters measure. Currents are cut, not
//! rounded, to the meter's steps: a meter of whole amperes that says 4 means 4 to 5 A.

use std::collections::VecDeque;

use headroom_core::units::{Milliamps, Millivolts, PerPhase, Phase, Vars, Watts};
use serde::{Deserialize, Serialize};

use crate::current::Currents;
use crate::random::Random;
use crate::voltage::in_steps;
use crate::{millis, seconds};

/// Samples on their way to the reader; a reader that does not fetch them loses the oldest.
const UNREAD_MAX: usize = 64;
/// A sample is the mean over this time, in milliseconds.
const WINDOW_MS: u64 = 1000;

/// A kind of meter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MeterSpec {
    /// Seconds between samples.
    pub period_s: f64,
    /// Seconds from the measurement to the last byte at the port.
    pub latency_s: f64,
    /// Share of samples that never arrive, 0 to 1.
    pub loss: f64,
    /// Most samples in a row that never arrive; `None`: as chance has it.
    pub losses_in_a_row: Option<u32>,
    /// Seconds between messages of the powers alone, besides the samples with everything; `None`: none.
    pub power_period_s: Option<f64>,
    /// Resolution of the currents, in amperes.
    pub current_step_a: Milliamps,
    /// Resolution of the voltages, in volts.
    pub voltage_step_v: Millivolts,
    /// Register of imported energy at the beginning, in kWh.
    pub energy_import_kwh: f64,
}

impl Default for MeterSpec {
    /// A meter of the Swedish kind, every second.
    fn default() -> Self {
        Self {
            period_s: 1.0,
            latency_s: 0.1,
            loss: 0.0,
            losses_in_a_row: None,
            power_period_s: None,
            current_step_a: Milliamps(100),
            voltage_step_v: Millivolts(100),
            energy_import_kwh: 12_345.678,
        }
    }
}

/// What the meter says at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MeterSample {
    /// The end of the second that was measured, in virtual milliseconds.
    pub measured_at_ms: u64,
    /// A message of the powers alone: what else is here, this message does not say.
    pub powers_only: bool,
    /// Magnitudes of the currents, cut to whole steps.
    pub currents: PerPhase<Milliamps>,
    /// The steps of the currents.
    pub current_step: Milliamps,
    /// Voltages between line and neutral.
    pub voltages: PerPhase<Millivolts>,
    /// Active power of each line; import is positive.
    pub powers: PerPhase<Watts>,
    /// Reactive power of all lines; inductive import is positive.
    pub reactive: Vars,
    /// Register of imported energy, in watt-hours.
    pub energy_import_wh: u64,
    /// Register of exported energy, in watt-hours.
    pub energy_export_wh: u64,
}

impl MeterSample {
    /// Active power of all lines; import is positive.
    pub fn power(&self) -> Watts {
        self.powers.0.into_iter().sum()
    }
}

/// The meter at work.
#[derive(Clone, Debug)]
pub struct Meter {
    spec: MeterSpec,
    random: Random,
    window: VecDeque<(Currents, PerPhase<f64>)>,
    tick_ms: u64,
    next_ms: u64,
    next_power_ms: Option<u64>,
    lost_in_a_row: u32,
    import_wh: f64,
    export_wh: f64,
    cable: bool,
    unread: VecDeque<(u64, MeterSample)>,
}

impl Meter {
    /// With its cable plugged in; `name` tells its random numbers from those of other meters.
    pub fn new(spec: MeterSpec, tick_ms: u64, seed: u64, name: &str) -> Self {
        let next_ms = millis(spec.period_s).max(tick_ms);
        let next_power_ms = spec.power_period_s.map(|s| millis(s).max(tick_ms));
        let import_wh = spec.energy_import_kwh * 1000.0;
        Self {
            spec,
            random: Random::new(seed, name),
            window: VecDeque::new(),
            tick_ms,
            next_ms,
            next_power_ms,
            lost_in_a_row: 0,
            import_wh,
            export_wh: 0.0,
            cable: true,
            unread: VecDeque::new(),
        }
    }

    /// Pulls the cable to the reader, or plugs it in again. What is on its way is lost.
    pub fn set_cable(&mut self, plugged_in: bool) {
        self.cable = plugged_in;
        if !plugged_in {
            self.unread.clear();
        }
    }

    /// Whether the cable is plugged in.
    pub fn cable(&self) -> bool {
        self.cable
    }

    /// The oldest sample that has arrived at the reader by `now_ms` and was not fetched yet.
    pub fn fetch(&mut self, now_ms: u64) -> Option<MeterSample> {
        let (arrives_ms, _) = self.unread.front()?;
        if *arrives_ms > now_ms {
            return None;
        }
        self.unread.pop_front().map(|(_, sample)| sample)
    }

    /// Measures one tick that ends at `now_ms`.
    pub(crate) fn step(&mut self, now_ms: u64, currents: &Currents, volts: PerPhase<f64>) {
        if self.window.len() as u64 * self.tick_ms >= WINDOW_MS {
            self.window.pop_front();
        }
        self.window.push_back((*currents, volts));
        let power: f64 = Phase::ALL
            .into_iter()
            .map(|phase| currents.branches.get(phase).active_a * volts.get(phase))
            .sum();
        let watt_hours = power * seconds(self.tick_ms) / 3600.0;
        if watt_hours >= 0.0 {
            self.import_wh += watt_hours;
        } else {
            self.export_wh -= watt_hours;
        }
        let powers_due = self.next_power_ms.is_some_and(|at_ms| now_ms >= at_ms);
        if powers_due {
            let period_ms = millis(self.spec.power_period_s.unwrap_or_default());
            self.next_power_ms = self
                .next_power_ms
                .map(|at_ms| at_ms + period_ms.max(self.tick_ms));
        }
        if now_ms >= self.next_ms {
            self.next_ms += millis(self.spec.period_s).max(self.tick_ms);
            let sample = self.sample(now_ms);
            self.send(now_ms, sample);
        } else if powers_due {
            let sample = MeterSample {
                powers_only: true,
                ..self.sample(now_ms)
            };
            self.send(now_ms, sample);
        }
    }

    /// Sends a sample, unless the line loses it.
    fn send(&mut self, now_ms: u64, sample: MeterSample) {
        let most = self.spec.losses_in_a_row.unwrap_or(u32::MAX);
        let lost = self.random.chance(self.spec.loss) && self.lost_in_a_row < most;
        if lost || !self.cable {
            self.lost_in_a_row = self.lost_in_a_row.saturating_add(1);
            return;
        }
        self.lost_in_a_row = 0;
        if self.unread.len() >= UNREAD_MAX {
            self.unread.pop_front();
        }
        self.unread
            .push_back((now_ms + millis(self.spec.latency_s), sample));
    }

    fn sample(&self, now_ms: u64) -> MeterSample {
        let count = f64::from(u32::try_from(self.window.len()).unwrap_or(u32::MAX).max(1));
        let mean = |value: &dyn Fn(&Currents, &PerPhase<f64>) -> f64| -> f64 {
            self.window
                .iter()
                .map(|(currents, volts)| value(currents, volts))
                .sum::<f64>()
                / count
        };
        let step = self.spec.current_step_a.0.max(1);
        let lines = PerPhase(Phase::ALL);
        // RMS over the second, as instruments form it.
        let squares = self
            .window
            .iter()
            .map(|(currents, _)| currents.line_amps())
            .fold(PerPhase::all(0.0), |sum: PerPhase<f64>, amps| {
                sum.zip_with(&amps, |sum, amps| sum + amps * amps)
            });
        let currents = squares.map(|square| {
            let exact = Milliamps::from_f64((square / count).sqrt()).unwrap_or_default();
            Milliamps(exact.0.div_euclid(step) * step)
        });
        let watts = |phase: Phase| {
            mean(&|currents, volts| currents.branches.get(phase).active_a * volts.get(phase))
        };
        let reactive: f64 = Phase::ALL
            .into_iter()
            .map(|phase| {
                mean(&|currents, volts| currents.branches.get(phase).reactive_a * volts.get(phase))
            })
            .sum();
        MeterSample {
            measured_at_ms: now_ms,
            powers_only: false,
            currents,
            current_step: Milliamps(step),
            voltages: lines.map(|phase| {
                in_steps(mean(&|_, volts| volts.get(phase)), self.spec.voltage_step_v)
            }),
            powers: lines.map(|phase| Watts::from_f64(watts(phase)).unwrap_or_default()),
            reactive: Vars::from_f64(reactive).unwrap_or_default(),
            energy_import_wh: whole(self.import_wh),
            energy_export_wh: whole(self.export_wh),
        }
    }
}

/// A register shows whole watt-hours, never more than have flowed.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped before"
)]
fn whole(watt_hours: f64) -> u64 {
    watt_hours.clamp(0.0, 1e15) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::current::Current;

    fn meter_of(spec: MeterSpec) -> Meter {
        Meter::new(spec, 100, 1, "meter")
    }

    fn run(meter: &mut Meter, from_ms: u64, to_ms: u64, amps: f64) -> Vec<MeterSample> {
        let mut currents = Currents::default();
        currents.add(Phase::L3, Current::new(amps, 1.0));
        let mut samples = Vec::new();
        let mut now_ms = from_ms;
        while now_ms < to_ms {
            now_ms += 100;
            meter.step(now_ms, &currents, PerPhase::all(230.0));
            samples.extend(std::iter::from_fn(|| meter.fetch(now_ms)));
        }
        samples
    }

    #[test]
    fn currents_are_cut_to_the_steps_of_the_meter() {
        for (step, expected) in [(100, 9_900), (1000, 9_000), (10, 9_990)] {
            let spec = MeterSpec {
                current_step_a: Milliamps(step),
                ..MeterSpec::default()
            };
            let samples = run(&mut meter_of(spec), 0, 3000, 9.999);
            assert_eq!(
                samples.last().unwrap().currents.get(Phase::L3),
                Milliamps(expected)
            );
            assert_eq!(samples.last().unwrap().power(), Watts(2300));
        }
    }

    #[test]
    fn samples_come_with_their_period_and_latency() {
        let spec = MeterSpec {
            period_s: 10.0,
            latency_s: 2.0,
            ..MeterSpec::default()
        };
        let mut meter = meter_of(spec);
        assert_eq!(run(&mut meter, 0, 11_900, 1.0), []);
        let samples = run(&mut meter, 11_900, 22_000, 1.0);
        let at: Vec<u64> = samples.iter().map(|sample| sample.measured_at_ms).collect();
        assert_eq!(at, [10_000, 20_000]);
    }

    #[test]
    fn a_pulled_cable_says_nothing_and_energy_goes_on() {
        let mut meter = meter_of(MeterSpec::default());
        run(&mut meter, 0, 10_000, 10.0);
        meter.set_cable(false);
        assert_eq!(run(&mut meter, 10_000, 3_600_000, 10.0), []);
        meter.set_cable(true);
        let samples = run(&mut meter, 3_600_000, 3_601_200, 10.0);
        assert_eq!(samples.last().unwrap().energy_import_wh, 12_345_678 + 2300);
    }

    #[test]
    fn half_of_the_samples_of_a_bad_line_are_lost() {
        let spec = MeterSpec {
            loss: 0.5,
            ..MeterSpec::default()
        };
        let count = run(&mut meter_of(spec), 0, 1_000_000, 1.0).len();
        assert!((450..550).contains(&count), "{count}");
    }
}
