//! The house: everything on its three lines, stepped together.

use headroom_core::units::{Milliamps, PerPhase};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::appliance::{Appliance, ApplianceSpec, BaseLoad, ScriptedRun};
use crate::charge_point::{ChargePoint, ChargePointSpec};
use crate::current::{Currents, Wiring};
use crate::heater::{Heater, HeaterSpec};
use crate::meter::{Meter, MeterSample, MeterSpec};
use crate::millis;
use crate::voltage::Supply;

/// The step of the plant unless its description says another, in milliseconds: ten within the second that
/// a meter averages.
pub const TICK_MS: u64 = 100;

/// A house.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HouseSpec {
    /// The step of the plant, in milliseconds: 100, or 1000 where days must pass in seconds.
    pub tick_ms: u64,
    /// Whether loads hang between lines without neutral (IT); else between line and neutral.
    pub delta: bool,
    /// Voltage of a branch (between line and neutral, or between lines), in volts.
    pub nominal_voltage_v: f64,
    /// Its meter.
    pub meter: MeterSpec,
    /// What is always there on each line, in watts.
    pub base_w: [f64; 3],
    /// What people and thermostats switch.
    pub appliances: Vec<ApplianceSpec>,
    /// Runs of appliances at given times.
    pub script: Vec<ScriptedRun>,
    /// Charge points, each with its car.
    pub charge_points: Vec<ChargePointSpec>,
    /// Water heaters behind relays.
    pub heaters: Vec<HeaterSpec>,
}

impl Default for HouseSpec {
    /// An empty house.
    fn default() -> Self {
        Self {
            tick_ms: TICK_MS,
            delta: false,
            nominal_voltage_v: 230.0,
            meter: MeterSpec::default(),
            base_w: [0.0; 3],
            appliances: Vec::new(),
            script: Vec::new(),
            charge_points: Vec::new(),
            heaters: Vec::new(),
        }
    }
}

/// There is no such device.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there is no {kind} called \"{id}\" in this house")]
pub struct UnknownDevice {
    /// What was looked for.
    pub kind: &'static str,
    /// The name that nothing has.
    pub id: String,
}

/// A house at work.
#[derive(Clone, Debug)]
pub struct House {
    now_ms: u64,
    tick_ms: u64,
    /// What flows besides everything described: the benchmark's background.
    background: Currents,
    base: BaseLoad,
    appliances: Vec<Appliance>,
    script: Vec<ScriptedRun>,
    charge_points: Vec<ChargePoint>,
    heaters: Vec<Heater>,
    supply: Supply,
    volts: PerPhase<f64>,
    meter: Meter,
    currents: Currents,
    highest: PerPhase<Milliamps>,
}

impl House {
    /// At time 0. The same seed gives the same house.
    pub fn new(spec: HouseSpec, seed: u64) -> Self {
        let wiring = if spec.delta {
            Wiring::Delta
        } else {
            Wiring::Star
        };
        let tick_ms = spec.tick_ms.max(1);
        Self {
            now_ms: 0,
            tick_ms,
            background: Currents::none(wiring),
            base: BaseLoad::new(spec.base_w, seed),
            appliances: spec
                .appliances
                .into_iter()
                .map(|one| Appliance::new(one, seed))
                .collect(),
            script: spec.script,
            charge_points: spec
                .charge_points
                .into_iter()
                .map(|one| ChargePoint::new(one, seed))
                .collect(),
            heaters: spec
                .heaters
                .into_iter()
                .map(|one| Heater::new(one, seed))
                .collect(),
            supply: Supply::new(spec.nominal_voltage_v, seed),
            volts: PerPhase::all(spec.nominal_voltage_v),
            meter: Meter::new(spec.meter, tick_ms, seed, "meter"),
            currents: Currents::none(wiring),
            highest: PerPhase::default(),
        }
    }

    /// Lets time pass, in whole ticks, as far as they fit before `now_ms`.
    pub fn step(&mut self, now_ms: u64) {
        while self.now_ms + self.tick_ms <= now_ms {
            self.tick();
        }
    }

    /// Sets what flows besides everything that is described, until it is set again.
    pub fn set_background(&mut self, background: Currents) {
        self.background.branches = background.branches;
    }

    /// What the house itself draws now.
    pub fn background(&self) -> &Currents {
        &self.background
    }

    /// What flows on the branches now.
    pub fn branches(&self) -> &Currents {
        &self.currents
    }

    /// Virtual time, in milliseconds: the end of the last tick.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// What flows on the lines now.
    pub fn currents(&self) -> PerPhase<Milliamps> {
        self.currents.magnitudes()
    }

    /// Voltages of the branches now, in volts.
    pub fn voltages(&self) -> PerPhase<f64> {
        self.volts
    }

    /// The highest current of one tick that each line has carried.
    pub fn highest(&self) -> PerPhase<Milliamps> {
        self.highest
    }

    /// The oldest sample of the meter that has arrived and was not fetched yet.
    pub fn fetch_sample(&mut self) -> Option<MeterSample> {
        self.meter.fetch(self.now_ms)
    }

    /// The oldest sample that arrives by a time within the present tick and was not fetched yet.
    pub(crate) fn fetch_sample_by(&mut self, ms: u64) -> Option<MeterSample> {
        self.meter.fetch(ms)
    }

    /// Pulls the meter's cable, or plugs it in again.
    pub fn set_meter_cable(&mut self, plugged_in: bool) {
        self.meter.set_cable(plugged_in);
    }

    /// Whether the meter's cable is plugged in.
    pub fn meter_cable(&self) -> bool {
        self.meter.cable()
    }

    /// Switches an appliance on for a time.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn switch_on(&mut self, appliance: &str, for_ms: u64) -> Result<(), UnknownDevice> {
        let now_ms = self.now_ms;
        self.appliance(appliance)?.start(now_ms, for_ms);
        Ok(())
    }

    /// Switches an appliance off.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn switch_off(&mut self, appliance: &str) -> Result<(), UnknownDevice> {
        let now_ms = self.now_ms;
        self.appliance(appliance)?.stop(now_ms);
        Ok(())
    }

    /// The appliances that are running.
    pub fn running(&self) -> impl Iterator<Item = &str> {
        self.appliances
            .iter()
            .filter(|one| one.is_running())
            .map(Appliance::name)
    }

    /// The charge points.
    pub fn charge_points(&self) -> &[ChargePoint] {
        &self.charge_points
    }

    /// Builds in one more charge point, with its car on the way.
    pub fn add_charge_point(&mut self, spec: ChargePointSpec, seed: u64) {
        self.charge_points.push(ChargePoint::new(spec, seed));
    }

    /// A charge point, to command it or break it.
    ///
    /// # Errors
    /// If there is none with this identity.
    pub fn charge_point(&mut self, id: &str) -> Result<&mut ChargePoint, UnknownDevice> {
        find(&mut self.charge_points, "charge point", id, ChargePoint::id)
    }

    /// The water heaters.
    pub fn heaters(&self) -> &[Heater] {
        &self.heaters
    }

    /// A water heater, to switch its relay or break it.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn heater(&mut self, id: &str) -> Result<&mut Heater, UnknownDevice> {
        find(&mut self.heaters, "water heater", id, Heater::id)
    }

    fn appliance(&mut self, name: &str) -> Result<&mut Appliance, UnknownDevice> {
        find(&mut self.appliances, "appliance", name, Appliance::name)
    }

    fn tick(&mut self) {
        let before_ms = self.now_ms;
        self.now_ms += self.tick_ms;
        let now_ms = self.now_ms;
        for run in self
            .script
            .iter()
            .filter(|run| run.begins(before_ms, now_ms))
        {
            let named = self
                .appliances
                .iter_mut()
                .find(|one| one.name() == run.appliance);
            if let Some(appliance) = named {
                appliance.start(now_ms, millis(run.for_s));
            }
        }
        let mut currents = self.background;
        self.base.step(now_ms, &mut currents);
        for appliance in &mut self.appliances {
            appliance.step(now_ms, &mut currents);
        }
        for heater in &mut self.heaters {
            heater.step(now_ms, self.tick_ms, &mut currents);
        }
        for charge_point in &mut self.charge_points {
            charge_point.step(now_ms, self.tick_ms, self.volts, &mut currents);
        }
        self.volts = self.supply.step(&currents);
        self.meter.step(now_ms, &currents, self.volts);
        self.highest = self
            .highest
            .zip_with(&currents.magnitudes(), Milliamps::max);
        self.currents = currents;
    }
}

fn find<'a, T>(
    devices: &'a mut [T],
    kind: &'static str,
    id: &str,
    name: impl Fn(&T) -> &str,
) -> Result<&'a mut T, UnknownDevice> {
    devices
        .iter_mut()
        .find(|device| name(device) == id)
        .ok_or_else(|| UnknownDevice {
            kind,
            id: id.to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use headroom_core::units::Phase;

    use super::*;
    use crate::demo;
    use crate::profile::Limit;

    fn amps(house: &House, phase: Phase) -> f64 {
        house.currents().get(phase).to_f64()
    }

    #[test]
    fn the_same_seed_and_commands_give_the_same_samples() {
        let samples = |seed, stride: u64| {
            let mut house = House::new(demo::house(), seed);
            let mut samples = Vec::new();
            for now_ms in (0..=600_000).step_by(usize::try_from(stride).unwrap()) {
                house.step(now_ms);
                if now_ms == 30_000 {
                    let limit = Limit {
                        amps: 10.0,
                        phases: 3,
                    };
                    house
                        .charge_point("ev1")
                        .unwrap()
                        .lease(limit, 300, 0.0)
                        .unwrap();
                }
                samples.extend(std::iter::from_fn(|| house.fetch_sample()));
            }
            samples
        };
        let once = samples(1, 100);
        assert!(once.len() > 590, "{}", once.len());
        assert_eq!(once, samples(1, 100));
        assert_eq!(once, samples(1, 1000), "the caller's steps do not matter");
        assert_ne!(once, samples(2, 100));
    }

    #[test]
    fn the_meter_sees_what_the_cars_and_the_heater_draw() {
        let mut house = House::new(
            HouseSpec {
                appliances: Vec::new(),
                script: Vec::new(),
                base_w: [0.0; 3],
                ..demo::house()
            },
            1,
        );
        house.heater("heater").unwrap().switch(0, true, None);
        for (id, amps, phases) in [("ev1", 10.0, 3), ("ev2", 8.0, 1)] {
            let limit = Limit { amps, phases };
            house
                .charge_point(id)
                .unwrap()
                .lease(limit, 600, 0.0)
                .unwrap();
        }
        house.step(120_000);
        let sample = std::iter::from_fn(|| house.fetch_sample()).last().unwrap();
        let PerPhase([l1, l2, l3]) = sample.currents.map(Milliamps::to_f64);
        // The heater adds to the first line, the second car to the third.
        assert!((l1 - 18.6).abs() < 0.2, "{l1}");
        assert!((l2 - 10.0).abs() < 0.2, "{l2}");
        assert!((l3 - 18.0).abs() < 0.2, "{l3}");
        let expected = 230.0 * (18.6 + 10.0 + 18.0);
        assert!((sample.power().to_f64() - expected).abs() < 0.03 * expected);
    }

    #[test]
    fn people_can_switch_appliances_and_the_record_keeps_the_highest_current() {
        let mut house = House::new(
            HouseSpec {
                script: Vec::new(),
                ..demo::house()
            },
            1,
        );
        house.step(1000);
        let before = amps(&house, Phase::L2);
        house.switch_on("oven", 60_000).unwrap();
        house.step(2000);
        assert!(amps(&house, Phase::L2) > before + 8.0);
        assert!(house.running().any(|name| name == "oven"));
        house.switch_off("oven").unwrap();
        house.step(3000);
        assert!(amps(&house, Phase::L2) < before + 1.0);
        assert!(house.highest().get(Phase::L2).to_f64() > before + 8.0);
        assert_eq!(
            house.switch_on("sauna", 1).unwrap_err().to_string(),
            "there is no appliance called \"sauna\" in this house"
        );
    }
}
