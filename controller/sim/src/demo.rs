//! The house of `headroom demo`: a Swedish villa with 3 × 25 A, two cars, a water heater, and people who
//! cook.
//!
//! Made so that its first minutes show something: both cars wait for current at the start; at 12 s
//! the oven and the hob come on together on L2 while the first car charges on all three lines, so that
//! it must go down, and the second car, alone on L3, gains what the first one leaves there.

use headroom_core::units::Phase;

use crate::appliance::{ApplianceSpec, Cycle, ScriptedRun};
use crate::car::CarSpec;
use crate::charge_point::ChargePointSpec;
use crate::heater::HeaterSpec;
use crate::house::HouseSpec;

/// Its description.
pub fn house() -> HouseSpec {
    HouseSpec {
        base_w: [250.0, 300.0, 200.0],
        appliances: appliances(),
        script: vec![
            ScriptedRun {
                at_s: 12.0,
                appliance: "oven".into(),
                for_s: 60.0,
            },
            ScriptedRun {
                at_s: 13.5,
                appliance: "hob".into(),
                for_s: 65.0,
            },
            ScriptedRun {
                at_s: 170.0,
                appliance: "kettle".into(),
                for_s: 100.0,
            },
        ],
        charge_points: vec![
            ChargePointSpec {
                id: "ev1".into(),
                terminals: vec![Phase::L1, Phase::L2, Phase::L3],
                max_current_a: 16.0,
                car: CarSpec {
                    battery_kwh: 75.0,
                    charged: 0.35,
                    restart_s: (3.0, 6.0),
                    away_s: Some((900.0, 2700.0)),
                    ..CarSpec::default()
                },
                ..ChargePointSpec::default()
            },
            ChargePointSpec {
                id: "ev2".into(),
                terminals: vec![Phase::L3],
                max_current_a: 20.0,
                latency_s: 1.0,
                car: CarSpec {
                    phases: 1,
                    max_current_a: 20.0,
                    battery_kwh: 40.0,
                    charged: 0.6,
                    taper_from: 0.8,
                    away_s: Some((900.0, 2700.0)),
                    ..CarSpec::default()
                },
                ..ChargePointSpec::default()
            },
        ],
        heaters: vec![HeaterSpec {
            id: "heater".into(),
            phases: vec![Phase::L1],
            rated_w: 2000.0,
            volume_l: 200.0,
            start_c: 52.0,
            setpoint_c: 65.0,
            hysteresis_k: 4.0,
            loss_w: 60.0,
            draw_l: 40.0,
            draw_every_s: Some((1200.0, 3600.0)),
        }],
        ..HouseSpec::default()
    }
}

fn appliances() -> Vec<ApplianceSpec> {
    vec![
        ApplianceSpec {
            power_factor: 0.8,
            idle_s: Some((900.0, 1800.0)),
            run_s: (600.0, 900.0),
            ..ApplianceSpec::new("fridge", Phase::L2, 110.0)
        },
        ApplianceSpec {
            idle_s: Some((180.0, 420.0)),
            run_s: (90.0, 150.0),
            ..ApplianceSpec::new("kettle", Phase::L1, 1850.0)
        },
        ApplianceSpec {
            off_power_w: 40.0,
            idle_s: Some((500.0, 1000.0)),
            run_s: (400.0, 900.0),
            heat_up_s: 240.0,
            cycle: Some(Cycle {
                on_s: (30.0, 50.0),
                off_s: (60.0, 120.0),
            }),
            ..ApplianceSpec::new("oven", Phase::L2, 2000.0)
        },
        ApplianceSpec {
            idle_s: Some((300.0, 700.0)),
            run_s: (120.0, 400.0),
            heat_up_s: 30.0,
            cycle: Some(Cycle {
                on_s: (4.0, 7.0),
                off_s: (3.0, 8.0),
            }),
            ..ApplianceSpec::new("hob", Phase::L2, 1500.0)
        },
        ApplianceSpec {
            off_power_w: 250.0,
            power_factor: 0.97,
            idle_s: Some((900.0, 2400.0)),
            run_s: (1500.0, 2400.0),
            heat_up_s: 300.0,
            cycle: Some(Cycle {
                on_s: (20.0, 60.0),
                off_s: (200.0, 400.0),
            }),
            ..ApplianceSpec::new("washing machine", Phase::L3, 2000.0)
        },
    ]
}

#[cfg(test)]
mod tests {
    use headroom_core::units::Milliamps;

    use super::*;
    use crate::house::House;
    use crate::profile::Limit;

    /// Whatever the seed, uncontrolled cars push the second line over 25 A within the first 20 seconds.
    #[test]
    fn oven_and_hob_overload_the_second_line_within_twenty_seconds() {
        for seed in 0..20 {
            let mut house = House::new(house(), seed);
            house.step(1000);
            let limit = Limit {
                amps: 16.0,
                phases: 3,
            };
            house
                .charge_point("ev1")
                .unwrap()
                .lease(limit, 600, 0.0)
                .unwrap();
            house.step(20_000);
            let highest = house.highest().get(Phase::L2);
            assert!(highest > Milliamps::from_amps(25), "seed {seed}: {highest}");
        }
    }

    /// With the cars at their least, the house alone stays under its fuse: there is something to save.
    #[test]
    fn the_house_alone_stays_under_its_fuse() {
        for seed in 0..5 {
            let mut house = House::new(house(), seed);
            house.heater("heater").unwrap().switch(0, true, None);
            house.step(6 * 3600 * 1000);
            for phase in Phase::ALL {
                let highest = house.highest().get(phase);
                assert!(
                    highest < Milliamps::from_amps(25),
                    "seed {seed}: {phase} {highest}"
                );
            }
        }
    }
}
