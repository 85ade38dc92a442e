//! Where a meter is read: `serial:/dev/ttyUSB0`, `tcp://host:port`, `file:PATH`.

use crate::serial::{Line, LineParity};
use headroom_codec::Protocol;
use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

/// Time between two telegrams of a replayed file, unless `interval_ms` says otherwise.
const REPLAY_INTERVAL: Duration = Duration::from_secs(1);
/// A replay faster than this would measure the machine, slower than this would never be seen.
const REPLAY_INTERVAL_MS: std::ops::RangeInclusive<u64> = 1..=3_600_000;
/// The rates of serial drivers.
const BAUD: std::ops::RangeInclusive<u32> = 300..=4_000_000;

/// A source, as its user wrote it and as it is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    text: String,
    kind: SourceKind,
    protocol: Option<Protocol>,
}

/// The kinds of sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceKind {
    /// A serial port. What is not given is found by listening.
    Serial {
        /// The device.
        path: PathBuf,
        /// Rate in baud.
        baud: Option<u32>,
        /// Parity; on a slow P1 or TIC line even parity means 7E1.
        parity: Option<LineParity>,
    },
    /// Raw telegrams over TCP.
    Tcp {
        /// `host:port`
        address: String,
    },
    /// A captured stream, raw or as hexadecimal text. It is played once, one telegram per interval; then it is silent.
    File {
        /// The file.
        path: PathBuf,
        /// Time between two telegrams.
        interval: Duration,
    },
}

/// Text that names no source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// No scheme.
    #[error("{0:?} is no meter source: write serial:/dev/ttyUSB0, tcp://host:port or file:PATH")]
    NoScheme(String),
    /// A scheme that does not exist.
    #[error("there is no source {0}: — use serial:, tcp:// or file:")]
    UnknownScheme(String),
    /// A scheme that is planned.
    #[error("{0}:// sources are not supported yet; use serial:, tcp:// or file: until then")]
    NotYet(String),
    /// The device, address or file is missing or malformed.
    #[error("{text:?} does not say {wanted}")]
    Incomplete {
        /// What was given.
        text: String,
        /// What is missing.
        wanted: &'static str,
    },
    /// A parameter that the source does not have.
    #[error("{scheme}: has no parameter {name:?}; it takes {known}")]
    UnknownParameter {
        /// The source's scheme.
        scheme: &'static str,
        /// The parameter.
        name: String,
        /// Those that exist.
        known: &'static str,
    },
    /// A parameter with a value that cannot be.
    #[error("{name}={value} cannot be: {wanted}")]
    BadValue {
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it takes.
        wanted: &'static str,
    },
}

const PLANNED: [&str; 3] = ["homewizard", "mqtt", "modbus"];
const PROTOCOLS: &str = "it takes p1, hdlc, mbus, sml, tic or auto";

impl Source {
    /// Reads a source; the text of an error is for its user.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        let text = text.trim();
        let (scheme, rest) = text
            .split_once(':')
            .ok_or_else(|| SourceError::NoScheme(text.to_owned()))?;
        let (target, query) = rest.split_once('?').unwrap_or((rest, ""));
        let query = Query {
            pairs: query.split('&').filter(|pair| !pair.is_empty()),
        };
        let (kind, protocol) = match scheme {
            "serial" => serial(text, target, query)?,
            "tcp" => tcp(text, target, query)?,
            "file" => file(text, target, query)?,
            planned if PLANNED.contains(&planned) => {
                return Err(SourceError::NotYet(planned.to_owned()));
            }
            other => return Err(SourceError::UnknownScheme(other.to_owned())),
        };
        Ok(Self {
            text: text.to_owned(),
            kind,
            protocol,
        })
    }

    /// What it is.
    pub fn kind(&self) -> &SourceKind {
        &self.kind
    }

    /// The family that `?protocol=` names.
    pub fn protocol(&self) -> Option<Protocol> {
        self.protocol
    }
}

impl FromStr for Source {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

struct Query<I> {
    pairs: I,
}

impl<'a, I: Iterator<Item = &'a str>> Query<I> {
    /// Gives each parameter to `take`, which answers `false` for one that it does not know.
    fn each(
        self,
        scheme: &'static str,
        known: &'static str,
        mut take: impl FnMut(&str, &str) -> Result<bool, SourceError>,
    ) -> Result<(), SourceError> {
        for pair in self.pairs {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if !take(name, value)? {
                let name = name.to_owned();
                return Err(SourceError::UnknownParameter {
                    scheme,
                    name,
                    known,
                });
            }
        }
        Ok(())
    }
}

type Parsed = Result<(SourceKind, Option<Protocol>), SourceError>;

fn serial<'a>(text: &str, target: &str, query: Query<impl Iterator<Item = &'a str>>) -> Parsed {
    let path = target.strip_prefix("//").unwrap_or(target);
    if path.is_empty() {
        return Err(SourceError::Incomplete {
            text: text.to_owned(),
            wanted: "which port: serial:/dev/ttyUSB0 or serial:/dev/serial/by-id/…",
        });
    }
    let (mut baud, mut parity, mut protocol) = (None, None, None);
    query.each("serial", "baud, parity and protocol", |name, value| {
        match name {
            "baud" => {
                let rate: Option<u32> = value.parse().ok().filter(|rate| BAUD.contains(rate));
                baud = Some(rate.ok_or_else(|| bad("baud", value, "a rate such as 115200"))?);
            }
            "parity" => {
                parity = Some(match value {
                    "none" => LineParity::None,
                    "even" => LineParity::Even,
                    "odd" => LineParity::Odd,
                    _ => return Err(bad("parity", value, "it takes none, even or odd")),
                });
            }
            "protocol" => protocol = parse_protocol(value)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok((
        SourceKind::Serial {
            path: PathBuf::from(path),
            baud,
            parity,
        },
        protocol,
    ))
}

fn tcp<'a>(text: &str, target: &str, query: Query<impl Iterator<Item = &'a str>>) -> Parsed {
    let address = target
        .strip_prefix("//")
        .unwrap_or(target)
        .trim_end_matches('/');
    let complete = address.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    if !complete {
        return Err(SourceError::Incomplete {
            text: text.to_owned(),
            wanted: "host and port: tcp://192.0.2.5:2001",
        });
    }
    let mut protocol = None;
    query.each("tcp", "protocol", |name, value| {
        if name == "protocol" {
            protocol = parse_protocol(value)?;
        }
        Ok(name == "protocol")
    })?;
    Ok((
        SourceKind::Tcp {
            address: address.to_owned(),
        },
        protocol,
    ))
}

fn file<'a>(text: &str, target: &str, query: Query<impl Iterator<Item = &'a str>>) -> Parsed {
    if target.is_empty() {
        return Err(SourceError::Incomplete {
            text: text.to_owned(),
            wanted: "which file: file:/path/to/capture",
        });
    }
    let (mut interval, mut protocol) = (REPLAY_INTERVAL, None);
    query.each("file", "interval_ms and protocol", |name, value| {
        match name {
            "interval_ms" => {
                let ms = value
                    .parse()
                    .ok()
                    .filter(|ms| REPLAY_INTERVAL_MS.contains(ms));
                let wanted = "milliseconds from 1 to 3600000";
                interval =
                    Duration::from_millis(ms.ok_or_else(|| bad("interval_ms", value, wanted))?);
            }
            "protocol" => protocol = parse_protocol(value)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok((
        SourceKind::File {
            path: PathBuf::from(target),
            interval,
        },
        protocol,
    ))
}

fn parse_protocol(value: &str) -> Result<Option<Protocol>, SourceError> {
    match value {
        "auto" => Ok(None),
        _ => value
            .parse()
            .map(Some)
            .map_err(|_| bad("protocol", value, PROTOCOLS)),
    }
}

fn bad(name: &'static str, value: &str, wanted: &'static str) -> SourceError {
    SourceError::BadValue {
        name,
        value: value.to_owned(),
        wanted,
    }
}

/// The line parameters that a serial source pins, all of them or none.
impl SourceKind {
    pub(crate) fn lines(&self, protocol: Option<Protocol>) -> Vec<Line> {
        match self {
            Self::Serial { baud, parity, .. } => Line::candidates(*baud, *parity, protocol),
            Self::Tcp { .. } | Self::File { .. } => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_as_documented() {
        let source =
            Source::parse("serial:/dev/ttyUSB0?baud=115200&parity=none&protocol=p1").unwrap();
        assert_eq!(
            source.kind(),
            &SourceKind::Serial {
                path: "/dev/ttyUSB0".into(),
                baud: Some(115_200),
                parity: Some(LineParity::None)
            }
        );
        assert_eq!(source.protocol(), Some(Protocol::P1));
        assert_eq!(
            Source::parse("tcp://[2001:db8::1]:23").unwrap().kind(),
            &SourceKind::Tcp {
                address: "[2001:db8::1]:23".to_owned()
            }
        );
        assert_eq!(
            Source::parse("file:capture.hex?interval_ms=50")
                .unwrap()
                .kind(),
            &SourceKind::File {
                path: "capture.hex".into(),
                interval: Duration::from_millis(50)
            }
        );
    }

    #[test]
    fn errors_say_what_to_write() {
        for (text, says) in [
            ("", "serial:/dev/ttyUSB0"),
            ("/dev/ttyUSB0", "serial:/dev/ttyUSB0"),
            ("http://meter", "use serial:, tcp:// or file:"),
            ("homewizard://192.0.2.7", "not supported yet"),
            ("mqtt://broker/topic", "not supported yet"),
            ("modbus://host:502/PROFILE?unit=1", "not supported yet"),
            ("serial:", "which port"),
            (
                "serial:/dev/ttyUSB0?speed=9600",
                "has no parameter \"speed\"",
            ),
            ("serial:/dev/ttyUSB0?baud=fast", "baud=fast cannot be"),
            ("serial:/dev/ttyUSB0?parity=7", "none, even or odd"),
            ("tcp://host", "host and port"),
            ("tcp://host:0", "host and port"),
            ("tcp://host:99999", "host and port"),
            ("tcp://host:23?protocol=dsmr", "p1, hdlc"),
            ("file:", "which file"),
            ("file:x?interval_ms=0", "from 1 to 3600000"),
        ] {
            let error = Source::parse(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
