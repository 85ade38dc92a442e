//! Which loads hang on which circuit.

use crate::bench::scenario::Scenario;

/// The loads that a circuit feeds, itself or through others.
pub(super) struct Fed {
    /// Of the chargers, in the order of the scenario.
    pub(super) chargers: Vec<bool>,
    /// Of the slow loads.
    pub(super) slow_loads: Vec<bool>,
}

impl Fed {
    /// The main one: all of them.
    pub(super) fn main(scenario: &Scenario) -> Self {
        Self {
            chargers: vec![true; scenario.chargers.len()],
            slow_loads: vec![true; scenario.slow_loads.len()],
        }
    }

    /// Each circuit under the main one, in the order of the scenario.
    pub(super) fn circuits(scenario: &Scenario) -> Vec<Self> {
        let of = |id: &str| {
            let feeds = |own: &Option<String>| scenario.path_of(own.as_deref()).contains(&id);
            let (chargers, slow_loads) = (&scenario.chargers, &scenario.slow_loads);
            Self {
                chargers: chargers.iter().map(|it| feeds(&it.circuit)).collect(),
                slow_loads: slow_loads.iter().map(|it| feeds(&it.circuit)).collect(),
            }
        };
        let circuits = scenario.site.circuits.iter();
        circuits.map(|circuit| of(&circuit.id)).collect()
    }
}
