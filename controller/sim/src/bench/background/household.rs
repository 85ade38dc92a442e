//! Households: what people and thermostats switch through a day, second by second.
//!
//! The kinds of loads, their sizes and their rhythms are those of reference measurements of houses with
//! 16 to 63 A: kettles of 8 to 10 A for minutes, hobs whose plates go on and off every few seconds on two
//! lines, ovens with a thermostat, wet appliances that heat for a quarter of an hour, heat pumps with a
//! power factor and blocks of defrosting, saunas, panel heaters.

use headroom_core::units::Phase;
use serde::{Deserialize, Serialize};

use crate::appliance::{Appliance, ApplianceSpec, BaseLoad, Cycle};
use crate::current::{Currents, Wiring};
use crate::millis;
use crate::random::Random;

/// What a household has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Gas for heat, electricity for cooking, 3 × 25 A.
    Dutch,
    /// A small house with a heat pump, 3 × 16 A or 3 × 20 A.
    HeatPump,
    /// A house with heat pump, panel heaters and a sauna, 3 × 35 A.
    Nordic,
    /// A flat of one phase.
    OnePhase,
    /// A detached house on a grid without neutral, panel heaters, 3 × 63 A.
    NorwegianLarge,
    /// A terraced house on a grid without neutral, 3 × 40 A.
    NorwegianSmall,
    /// Some flats behind one fuse of 63 A.
    Flats,
}

/// An appliance with the hours in which people use it.
struct Use {
    spec: ApplianceSpec,
    /// First hour, last hour, how often at least and at most.
    windows: Vec<(f64, f64, u32, u32)>,
}

const L1: Phase = Phase::L1;
const L2: Phase = Phase::L2;
const L3: Phase = Phase::L3;

/// The background of each second.
pub(super) fn trace(class: Class, wiring: Wiring, seconds: u64, seed: u64) -> Vec<Currents> {
    let mut random = Random::new(seed, "household");
    let (base_w, uses) = home(class, &mut random);
    let mut base = BaseLoad::new(base_w, seed);
    let mut runs: Vec<(u64, usize, u64)> = Vec::new();
    let mut appliances = Vec::new();
    for (index, one) in uses.into_iter().enumerate() {
        let days = seconds.div_ceil(86_400);
        let mut own = Random::new(seed, &format!("use of {}", one.spec.name));
        for day in 0..days {
            for (from_h, to_h, least, most) in &one.windows {
                let count = own.between((f64::from(*least), f64::from(*most) + 1.0));
                for turn in 0..*most {
                    let at_s = own.between((from_h * 3600.0, to_h * 3600.0));
                    let for_s = own.between(one.spec.run_s);
                    if f64::from(turn) + 1.0 <= count {
                        runs.push((day * 86_400 + millis(at_s) / 1000, index, millis(for_s)));
                    }
                }
            }
        }
        appliances.push(Appliance::new(one.spec, seed));
    }
    runs.sort_unstable();
    let mut runs = runs.into_iter().peekable();
    let mut trace = Vec::with_capacity(usize::try_from(seconds).unwrap_or_default());
    for second in 0..seconds {
        let now_ms = second * 1000;
        while let Some((_, index, for_ms)) = runs.next_if(|(at_s, ..)| *at_s <= second) {
            if let Some(appliance) = appliances.get_mut(index) {
                appliance.start(now_ms, for_ms);
            }
        }
        let mut currents = Currents::none(wiring);
        base.step(now_ms, &mut currents);
        for appliance in &mut appliances {
            appliance.step(now_ms, &mut currents);
        }
        trace.push(currents);
    }
    trace
}

fn home(class: Class, random: &mut Random) -> ([f64; 3], Vec<Use>) {
    match class {
        Class::Dutch => {
            let mut uses = kitchen(L1, L2, L3, "");
            uses.extend(laundry(L3, L2, ""));
            ([260.0, 220.0, 240.0], uses)
        }
        Class::HeatPump => {
            let mut uses = kitchen(L1, L2, L3, "");
            uses.extend(laundry(L2, L3, ""));
            for one in &mut uses {
                one.spec.power_w = one.spec.power_w.min(1700.0);
            }
            uses.push(heat_pump(1500.0));
            ([90.0, 80.0, 80.0], uses)
        }
        Class::Nordic => {
            let mut uses = kitchen(L1, L2, L3, "");
            uses.extend(laundry(L3, L1, ""));
            uses.push(heat_pump(3300.0));
            uses.push(backup(3000.0));
            uses.push(sauna(random.between((6200.0, 9000.0))));
            uses.extend(panels(&[L1, L2, L3], 900.0, ""));
            ([250.0, 220.0, 220.0], uses)
        }
        Class::OnePhase => {
            let mut uses = kitchen(L1, L1, L1, "");
            uses.extend(laundry(L1, L1, ""));
            ([220.0, 0.0, 0.0], uses)
        }
        Class::NorwegianLarge => {
            let mut uses = kitchen(L1, L2, L3, "");
            uses.extend(laundry(L3, L1, ""));
            uses.extend(panels(&[L1, L2, L3, L1, L2, L3], 1000.0, ""));
            uses.push(tank(L2, 2000.0));
            ([220.0, 220.0, 180.0], uses)
        }
        Class::NorwegianSmall => {
            let mut uses = kitchen(L1, L2, L3, "");
            uses.extend(laundry(L3, L2, ""));
            uses.extend(panels(&[L1, L3], 900.0, ""));
            uses.push(tank(L3, 1900.0));
            ([150.0, 150.0, 120.0], uses)
        }
        Class::Flats => {
            let turned = [(L1, L2, L3), (L2, L3, L1), (L3, L1, L2)];
            let mut uses = Vec::new();
            for (flat, (a, b, c)) in turned.into_iter().enumerate() {
                let name = format!(" {flat}");
                uses.extend(kitchen(a, b, c, &name));
                uses.extend(laundry(c, b, &name));
            }
            ([500.0, 500.0, 500.0], uses)
        }
    }
}

/// Fridge, kettle, hob with two plates, oven, microwave.
fn kitchen(a: Phase, b: Phase, c: Phase, of: &str) -> Vec<Use> {
    let named = |name: &str, phase, watts| ApplianceSpec::new(&format!("{name}{of}"), phase, watts);
    let plate = |name: &str, phase, watts| Use {
        spec: ApplianceSpec {
            run_s: (900.0, 2100.0),
            heat_up_s: 120.0,
            cycle: Some(Cycle {
                on_s: (3.0, 10.0),
                off_s: (3.0, 10.0),
            }),
            ..named(name, phase, watts)
        },
        windows: vec![(6.3, 7.5, 0, 1), (11.8, 12.8, 0, 1), (17.0, 20.0, 1, 2)],
    };
    vec![
        Use {
            spec: ApplianceSpec {
                power_factor: 0.8,
                idle_s: Some((1200.0, 2400.0)),
                run_s: (600.0, 1200.0),
                ..named("fridge", b, 110.0)
            },
            windows: Vec::new(),
        },
        Use {
            spec: ApplianceSpec {
                run_s: (80.0, 220.0),
                ..named("kettle", a, 2150.0)
            },
            windows: vec![(5.5, 7.5, 1, 3), (9.0, 17.0, 1, 4), (17.0, 23.5, 3, 6)],
        },
        plate("hob left", a, 1800.0),
        plate("hob right", b, 1500.0),
        Use {
            spec: ApplianceSpec {
                off_power_w: 40.0,
                run_s: (1800.0, 3600.0),
                heat_up_s: 600.0,
                cycle: Some(Cycle {
                    on_s: (40.0, 120.0),
                    off_s: (60.0, 300.0),
                }),
                ..named("oven", c, 2400.0)
            },
            windows: vec![(11.5, 12.5, 0, 1), (16.8, 19.5, 1, 1)],
        },
        Use {
            spec: ApplianceSpec {
                power_factor: 0.95,
                run_s: (60.0, 300.0),
                ..named("microwave", b, 1300.0)
            },
            windows: vec![(7.0, 8.5, 0, 1), (12.0, 13.0, 0, 1), (18.0, 21.0, 0, 2)],
        },
    ]
}

/// Washing machine, dishwasher, dryer.
fn laundry(a: Phase, b: Phase, of: &str) -> Vec<Use> {
    let wet = |name: &str, phase, watts, run_s, heat_up_s| ApplianceSpec {
        off_power_w: 150.0,
        power_factor: 0.97,
        run_s,
        heat_up_s,
        cycle: Some(Cycle {
            on_s: (20.0, 400.0),
            off_s: (600.0, 1200.0),
        }),
        ..ApplianceSpec::new(&format!("{name}{of}"), phase, watts)
    };
    vec![
        Use {
            spec: wet("washing machine", a, 2000.0, (4200.0, 6600.0), 900.0),
            windows: vec![(8.0, 20.0, 0, 1)],
        },
        Use {
            spec: wet("dishwasher", b, 1900.0, (5400.0, 7200.0), 800.0),
            windows: vec![(19.0, 22.0, 1, 1)],
        },
        Use {
            spec: ApplianceSpec {
                off_power_w: 250.0,
                run_s: (2400.0, 4500.0),
                heat_up_s: 900.0,
                cycle: Some(Cycle {
                    on_s: (120.0, 300.0),
                    off_s: (30.0, 120.0),
                }),
                ..ApplianceSpec::new(&format!("dryer{of}"), a, 2200.0)
            },
            windows: vec![(10.0, 21.0, 0, 1)],
        },
    ]
}

fn heat_pump(power_w: f64) -> Use {
    Use {
        spec: ApplianceSpec {
            phases: vec![L1, L2, L3],
            power_factor: 0.92,
            idle_s: Some((600.0, 2400.0)),
            run_s: (1200.0, 3600.0),
            ..ApplianceSpec::new("heat pump", L1, power_w)
        },
        windows: Vec::new(),
    }
}

/// The electric element that helps the heat pump in the cold morning and while it defrosts.
fn backup(power_w: f64) -> Use {
    Use {
        spec: ApplianceSpec {
            phases: vec![L1, L2, L3],
            run_s: (480.0, 1200.0),
            ..ApplianceSpec::new("backup heater", L1, power_w)
        },
        windows: vec![(0.0, 7.0, 1, 4), (15.0, 24.0, 1, 4)],
    }
}

fn sauna(power_w: f64) -> Use {
    Use {
        spec: ApplianceSpec {
            phases: vec![L1, L2, L3],
            run_s: (4500.0, 7200.0),
            heat_up_s: 1800.0,
            cycle: Some(Cycle {
                on_s: (120.0, 300.0),
                off_s: (120.0, 400.0),
            }),
            ..ApplianceSpec::new("sauna", L1, power_w)
        },
        windows: vec![(18.0, 20.5, 0, 1)],
    }
}

fn panels(lines: &[Phase], power_w: f64, of: &str) -> Vec<Use> {
    lines
        .iter()
        .enumerate()
        .map(|(index, line)| Use {
            spec: ApplianceSpec {
                idle_s: Some((300.0, 1200.0)),
                run_s: (240.0, 900.0),
                ..ApplianceSpec::new(&format!("panel heater {index}{of}"), *line, power_w)
            },
            windows: Vec::new(),
        })
        .collect()
}

/// A water heater that nobody controls.
fn tank(line: Phase, power_w: f64) -> Use {
    Use {
        spec: ApplianceSpec {
            idle_s: Some((3600.0, 9000.0)),
            run_s: (900.0, 3600.0),
            ..ApplianceSpec::new("water heater", line, power_w)
        },
        windows: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_day_and_another_is_another() {
        let day = |seed| trace(Class::Dutch, Wiring::Star, 86_400, seed);
        assert_eq!(day(1), day(1));
        assert_ne!(day(1), day(2));
    }

    #[test]
    fn a_household_uses_what_households_use() {
        for (class, wiring, least_kwh, most_kwh) in [
            (Class::Dutch, Wiring::Star, 10.0, 40.0),
            (Class::Nordic, Wiring::Star, 40.0, 120.0),
            (Class::NorwegianSmall, Wiring::Delta, 15.0, 70.0),
        ] {
            let amp_seconds: f64 = trace(class, wiring, 86_400, 3)
                .iter()
                .flat_map(|currents| currents.branches.0)
                .map(|branch| branch.active_a)
                .sum();
            let kwh = amp_seconds * 230.0 / 3_600_000.0;
            assert!((least_kwh..most_kwh).contains(&kwh), "{class:?}: {kwh} kWh");
        }
    }
}
