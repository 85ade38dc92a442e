//! The house of a scenario, and its background.

use headroom_core::units::{PerPhase, Phase, Watts};

use super::STEP_MS;
use crate::bench::metrics::{RunMetrics, Watch};
use crate::bench::scenario::{MeterModel, Scenario, Tank};
use crate::bench::visit::car_at;
use crate::car::CarSpec;
use crate::charge_point::{ChargePointSpec, Obedience};
use crate::current::{Currents, Wiring};
use crate::heater::{Heater, HeaterSpec};
use crate::house::HouseSpec;
use crate::meter::MeterSpec;
use crate::seconds;

/// A battery that no session fills, in kWh.
const ENDLESS_KWH: f64 = 10_000.0;
/// Share of the energy from the grid that reaches a battery (as [`crate::car`] has it).
pub(super) const EFFICIENCY: f64 = 0.9;

pub(super) fn house_spec(scenario: &Scenario) -> HouseSpec {
    let charge_points = scenario
        .chargers
        .iter()
        .enumerate()
        .map(|(index, charger)| {
            let car = car_at(scenario, &charger.id);
            ChargePointSpec {
                id: charger.id.clone(),
                terminals: scenario.terminals(charger),
                max_current_a: charger.max_current_a.to_f64(),
                phase_switching: charger.phase_switching,
                // Its latency is that of the link, which the run keeps.
                latency_s: 0.0,
                obedience: Obedience::Obeys,
                base_limit_a: Some(charger.safe_current_a.to_f64()),
                reboot_s: 30.0,
                car: CarSpec {
                    arrives_s: 1e12,
                    phases: car.phases,
                    max_current_a: car.max_current_a.unwrap_or(charger.max_current_a.to_f64()),
                    min_current_a: car.min_current_a,
                    battery_kwh: battery_kwh(scenario, index),
                    charged: 0.0,
                    taper_from: 1.0,
                    // With the fall at most 5 s in all (IEC 61851-1).
                    delay_s: (0.5, 3.0),
                    rise_a_per_s: 2.0,
                    fall_a_per_s: 20.0,
                    restart_s: (20.0, 20.0),
                    rests_s: car.rests_s.clone(),
                    away_s: None,
                    power_factor: car.power_factor,
                },
            }
        })
        .collect();
    let heaters = scenario
        .slow_loads
        .iter()
        .map(|load| {
            let tank = tank_at(scenario, &load.id);
            HeaterSpec {
                id: load.id.clone(),
                phases: load
                    .phases
                    .clone()
                    .unwrap_or_else(|| scenario.site.grid.phases().to_vec()),
                rated_w: Watts::to_f64(load.rated_w),
                volume_l: tank.volume_l,
                start_c: tank.start_c,
                setpoint_c: tank.setpoint_c,
                hysteresis_k: 5.0,
                loss_w: 70.0,
                draw_l: tank.draw_l,
                draw_every_s: Some(tank.draw_every_s),
            }
        })
        .collect();
    HouseSpec {
        tick_ms: STEP_MS,
        delta: scenario.is_delta(),
        nominal_voltage_v: scenario.site.nominal_voltage_v.to_f64(),
        meter: meter_spec(&scenario.meter),
        base_w: [0.0; 3],
        appliances: Vec::new(),
        script: Vec::new(),
        charge_points,
        heaters,
    }
}

pub(super) fn meter_spec(model: &MeterModel) -> MeterSpec {
    MeterSpec {
        period_s: model.period_s,
        latency_s: model.latency_s,
        loss: model.loss,
        losses_in_a_row: model.losses_in_a_row,
        power_period_s: model.power_period_s,
        current_step_a: model.current_step_a,
        ..MeterSpec::default()
    }
}

pub(super) fn battery_kwh(scenario: &Scenario, index: usize) -> f64 {
    let Some(charger) = scenario.chargers.get(index) else {
        return ENDLESS_KWH;
    };
    let car = car_at(scenario, &charger.id);
    car.visits
        .as_ref()
        .unwrap_or(&scenario.visits)
        .iter()
        .map(|visit| visit.kwh.map_or(ENDLESS_KWH, |kwh| kwh * EFFICIENCY))
        .fold(0.1, f64::max)
}

pub(super) fn tank_at(scenario: &Scenario, load: &str) -> Tank {
    let named = scenario.tanks.iter().find(|tank| tank.at == load);
    named.cloned().unwrap_or_else(|| Tank::common(load))
}

/// The background of each second; `None`: it is made from the seed, and would nearly open the fastest device alone.
pub(in crate::bench) fn background(scenario: &Scenario, seed: u64) -> Option<Vec<Currents>> {
    let wiring = if scenario.is_delta() {
        Wiring::Delta
    } else {
        Wiring::Star
    };
    let rating = scenario.rating();
    let trace = scenario
        .background
        .trace(wiring, scenario.seconds(), rating, seed);
    if !scenario.background.is_made() {
        return Some(trace);
    }
    let heated = trace
        .iter()
        .map(|currents| with_slow_loads(scenario, currents).line_amps());
    let alone = alone(scenario, heated);
    // Far above the rating it opens without getting warm.
    (alone.trips == 0 && alone.highest_thermal <= 0.9).then_some(trace)
}

/// Whether a background alone opens the fastest device.
pub(in crate::bench) fn opens_alone(scenario: &Scenario, trace: &[Currents]) -> bool {
    alone(scenario, trace.iter().map(Currents::line_amps)).trips > 0
}

/// What currents do to the fastest device while nobody controls anything.
fn alone(scenario: &Scenario, amps: impl Iterator<Item = PerPhase<f64>>) -> RunMetrics {
    let mut watch = Watch::new(scenario, None, seconds(STEP_MS));
    for (second, lines) in (1_u64..).zip(amps) {
        watch.step(seconds(second * 1000), 1.0, lines, lines, || {
            PerPhase::all(0.0)
        });
    }
    let mut metrics = RunMetrics::default();
    watch.add_to(scenario.duration_h * 3600.0, &mut metrics);
    metrics
}

/// A background with the slow loads as their thermostats want them, for who does not control them.
pub(in crate::bench) fn with_tanks(
    scenario: &Scenario,
    background: &[Currents],
    seed: u64,
) -> Vec<Currents> {
    let mut heaters: Vec<Heater> = house_spec(scenario)
        .heaters
        .into_iter()
        .map(|spec| Heater::new(spec, seed))
        .collect();
    for heater in &mut heaters {
        heater.switch(0, true, None);
    }
    (1_u64..)
        .zip(background)
        .map(|(second, currents)| {
            let mut sum = *currents;
            for heater in &mut heaters {
                heater.step(second * 1000, STEP_MS, &mut sum);
            }
            sum
        })
        .collect()
}

/// A background with all slow loads on: they are there whoever controls.
pub(in crate::bench) fn with_slow_loads(scenario: &Scenario, background: &Currents) -> Currents {
    let mut sum = *background;
    for load in &scenario.slow_loads {
        let all = || scenario.site.grid.phases().to_vec();
        let lines: Vec<Phase> = load.phases.clone().unwrap_or_else(all);
        sum.connect_power(&lines, load.rated_w.to_f64(), 1.0);
    }
    sum
}
