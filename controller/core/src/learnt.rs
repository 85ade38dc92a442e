//! What an engine has learnt of a house, to be kept over a restart.
//!
//! A new process that knew nothing would promise less than the one before: the largest step of a house and its
//! highest background only grow, as what happened once may happen again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::rotation::Evidence;
use crate::units::Milliamps;

/// What was learnt. Currents are in amperes, one for each line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Learnt {
    /// By circuit.
    pub circuits: BTreeMap<String, House>,
    /// What each charger whose phases nobody has told has shown of them.
    pub phases: BTreeMap<String, Evidence>,
}

/// What was learnt of the background of a circuit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct House {
    /// The highest that it was.
    pub highest_a: [Milliamps; 3],
    /// The largest step that it was seen to take.
    pub largest_step_a: [Milliamps; 3],
}
