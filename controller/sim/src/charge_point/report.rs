//! What a charge point says of itself.

/// State of the connector (OCPP 1.6, section 7.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectorStatus {
    /// No car.
    Available,
    /// A car, no transaction yet.
    Preparing,
    /// The car draws.
    Charging,
    /// Offered, and the car does not draw.
    SuspendedEv,
    /// Not offered.
    SuspendedEvse,
    /// The transaction is over, the car still there.
    Finishing,
    /// It reboots.
    Unavailable,
}

impl ConnectorStatus {
    /// In the words of OCPP 1.6.
    pub const fn ocpp(self) -> &'static str {
        match self {
            Self::Available => "Available",
            Self::Preparing => "Preparing",
            Self::Charging => "Charging",
            Self::SuspendedEv => "SuspendedEV",
            Self::SuspendedEvse => "SuspendedEVSE",
            Self::Finishing => "Finishing",
            Self::Unavailable => "Unavailable",
        }
    }
}

/// A charging session.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transaction {
    /// Counts the sessions of this charge point, from 1.
    pub number: i64,
    /// The number that the central system gave it.
    pub central_id: Option<i64>,
    /// When it began, in virtual milliseconds.
    pub began_ms: u64,
    /// Register of energy when it began, in watt-hours.
    pub began_wh: f64,
}

impl Transaction {
    /// The number by which the central system knows it, or its own.
    pub fn id(&self) -> i64 {
        self.central_id.unwrap_or(self.number)
    }
}

/// What the charge point measures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Readings {
    /// Current at each terminal, in amperes.
    pub amps: Vec<f64>,
    /// Voltage at each terminal, in volts.
    pub volts: Vec<f64>,
    /// What the pilot offers, in amperes.
    pub offered_a: f64,
    /// Active power, in watts.
    pub power_w: f64,
    /// Register of energy, in watt-hours.
    pub energy_wh: f64,
}
