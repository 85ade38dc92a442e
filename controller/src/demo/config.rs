//! How the demo's controller is set up at its start: the house of `headroom_sim::demo`, with what an
//! installer would have entered.

use std::net::SocketAddr;

use headroom_core::config::{
    Charger, Config, Driver, Grid, LeaseProof, MainFuse, Mode, OcppAuth, Rating, Secret, Site,
    SlowLoad,
};
use headroom_core::{Milliamps, Phase, Watts};

/// The water heater of the plant.
pub(crate) const HEATER: &str = "heater";

/// The configuration. `passwords` are those of the two charge points.
pub(crate) fn config(relay: SocketAddr, passwords: [&str; 2]) -> Config {
    let [garage, driveway] = passwords;
    Config {
        site: Site {
            name: "Demo house".to_owned(),
            time_zone: "Europe/Stockholm".to_owned(),
            mode: Mode::Control,
            grid: Grid::Tn3ph,
            main_fuse: MainFuse {
                rating_a: Rating::All(Milliamps::from_amps(25)),
                ..MainFuse::default()
            },
            ..Site::default()
        },
        chargers: vec![
            Charger {
                name: "Garage".to_owned(),
                max_current_a: Milliamps::from_amps(16),
                phases: Some(Phase::ALL.to_vec()),
                priority: 2,
                ..charger("ev1", garage)
            },
            Charger {
                name: "Driveway".to_owned(),
                max_current_a: Milliamps::from_amps(20),
                phases: Some(vec![Phase::L3]),
                priority: 1,
                ..charger("ev2", driveway)
            },
        ],
        slow_loads: vec![SlowLoad {
            id: HEATER.to_owned(),
            name: "Water heater".to_owned(),
            driver: Some(Driver::ShellyGen2 {
                host: relay.to_string(),
                channel: 0,
                password: None,
                password_set: false,
            }),
            rated_w: Watts(2000),
            phases: Some(vec![Phase::L1]),
            circuit: None,
            min_on_s: 60,
            min_off_s: 60,
            max_off_s: 14_400,
            priority: 3,
        }],
    }
}

/// A charge point that has the same name in the plant, on the network and in the configuration.
pub(super) fn charger(id: &str, password: &str) -> Charger {
    Charger {
        id: id.to_owned(),
        name: id.to_owned(),
        driver: Some(Driver::Ocpp {
            charge_point_id: id.to_owned(),
            connector: 1,
            auth: OcppAuth::Basic,
            password: Some(Secret::new(password.to_owned())),
            password_set: false,
        }),
        circuit: None,
        max_current_a: Milliamps::from_amps(16),
        min_current_a: Milliamps::from_amps(6),
        phases: None,
        phase_switching: false,
        safe_current_a: Milliamps::ZERO,
        lease_s: 120,
        lease: LeaseProof::Claimed,
        priority: 1,
        accept_risk: false,
    }
}

#[cfg(test)]
mod tests {
    use headroom_core::PerPhase;
    use headroom_sim::demo::house;

    use super::*;

    #[test]
    fn it_is_valid_and_describes_the_house_that_is_simulated() {
        let config = config("127.0.0.1:80".parse().unwrap(), ["one", "two"]);
        assert_eq!(config.validate(PerPhase::default()), Ok(()));
        let house = house();
        for (charger, built) in config.chargers.iter().zip(&house.charge_points) {
            assert_eq!(charger.id, built.id);
            assert_eq!(charger.phases.as_deref(), Some(built.terminals.as_slice()));
            assert_eq!(
                Some(charger.max_current_a),
                Milliamps::from_f64(built.max_current_a)
            );
        }
        let built = &house.heaters[0];
        assert_eq!(built.id, HEATER);
        assert_eq!(
            config.slow_loads[0].phases.as_deref(),
            Some(built.phases.as_slice())
        );
        assert_eq!(
            Some(config.slow_loads[0].rated_w),
            Watts::from_f64(built.rated_w)
        );
    }
}
