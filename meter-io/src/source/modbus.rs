//! `modbus://host:502/PROFILE?unit=1` and `modbus:/dev/ttyUSB0/PROFILE?unit=1&baud=9600`

use super::{Authority, Parsed, Parts, SourceError, SourceKind, bad, serial};
use crate::serial::{Line, LineParity};
use headroom_codec::modbus::Profile;
use std::{fmt, ops::RangeInclusive, path::PathBuf, time::Duration};

/// What meters have when they come out of their box.
const USUAL_LINE: Line = Line {
    baud: 9_600,
    parity: LineParity::None,
};
/// Units on a line (Modbus over serial line V1.02, 2.2).
const UNITS: RangeInclusive<u8> = 1..=247;
/// A meter that is its own TCP server may also be addressed as 0 or 255.
const UNITS_OVER_TCP: RangeInclusive<u8> = 0..=255;
const USUAL_INTERVAL: Duration = Duration::from_secs(1);
/// Faster than meters measure, and slower than the guard of a fuse can use.
const INTERVAL_MS: RangeInclusive<u64> = 500..=10_000;

/// A meter that is asked for its registers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModbusMeter {
    /// How it is reached.
    pub way: ModbusWay,
    /// What its registers mean.
    pub profile: &'static Profile,
    /// Its number on the line.
    pub unit: u8,
    /// How often it is asked.
    pub interval: Duration,
}

/// The ways to a meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModbusWay {
    /// Over the network.
    Tcp {
        /// Where; never with a login.
        authority: Authority,
        /// Frames as on a serial line, as simple gateways pass them on.
        rtu: bool,
    },
    /// On a serial port.
    Serial {
        /// The device.
        path: PathBuf,
        /// Its parameters.
        line: Line,
    },
}

impl fmt::Display for ModbusWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { authority, .. } => authority.fmt(f),
            Self::Serial { path, .. } => path.display().fmt(f),
        }
    }
}

pub(super) fn parse(parts: &Parts<'_>) -> Parsed {
    let network = parts.target.starts_with("//");
    let query = Query::parse(parts, network)?;
    let (way, profile) = if network {
        tcp(parts, query.rtu)?
    } else {
        let line = Line {
            baud: query.baud.unwrap_or(USUAL_LINE.baud),
            parity: query.parity.unwrap_or(USUAL_LINE.parity),
        };
        on_serial(parts, line)?
    };
    let profile = Profile::find(profile)
        .ok_or_else(|| SourceError::UnknownProfile(profile.to_owned(), profiles()))?;
    let meter = ModbusMeter {
        way,
        profile,
        unit: query.unit,
        interval: query.interval,
    };
    Ok((SourceKind::Modbus(meter), None))
}

/// All profiles, for people.
fn profiles() -> String {
    let names: Vec<&str> = Profile::ALL.iter().map(|profile| profile.name).collect();
    names.join(", ")
}

fn tcp<'a>(parts: &Parts<'a>, rtu: bool) -> Result<(ModbusWay, &'a str), SourceError> {
    let wanted = "which meter: modbus://192.0.2.7:502/sdm630?unit=1";
    let (authority, profile) = Authority::parse(parts, wanted)?;
    if authority.login.is_some() || profile.is_empty() {
        return Err(parts.incomplete(wanted));
    }
    Ok((ModbusWay::Tcp { authority, rtu }, profile))
}

fn on_serial<'a>(parts: &Parts<'a>, line: Line) -> Result<(ModbusWay, &'a str), SourceError> {
    match parts.target.rsplit_once('/') {
        Some((path, profile)) if !path.is_empty() && !profile.is_empty() => {
            let path = PathBuf::from(path);
            Ok((ModbusWay::Serial { path, line }, profile))
        }
        _ => Err(parts.incomplete("which port and meter: modbus:/dev/ttyUSB0/sdm630?unit=1")),
    }
}

struct Query {
    unit: u8,
    interval: Duration,
    rtu: bool,
    baud: Option<u32>,
    parity: Option<LineParity>,
}

impl Query {
    fn parse(parts: &Parts<'_>, network: bool) -> Result<Self, SourceError> {
        let mut it = Self {
            unit: *UNITS.start(),
            interval: USUAL_INTERVAL,
            rtu: false,
            baud: None,
            parity: None,
        };
        let (known, units) = if network {
            ("unit, interval_ms and framing", UNITS_OVER_TCP)
        } else {
            ("unit, interval_ms, baud and parity", UNITS)
        };
        parts.each(known, |name, value| {
            match name {
                "unit" => {
                    let unit = value.parse().ok().filter(|unit| units.contains(unit));
                    it.unit =
                        unit.ok_or_else(|| bad("unit", value, "the meter's number, 1 to 247"))?;
                }
                "interval_ms" => {
                    let ms = value.parse().ok().filter(|ms| INTERVAL_MS.contains(ms));
                    let wanted = "milliseconds from 500 to 10000";
                    let ms = ms.ok_or_else(|| bad("interval_ms", value, wanted))?;
                    it.interval = Duration::from_millis(ms);
                }
                "framing" if network => {
                    it.rtu = match value {
                        "tcp" => false,
                        "rtu" => true,
                        _ => return Err(bad("framing", value, "it takes tcp or rtu")),
                    };
                }
                "baud" if !network => it.baud = Some(serial::parse_baud(value)?),
                "parity" if !network => it.parity = Some(serial::parse_parity(value)?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    fn meter(text: &str) -> ModbusMeter {
        match Source::parse(text).unwrap().kind() {
            SourceKind::Modbus(meter) => meter.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_meter_on_the_network() {
        let it = meter("modbus://meter.local/sdm630");
        let ModbusWay::Tcp { authority, rtu } = it.way else {
            panic!("{it:?}");
        };
        assert_eq!(
            (authority.address(502).as_str(), rtu),
            ("meter.local:502", false)
        );
        assert_eq!((it.profile.name, it.unit), ("sdm630", 1));
        assert_eq!(it.interval, Duration::from_secs(1));
        let it = meter("modbus://192.0.2.7:1502/abb_b23?unit=255&interval_ms=500&framing=rtu");
        assert!(matches!(it.way, ModbusWay::Tcp { rtu: true, .. }));
        assert_eq!((it.profile.name, it.unit), ("abb_b23", 255));
        assert_eq!(it.interval, Duration::from_millis(500));
    }

    #[test]
    fn a_meter_on_a_serial_port() {
        let it = meter("modbus:/dev/serial/by-id/usb-x/em340?unit=3&baud=19200&parity=even");
        let line = Line {
            baud: 19_200,
            parity: LineParity::Even,
        };
        let path = "/dev/serial/by-id/usb-x".into();
        assert_eq!(it.way, ModbusWay::Serial { path, line });
        assert_eq!(it.unit, 3);
        let it = meter("modbus:/dev/ttyUSB0/em340");
        assert!(matches!(
            it.way,
            ModbusWay::Serial {
                line: USUAL_LINE,
                ..
            }
        ));
    }

    #[test]
    fn errors_say_what_to_write() {
        for (text, says) in [
            ("modbus:", "which port and meter"),
            ("modbus:/sdm630", "which port and meter"),
            ("modbus:/dev/ttyUSB0/", "which port and meter"),
            (
                "modbus:/dev/ttyUSB0",
                "sdm630, sdm72, em24, em24_e1, em340, abb_b23",
            ),
            ("modbus://", "which meter"),
            ("modbus://host:502", "which meter"),
            ("modbus://jo:secret@host/sdm630", "modbus://jo:***@host"),
            ("modbus://host/sdm120", "\"sdm120\""),
            ("modbus://host/sdm630?unit=300", "1 to 247"),
            ("modbus:/dev/ttyUSB0/sdm630?unit=0", "1 to 247"),
            ("modbus://host/sdm630?interval_ms=100", "from 500 to 10000"),
            ("modbus://host/sdm630?framing=ascii", "tcp or rtu"),
            ("modbus://host/sdm630?baud=9600", "no parameter \"baud\""),
            (
                "modbus:/dev/ttyUSB0/sdm630?framing=rtu",
                "no parameter \"framing\"",
            ),
            ("modbus:/dev/ttyUSB0/sdm630?baud=fast", "baud=fast"),
            ("modbus:/dev/ttyUSB0/sdm630?parity=7", "none, even or odd"),
        ] {
            let error = Source::parse(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
