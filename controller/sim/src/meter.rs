//! The smart meter: what it says of the lines, how often, how late, and how coarsely.
//!
//! A sample is the mean over the last second before its moment, as meters measure. Currents are cut, not
//! rounded, to the meter's steps: a meter of whole amperes that says 4 means 4 to 5 A.

use std::collections::VecDeque;

use headroom_core::units::{Milliamps, Millivolts, PerPhase, Phase, Vars, Watts};
use serde::{Deserialize, Serialize};

use crate::current::Currents;
use crate::house::TICK_MS;
use crate::random::Random;
use crate::voltage::in_steps;
use crate::{millis, seconds};

/// Samples on their way to the reader; a reader that does not fetch them loses the oldest.
const UNREAD_MAX: usize = 64;
/// Ticks of the second that a sample is the mean of.
const WINDOW: usize = (1000 / TICK_MS) as usize;

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
    next_ms: u64,
    import_wh: f64,
    export_wh: f64,
    cable: bool,
    unread: VecDeque<(u64, MeterSample)>,
}

impl Meter {
    /// With its cable plugged in.
    pub fn new(spec: MeterSpec, seed: u64) -> Self {
        let next_ms = millis(spec.period_s).max(TICK_MS);
        let import_wh = spec.energy_import_kwh * 1000.0;
        Self {
            spec,
            random: Random::new(seed, "meter"),
            window: VecDeque::with_capacity(WINDOW),
            next_ms,
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
        if self.window.len() >= WINDOW {
            self.window.pop_front();
        }
        self.window.push_back((*currents, volts));
        let power: f64 = Phase::ALL
            .into_iter()
            .map(|phase| currents.0.get(phase).active_a * volts.get(phase))
            .sum();
        let watt_hours = power * seconds(TICK_MS) / 3600.0;
        if watt_hours >= 0.0 {
            self.import_wh += watt_hours;
        } else {
            self.export_wh -= watt_hours;
        }
        if now_ms < self.next_ms {
            return;
        }
        self.next_ms += millis(self.spec.period_s).max(TICK_MS);
        let sample = self.sample(now_ms);
        if self.random.chance(self.spec.loss) || !self.cable {
            return;
        }
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
        let currents = lines.map(|phase| {
            // RMS over the second, as instruments form it.
            let square = mean(&|currents, _| {
                let amps = currents.0.get(phase).magnitude();
                amps * amps
            });
            let exact = Milliamps::from_f64(square.sqrt()).unwrap_or_default().0;
            Milliamps(exact.div_euclid(step) * step)
        });
        let watts = |phase: Phase| {
            mean(&|currents, volts| currents.0.get(phase).active_a * volts.get(phase))
        };
        let reactive: f64 = Phase::ALL
            .into_iter()
            .map(|phase| {
                mean(&|currents, volts| currents.0.get(phase).reactive_a * volts.get(phase))
            })
            .sum();
        MeterSample {
            measured_at_ms: now_ms,
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

    fn run(meter: &mut Meter, from_ms: u64, to_ms: u64, amps: f64) -> Vec<MeterSample> {
        let mut currents = Currents::default();
        currents.add(Phase::L3, Current::new(amps, 1.0));
        let mut samples = Vec::new();
        let mut now_ms = from_ms;
        while now_ms < to_ms {
            now_ms += TICK_MS;
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
            let samples = run(&mut Meter::new(spec, 1), 0, 3000, 9.999);
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
        let mut meter = Meter::new(spec, 1);
        assert_eq!(run(&mut meter, 0, 11_900, 1.0), []);
        let samples = run(&mut meter, 11_900, 22_000, 1.0);
        let at: Vec<u64> = samples.iter().map(|sample| sample.measured_at_ms).collect();
        assert_eq!(at, [10_000, 20_000]);
    }

    #[test]
    fn a_pulled_cable_says_nothing_and_energy_goes_on() {
        let mut meter = Meter::new(MeterSpec::default(), 1);
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
        let count = run(&mut Meter::new(spec, 1), 0, 1_000_000, 1.0).len();
        assert!((450..550).contains(&count), "{count}");
    }
}
