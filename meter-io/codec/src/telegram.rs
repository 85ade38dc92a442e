//! What one telegram says, and its JSON form (one line of `headroom decode`).
//!
//! Values are integers in thousandths of the unit. What the telegram lacks is `None`, never 0.

use crate::{counters::FrameCounter, time::MeterTime};
use arrayvec::ArrayString;
use serde::{Serialize, Serializer, ser::SerializeStruct};
use std::{fmt, str::FromStr};

/// The family of a port, or the kind of a network meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// ASCII telegrams of IEC 62056-21 mode D, in clear or ciphered.
    P1,
    /// DLMS/COSEM lists in HDLC frames.
    Hdlc,
    /// DLMS/COSEM lists in wired M-Bus frames.
    Mbus,
    /// Smart Message Language (Germany).
    Sml,
    /// Télé-information client (Linky, France).
    Tic,
    /// JSON of a `HomeWizard` meter.
    Homewizard,
    /// JSON of an amsreader (amsleser.no).
    Amsreader,
    /// JSON of a Shelly Pro 3EM.
    Shelly,
    /// Registers of a Modbus meter.
    Modbus,
}

impl Protocol {
    /// Those of customer ports, which come as a stream of bytes and are told apart by these.
    pub const ALL: [Self; 5] = [Self::P1, Self::Hdlc, Self::Mbus, Self::Sml, Self::Tic];

    /// As written in JSON and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::P1 => "p1",
            Self::Hdlc => "hdlc",
            Self::Mbus => "mbus",
            Self::Sml => "sml",
            Self::Tic => "tic",
            Self::Homewizard => "homewizard",
            Self::Amsreader => "amsreader",
            Self::Shelly => "shelly",
            Self::Modbus => "modbus",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no protocol {0:?}; choose p1, hdlc, mbus, sml or tic")]
pub struct UnknownProtocol(pub String);

impl FromStr for Protocol {
    type Err = UnknownProtocol;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|protocol| protocol.name() == name)
            .ok_or_else(|| UnknownProtocol(name.to_owned()))
    }
}

/// What the telegram says of one phase.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PhaseValues {
    /// Magnitude of the current as sent, in milliampere.
    pub current_ma: Option<i64>,
    /// Resolution of the current, in milliampere.
    pub current_step_ma: Option<i64>,
    /// Voltage as sent, in millivolt. Some meters send 0 for a conductor that is not there.
    pub voltage_mv: Option<i64>,
    /// Resolution of the voltage, in millivolt.
    pub voltage_step_mv: Option<i64>,
    /// Active power drawn, in milliwatt.
    pub import_mw: Option<i64>,
    /// Active power fed in, in milliwatt.
    pub export_mw: Option<i64>,
    /// Apparent power drawn, in millivoltampere. Linky sends its currents in whole amperes, and this in steps of 1 VA:
    /// apparent power by voltage is the finer current. It is no part of the JSON form.
    pub apparent_mva: Option<i64>,
}

impl PhaseValues {
    /// Whether the telegram says nothing of this phase.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Text of a meter, held in place: a telegram allocates nothing. 96 digits is the most that a specification allows (DSMR
/// 5, 6.12); what is longer is no meter's, and is cut or left out.
pub type Text = ArrayString<96>;

/// One valid telegram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telegram {
    /// The family it came in.
    pub protocol: Protocol,
    /// The meter's id as sent; hex text is not decoded.
    pub meter_id: Option<Text>,
    /// The meter's model; of P1 the line behind `/`.
    pub meter_model: Option<Text>,
    /// The meter's clock.
    pub meter_time: Option<MeterTime>,
    /// Total active power drawn, in milliwatt.
    pub import_mw: Option<i64>,
    /// Total active power fed in, in milliwatt.
    pub export_mw: Option<i64>,
    /// Total reactive power drawn, in millivar.
    pub import_mvar: Option<i64>,
    /// Total reactive power fed in, in millivar.
    pub export_mvar: Option<i64>,
    /// L1, L2 and L3.
    pub phases: [PhaseValues; 3],
    /// Energy drawn over all tariffs, in thousandths of a watt-hour.
    pub energy_import_mwh: Option<i64>,
    /// Energy fed in over all tariffs, in thousandths of a watt-hour.
    pub energy_export_mwh: Option<i64>,
    /// The maker's number of the list, where there is one.
    pub list: Option<u8>,
    /// The telegram came ciphered.
    pub encrypted: bool,
    /// Its authentication tag was checked and is right.
    pub authenticated: bool,
    /// Of one that came ciphered. It is no part of the JSON form.
    pub frame_counter: Option<FrameCounter>,
}

impl Telegram {
    /// One that says nothing yet.
    #[must_use]
    pub fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            meter_id: None,
            meter_model: None,
            meter_time: None,
            import_mw: None,
            export_mw: None,
            import_mvar: None,
            export_mvar: None,
            phases: [PhaseValues::default(); 3],
            energy_import_mwh: None,
            energy_export_mwh: None,
            list: None,
            encrypted: false,
            authenticated: false,
            frame_counter: None,
        }
    }

    /// Whether it carries a current of at least one phase. Lists with the total power alone come more often.
    #[must_use]
    pub fn has_currents(&self) -> bool {
        self.phases.iter().any(|phase| phase.current_ma.is_some())
    }

    /// Whether it says nothing of power, phases or energy: a frame that is right, of a meter that is not known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.import_mw.is_none()
            && self.export_mw.is_none()
            && self.energy_import_mwh.is_none()
            && self.phases.iter().all(PhaseValues::is_empty)
    }
}

/// Thousandths to the unit. Meter values are far below 2^53, where this is exact to the last shown digit.
#[expect(
    clippy::cast_precision_loss,
    reason = "values of meters stay far below 2^53"
)]
fn unit(milli: i64) -> f64 {
    milli as f64 / 1e3
}

/// Thousandths of a watt-hour to kilowatt-hour.
#[expect(
    clippy::cast_precision_loss,
    reason = "values of meters stay far below 2^53"
)]
fn kilo(milli: i64) -> f64 {
    milli as f64 / 1e6
}

#[derive(Serialize)]
struct PhaseLine {
    phase: &'static str,
    current_a: Option<f64>,
    current_step_a: Option<f64>,
    voltage_v: Option<f64>,
    import_w: Option<f64>,
    export_w: Option<f64>,
}

impl Serialize for Telegram {
    /// The order of the fields is part of the public shape.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let phases: Vec<PhaseLine> = ["l1", "l2", "l3"]
            .into_iter()
            .zip(&self.phases)
            .filter(|(_, values)| !values.is_empty())
            .map(|(phase, values)| PhaseLine {
                phase,
                current_a: values.current_ma.map(unit),
                current_step_a: values.current_step_ma.map(unit),
                voltage_v: values.voltage_mv.map(unit),
                import_w: values.import_mw.map(unit),
                export_w: values.export_mw.map(unit),
            })
            .collect();
        let mut line = serializer.serialize_struct("Telegram", 14)?;
        line.serialize_field("protocol", &self.protocol)?;
        line.serialize_field("meter_id", &self.meter_id.as_deref())?;
        line.serialize_field("meter_model", &self.meter_model.as_deref())?;
        line.serialize_field("meter_time", &self.meter_time.map(|time| time.to_string()))?;
        line.serialize_field("import_w", &self.import_mw.map(unit))?;
        line.serialize_field("export_w", &self.export_mw.map(unit))?;
        line.serialize_field("import_var", &self.import_mvar.map(unit))?;
        line.serialize_field("export_var", &self.export_mvar.map(unit))?;
        line.serialize_field("phases", &phases)?;
        line.serialize_field("energy_import_kwh", &self.energy_import_mwh.map(kilo))?;
        line.serialize_field("energy_export_kwh", &self.energy_export_mwh.map(kilo))?;
        line.serialize_field("list", &self.list.map(|list| list.to_string()))?;
        line.serialize_field("encrypted", &self.encrypted)?;
        line.serialize_field("authenticated", &self.authenticated)?;
        line.end()
    }
}
