//! The configuration of a house, in the shapes of the HTTP API (contract, section 5).
//!
//! The core reads what it decides with. What belongs to the outside (drivers, the time zone) is carried
//! in the same objects so that there is one shape and one validation, and is never looked at here.
//! Validation is in [`crate::validate`].

mod driver;
mod meter;

use serde::{Deserialize, Serialize};

use crate::units::{Milliamps, Millivolts, PerPhase, Phase, Watts};

pub use driver::{Driver, OcppAuth};
pub use meter::{Meter, Secret};

/// The name of the circuit behind the main fuse.
pub const MAIN: &str = "main";

/// No id of a charger: `/chargers/unmatched` lists the charge points that wait.
pub const UNMATCHED: &str = "unmatched";

/// Everything that the engine is configured with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The house.
    #[serde(default)]
    pub site: Site,
    /// Its chargers.
    #[serde(default)]
    pub chargers: Vec<Charger>,
    /// Its slow loads.
    #[serde(default)]
    pub slow_loads: Vec<SlowLoad>,
}

/// Whether commands are given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Read and show; command nothing. The default until go-live.
    #[default]
    Observe,
    /// Command chargers and slow loads.
    Control,
}

/// How the house is supplied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grid {
    /// Three phases with neutral, 230/400 V.
    #[default]
    #[serde(rename = "tn_3ph")]
    Tn3ph,
    /// Three phases without neutral (IT, TT), 230 V between lines.
    #[serde(rename = "it_3ph")]
    It3ph,
    /// One phase.
    #[serde(rename = "tn_1ph")]
    Tn1ph,
}

impl Grid {
    /// The lines that exist.
    pub const fn phases(self) -> &'static [Phase] {
        match self {
            Self::Tn1ph => &[Phase::L1],
            Self::Tn3ph | Self::It3ph => &Phase::ALL,
        }
    }
}

/// The kind of overcurrent device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Characteristic {
    /// Fuse-link gG (IEC 60269-1).
    #[default]
    Gg,
    /// Circuit breaker B (IEC 60898-1).
    B,
    /// Circuit breaker C (IEC 60898-1).
    C,
    /// Circuit breaker D (IEC 60898-1).
    D,
    /// The limiter in the French Linky meter.
    Linky,
    /// No model: the rating alone counts.
    None,
}

/// How much of a breaker's curve may be relied upon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Curve {
    /// What the standard promises, nothing more.
    #[default]
    Standard,
    /// The band of the maker's data sheet.
    Band,
}

/// A rating for all lines, or one for each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "must be a number, or a list of numbers")]
pub enum Rating {
    /// The same on every line.
    All(Milliamps),
    /// One for each line, in order.
    Each(Vec<Milliamps>),
}

impl Rating {
    /// The rating of each line. A line that a list leaves out has the smallest rating named.
    pub fn per_phase(&self) -> PerPhase<Milliamps> {
        match self {
            Self::All(rating) => PerPhase::all(*rating),
            Self::Each(list) => {
                let least = list.iter().copied().min().unwrap_or_default();
                PerPhase(Phase::ALL.map(|phase| list.get(phase.index()).copied().unwrap_or(least)))
            }
        }
    }
}

/// The main fuse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MainFuse {
    /// Rated current, in amperes.
    pub rating_a: Rating,
    /// What kind of device it is.
    #[serde(default)]
    pub characteristic: Characteristic,
    /// Which curve is relied upon.
    #[serde(default)]
    pub curve: Curve,
    /// The highest temperature of the air around it, in °C; `null`: not above what its class is made for. It holds for
    /// the fuses of all circuits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ambient_c: Option<u8>,
}

impl Default for MainFuse {
    /// 16 A gG: the smallest main fuse that is common. Not known counts as its worst case.
    fn default() -> Self {
        Self {
            rating_a: Rating::All(Milliamps::from_amps(16)),
            characteristic: Characteristic::default(),
            curve: Curve::default(),
            ambient_c: None,
        }
    }
}

/// A part of the house behind a fuse of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Circuit {
    /// Its name; `main` is reserved.
    pub id: String,
    /// The circuit that feeds it.
    #[serde(default = "default_parent")]
    pub parent: String,
    /// Rated current of its fuse, in amperes.
    pub rating_a: Rating,
    /// Its own meter as a source, if it has one.
    #[serde(default)]
    pub meter: Option<String>,
    /// The kind of its fuse; `null` means as the main fuse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub characteristic: Option<Characteristic>,
    /// The curve of its fuse; `null` means as the main fuse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curve: Option<Curve>,
}

fn default_parent() -> String {
    MAIN.to_owned()
}

/// Times for installers, in seconds, each from 1 to 3600.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tuning {
    /// No raise sooner than this after the load's last change.
    pub raise_after_s: u32,
    /// No start sooner than this after a pause.
    pub restart_after_s: u32,
    /// Raises look at the highest background of this time.
    pub hold_s: u32,
    /// Age at which a reading is stale; `null`: three periods, within 5 to 30 s.
    pub stale_after_s: Option<u32>,
    /// Time without a reading after which every load goes to its safe current.
    pub lost_after_s: u32,
    /// Time after which readings that are the same in every value count as one stale reading.
    pub frozen_after_s: u32,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            raise_after_s: 30,
            restart_after_s: 180,
            hold_s: 60,
            stale_after_s: None,
            lost_after_s: 60,
            frozen_after_s: 20,
        }
    }
}

/// The house as `GET,PUT /site` has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Site {
    /// What its people call it.
    pub name: String,
    /// IANA time zone, for what people read.
    pub time_zone: String,
    /// Whether commands are given.
    pub mode: Mode,
    /// How it is supplied.
    pub grid: Grid,
    /// The main fuse.
    pub main_fuse: MainFuse,
    /// Kept free below the rating, in amperes.
    pub margin_a: Milliamps,
    /// Voltage between line and neutral (TN) or between lines (IT), in volts.
    pub nominal_voltage_v: Millivolts,
    /// Largest step of background that is prepared for, in amperes; `null`: 10 A, 16 A from 35 A.
    pub largest_step_a: Option<Milliamps>,
    /// A cap on the imported power of the house, in watts.
    pub max_power_w: Option<Watts>,
    /// Circuits behind the main fuse.
    pub circuits: Vec<Circuit>,
    /// Whether reads need no login.
    pub public_view: bool,
    /// Times for installers.
    pub tuning: Tuning,
}

impl Default for Site {
    fn default() -> Self {
        Self {
            name: "Home".to_owned(),
            time_zone: "UTC".to_owned(),
            mode: Mode::default(),
            grid: Grid::default(),
            main_fuse: MainFuse::default(),
            margin_a: Milliamps::ZERO,
            nominal_voltage_v: Millivolts(230_000),
            largest_step_a: None,
            max_power_w: None,
            circuits: Vec::new(),
            public_view: false,
            tuning: Tuning::default(),
        }
    }
}

/// What is known of a charger's falling back by itself when nobody renews its limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LeaseProof {
    /// Its driver can ask for it; nobody has seen it.
    #[default]
    Claimed,
    /// It cannot.
    None,
    /// A cut test has shown it.
    Proven,
}

/// A charger as `POST /chargers` has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charger {
    /// Its id, `[a-z0-9_-]{1,32}`.
    #[serde(default)]
    pub id: String,
    /// What its people call it.
    #[serde(default)]
    pub name: String,
    /// How it is reached; not looked at by the core.
    #[serde(default)]
    pub driver: Option<Driver>,
    /// The circuit that feeds it; `null` means `main`.
    #[serde(default)]
    pub circuit: Option<String>,
    /// Most that it may be given, in amperes.
    #[serde(default = "default_max_current")]
    pub max_current_a: Milliamps,
    /// Least that it can be given besides 0, in amperes (IEC 61851-1: 6 A).
    #[serde(default = "default_min_current")]
    pub min_current_a: Milliamps,
    /// The grid phase at each of its terminals; `null`: three terminals, order not known.
    #[serde(default)]
    pub phases: Option<Vec<Phase>>,
    /// Whether it can change between three phases and one.
    #[serde(default)]
    pub phase_switching: bool,
    /// What it falls to by itself when its lease runs out, in amperes.
    #[serde(default)]
    pub safe_current_a: Milliamps,
    /// How long a limit holds without renewal, in seconds.
    #[serde(default = "default_lease")]
    pub lease_s: u32,
    /// What is known of its falling back.
    #[serde(default)]
    pub lease: LeaseProof,
    /// Priority: the larger number is served first and shed last.
    #[serde(default = "default_priority")]
    pub priority: u32,
    /// The installer's confirmation that the safe currents need not fit under the fuse.
    #[serde(default, skip_serializing_if = "is_false")]
    pub accept_risk: bool,
}

/// A slow load as `POST /slow-loads` has it: something that is on or off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlowLoad {
    /// Its id, `[a-z0-9_-]{1,32}`.
    #[serde(default)]
    pub id: String,
    /// What its people call it.
    #[serde(default)]
    pub name: String,
    /// How it is reached; not looked at by the core.
    #[serde(default)]
    pub driver: Option<Driver>,
    /// What it draws when it is on, in watts.
    pub rated_w: Watts,
    /// The phases that it hangs on; `null`: not known, counted on all.
    #[serde(default)]
    pub phases: Option<Vec<Phase>>,
    /// The circuit that feeds it; `null` means `main`.
    #[serde(default)]
    pub circuit: Option<String>,
    /// Least time on, in seconds. Gives way to the fuse.
    #[serde(default = "default_dwell")]
    pub min_on_s: u32,
    /// Least time off, in seconds. Always holds.
    #[serde(default = "default_dwell")]
    pub min_off_s: u32,
    /// Longest time off that was promised, in seconds. Gives way to the fuse.
    #[serde(default = "default_max_off")]
    pub max_off_s: u32,
    /// Priority: the larger number is served first and shed last.
    #[serde(default = "default_priority")]
    pub priority: u32,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the shape that serde calls"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}
const fn default_max_current() -> Milliamps {
    Milliamps::from_amps(16)
}
const fn default_min_current() -> Milliamps {
    Milliamps::from_amps(6)
}
const fn default_lease() -> u32 {
    120
}
const fn default_priority() -> u32 {
    1
}
const fn default_dwell() -> u32 {
    60
}
const fn default_max_off() -> u32 {
    14_400
}
