//! The switches of the demo house, as the page turns them (`/demo`). There are none in front of a real house.

use headroom_core::config::Charger;
use serde::{Deserialize, Serialize};

/// How many times as fast as real time the demo may run.
pub const SPEEDS: std::ops::RangeInclusive<f64> = 1.0..=60.0;

/// The simulated house. Must answer at once, from memory.
pub trait Demo: Send + Sync + std::fmt::Debug {
    /// How its switches stand.
    fn state(&self) -> DemoState;

    /// Turns switches. What it names is there, and in its range.
    fn turn(&self, change: &DemoChange);

    /// One more charge point as it shall be configured, with its password; `None` when there is no place for another.
    fn another(&self, is_taken: &dyn Fn(&str) -> bool) -> Option<Charger>;

    /// The charge point of [`Demo::another`] is in the configuration: it connects, and its car arrives.
    fn arrive(&self, charger: &Charger);
}

/// How the switches stand.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DemoState {
    /// Whether the oven is on.
    pub oven: bool,
    /// Whether the meter's cable is plugged in.
    pub meter_cable: bool,
    /// How many times as fast as real time house and controller run, 1 to 60.
    pub speed: f64,
    /// The charge points of the house.
    pub chargers: Vec<DemoCharger>,
    /// How many charge points the house has place for.
    pub cars_max: usize,
}

/// A charge point of the simulated house.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DemoCharger {
    /// Its identity.
    pub id: String,
    /// Whether it has a network.
    pub network: bool,
    /// Whether a car is plugged in.
    pub car: bool,
}

/// Switches to turn. What is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DemoChange {
    /// Switches the oven on or off.
    pub oven: Option<bool>,
    /// Plugs the meter's cable in, or pulls it.
    pub meter_cable: Option<bool>,
    /// Sets the speed, 1 to 60.
    pub speed: Option<f64>,
    /// Charge points to change.
    pub chargers: Vec<DemoChargerChange>,
}

/// Switches of one charge point. What is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemoChargerChange {
    /// Its identity.
    pub id: String,
    /// Connects it to the network, or cuts it off.
    #[serde(default)]
    pub network: Option<bool>,
    /// Plugs a car in, or unplugs it.
    #[serde(default)]
    pub car: Option<bool>,
}
