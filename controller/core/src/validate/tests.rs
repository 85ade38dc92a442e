use super::*;
use crate::config::MainFuse;
use crate::config::{Charger, Circuit, MAIN, Rating, Site};
use crate::units::Phase;

fn charger(change: impl FnOnce(&mut Charger)) -> Config {
    let mut charger = Charger {
        id: "ev1".into(),
        name: "Garage".into(),
        driver: None,
        circuit: None,
        max_current_a: Milliamps::from_amps(16),
        min_current_a: Milliamps::from_amps(6),
        phases: Some(Phase::ALL.to_vec()),
        phase_switching: false,
        safe_current_a: Milliamps::ZERO,
        lease_s: 120,
        lease: crate::config::LeaseProof::Claimed,
        priority: 1,
        accept_risk: false,
    };
    change(&mut charger);
    Config {
        chargers: vec![charger],
        ..Config::default()
    }
}

fn fields(config: &Config) -> Vec<String> {
    config
        .validate(PerPhase::default())
        .err()
        .unwrap_or_default()
        .into_iter()
        .map(|error| error.field)
        .collect()
}

#[test]
fn a_default_charger_on_a_default_site_is_right() {
    assert_eq!(fields(&charger(|_| {})), Vec::<String>::new());
}

#[test]
fn each_wrong_field_is_named() {
    let cases: [(Config, &str); 8] = [
        (charger(|c| c.id = "EV 1".into()), "chargers.EV 1.id"),
        (
            charger(|c| c.max_current_a = Milliamps(-1)),
            "chargers.ev1.max_current_a",
        ),
        (
            charger(|c| c.min_current_a = Milliamps::from_amps(20)),
            "chargers.ev1.min_current_a",
        ),
        (
            charger(|c| c.safe_current_a = Milliamps::from_amps(3)),
            "chargers.ev1.safe_current_a",
        ),
        (charger(|c| c.lease_s = 0), "chargers.ev1.lease_s"),
        (
            charger(|c| c.phases = Some(vec![Phase::L1, Phase::L1])),
            "chargers.ev1.phases",
        ),
        (
            charger(|c| c.circuit = Some("shed".into())),
            "chargers.ev1.circuit",
        ),
        (charger(|c| c.priority = 5000), "chargers.ev1.priority"),
    ];
    for (config, field) in cases {
        assert!(
            fields(&config).iter().any(|f| f == field),
            "{field}: {:?}",
            fields(&config)
        );
    }
}

#[test]
fn circuits_that_feed_each_other_are_refused() {
    let circuit = |id: &str, parent: &str| Circuit {
        id: id.into(),
        parent: parent.into(),
        rating_a: Rating::All(Milliamps::from_amps(20)),
        meter: None,
        characteristic: None,
        curve: None,
    };
    let site = |circuits| Config {
        site: Site {
            circuits,
            ..Site::default()
        },
        ..Config::default()
    };
    assert!(fields(&site(vec![circuit("a", MAIN), circuit("b", "a")])).is_empty());
    assert!(!fields(&site(vec![circuit("a", "b"), circuit("b", "a")])).is_empty());
    assert!(!fields(&site(vec![circuit("a", "nowhere")])).is_empty());
    assert!(!fields(&site(vec![circuit(MAIN, MAIN)])).is_empty());
}

#[test]
fn safe_currents_must_fit_beside_the_background() {
    let mut config = charger(|c| c.safe_current_a = Milliamps::from_amps(10));
    config.site.main_fuse = MainFuse {
        rating_a: Rating::All(Milliamps::from_amps(16)),
        ..MainFuse::default()
    };
    let background = PerPhase::all(Milliamps::from_amps(8));
    assert!(config.validate(PerPhase::default()).is_ok());
    assert!(config.validate(background).is_err());
    config.chargers[0].accept_risk = true;
    assert!(config.validate(background).is_ok());
}
