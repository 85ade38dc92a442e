//! The scenarios that come with the program.

use super::scenario::{Scenario, ScenarioError};

macro_rules! scenarios {
    ($($name:literal),* $(,)?) => {
        /// Names and texts, in the order of the table.
        pub const SCENARIOS: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../scenarios/", $name, ".toml")))),*
        ];
    };
}

scenarios![
    "a",
    "b",
    "c",
    "d",
    "e",
    "e5",
    "e_learnt",
    "f",
    "g",
    "h",
    "i",
    "i_standard",
    "j",
    "j_standard",
    "k",
    "l",
    "m",
    "n",
    "o",
    "p",
    "tn20",
    "tn_1ph",
    "whole_amps",
    "it_no_l2",
    "unknown_rotation",
    "dead",
    "restarts",
    "frozen",
    "heaters",
    "circuits",
    "classes",
    "sixteen",
    "one_phase",
    "turns",
];

/// The scenario with this name, if there is one.
pub fn named(name: &str) -> Option<Result<Scenario, ScenarioError>> {
    SCENARIOS
        .iter()
        .find(|(own, _)| *own == name)
        .map(|(name, text)| Scenario::parse(name, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_that_comes_with_the_program_can_be_run() {
        for (name, text) in SCENARIOS {
            let scenario = Scenario::parse(name, text).unwrap();
            assert_eq!(scenario.name, *name);
        }
    }
}
