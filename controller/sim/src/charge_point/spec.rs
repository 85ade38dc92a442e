//! What a charge point is made of, and how well it does what it is told.

use headroom_core::units::Phase;
use serde::{Deserialize, Serialize};

use crate::car::CarSpec;

/// How a charge point does what it is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Obedience {
    /// As it is told.
    #[default]
    Obeys,
    /// Says yes and offers its maximum.
    Ignores,
    /// Says yes and never offers less than this, in amperes.
    Floor(f64),
    /// Follows the first period of a schedule and never the next: its leases do not run out.
    NeverExpires,
}

/// A charge point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChargePointSpec {
    /// Its identity.
    pub id: String,
    /// The house's line at each of its terminals, in order.
    pub terminals: Vec<Phase>,
    /// Most that its hardware offers, in amperes.
    pub max_current_a: f64,
    /// Whether it can change the number of phases.
    pub phase_switching: bool,
    /// From a command's arrival to the pilot, in seconds.
    pub latency_s: f64,
    /// How it does what it is told.
    pub obedience: Obedience,
    /// A base profile that it kept from before, in amperes; `None`: it has none, and offers its maximum.
    pub base_limit_a: Option<f64>,
    /// How long a reboot takes, in seconds.
    pub reboot_s: f64,
    /// The car that comes to it.
    pub car: CarSpec,
}

impl Default for ChargePointSpec {
    /// Three phases, 16 A, obedient, set up to give nothing without a controller.
    fn default() -> Self {
        Self {
            id: "ev1".to_owned(),
            terminals: Phase::ALL.to_vec(),
            max_current_a: 16.0,
            phase_switching: false,
            latency_s: 0.3,
            obedience: Obedience::Obeys,
            base_limit_a: Some(0.0),
            reboot_s: 30.0,
            car: CarSpec::default(),
        }
    }
}
