//! Where a meter is read: `serial:/dev/ttyUSB0`, `tcp://host:port`, `homewizard://host`, …
//!
//! Here the scheme is told apart; each scheme reads its own part in a module of its own. A source may hold a password:
//! only [`Source::expose`] gives it.

mod authority;
mod file;
mod http;
mod modbus;
mod mqtt;
mod serial;
mod tcp;

pub use authority::{Authority, Login};
pub use http::{HttpKind, HttpMeter, Trust};
pub use modbus::{ModbusMeter, ModbusWay};
pub use mqtt::MqttTopic;

use crate::serial::{Line, LineParity};
use headroom_codec::Protocol;
use headroom_core::login::hide_password;
use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

/// A source, as its user wrote it and as it is understood.
#[derive(Clone, PartialEq, Eq)]
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
    /// A meter that is asked over HTTP.
    Http(HttpMeter),
    /// A meter that is asked for its registers.
    Modbus(ModbusMeter),
    /// Messages of a meter's reader on a broker.
    Mqtt(MqttTopic),
}

/// Text that names no source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// No scheme.
    #[error(
        "{0:?} is no meter source: write for example serial:/dev/ttyUSB0, tcp://host:port or homewizard://host"
    )]
    NoScheme(String),
    /// A scheme that does not exist.
    #[error("there is no source {0}: — use {SCHEMES}")]
    UnknownScheme(String),
    /// A Modbus meter whose registers are not known, and those that are.
    #[error("no registers are known of a meter {0:?}; the profiles are {1}")]
    UnknownProfile(String, String),
    /// A certificate to check, and nothing that shows one.
    #[error("id and ca say whom to trust over TLS: write them with version=2 and without tls=off")]
    TrustWithoutTls,
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
        scheme: String,
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

const SCHEMES: &str =
    "serial:, tcp://, file:, homewizard://, http://, shelly://, mqtt:// or modbus://";
const PROTOCOLS: &str = "it takes p1, hdlc, mbus, sml, tic or auto";

/// What a scheme's module gives.
type Parsed = Result<(SourceKind, Option<Protocol>), SourceError>;

impl Source {
    /// Reads a source; the text of an error is for its user.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        let text = text.trim();
        // A device alone can only be a serial port.
        let named;
        let text = if text.starts_with("/dev/") {
            named = format!("serial:{text}");
            &named
        } else {
            text
        };
        let (scheme, rest) = text
            .split_once(':')
            .ok_or_else(|| SourceError::NoScheme(hide_password(text).0))?;
        let (target, query) = rest.split_once('?').unwrap_or((rest, ""));
        let parts = Parts {
            text,
            scheme,
            target,
            query,
        };
        let (kind, protocol) = match scheme {
            "serial" => serial::parse(&parts)?,
            "tcp" => tcp::parse(&parts)?,
            "file" => file::parse(&parts)?,
            "homewizard" => http::homewizard(&parts)?,
            "http" => http::amsreader(&parts)?,
            "shelly" => http::shelly(&parts)?,
            "modbus" => modbus::parse(&parts)?,
            "mqtt" => mqtt::parse(&parts)?,
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

    /// The text as it was written, with its password, for storing. Everything else shows `***` in its place.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl FromStr for Source {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Source {
    /// As written, a password as `***`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hide_password(&self.text).0)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({self})")
    }
}

/// A source's text, cut at its scheme and its query.
pub(crate) struct Parts<'a> {
    /// All of it.
    text: &'a str,
    scheme: &'a str,
    /// Between the colon of the scheme and the question mark.
    target: &'a str,
    query: &'a str,
}

impl Parts<'_> {
    /// Gives each parameter to `take`, which answers `false` for one that it does not know.
    fn each(
        &self,
        known: &'static str,
        mut take: impl FnMut(&str, &str) -> Result<bool, SourceError>,
    ) -> Result<(), SourceError> {
        for pair in self.query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if !take(name, value)? {
                return Err(SourceError::UnknownParameter {
                    scheme: self.scheme.to_owned(),
                    name: name.to_owned(),
                    known,
                });
            }
        }
        Ok(())
    }

    /// The target does not say what it must.
    fn incomplete(&self, wanted: &'static str) -> SourceError {
        SourceError::Incomplete {
            text: hide_password(self.text).0,
            wanted,
        }
    }
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

impl SourceKind {
    /// Its place, for a sentence; without a login.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::Serial { path, .. } | Self::File { path, .. } => path.display().to_string(),
            Self::Tcp { address } => address.clone(),
            Self::Http(meter) => meter.authority.to_string(),
            Self::Modbus(meter) => meter.way.to_string(),
            Self::Mqtt(topic) => topic.authority.to_string(),
        }
    }

    /// The line parameters to try; none where there is no line.
    pub(crate) fn lines(&self, protocol: Option<Protocol>) -> Vec<Line> {
        match self {
            Self::Serial { baud, parity, .. } => Line::candidates(*baud, *parity, protocol),
            _ => Vec::new(),
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
        for device in [
            "/dev/ttyUSB0",
            "/dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0-port0",
        ] {
            let alone = Source::parse(&format!("{device}?baud=115200")).unwrap();
            let named = Source::parse(&format!("serial:{device}?baud=115200")).unwrap();
            assert_eq!(alone, named);
        }
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
    fn meters_that_are_asked_over_http() {
        for (text, kind, address, path) in [
            (
                "homewizard://p1meter.local",
                HttpKind::HomewizardV1,
                "p1meter.local:80",
                "",
            ),
            (
                "homewizard://h:81?version=2&tls=off",
                HttpKind::HomewizardV2,
                "h:81",
                "",
            ),
            (
                "http://192.0.2.7",
                HttpKind::Amsreader,
                "192.0.2.7:80",
                "data.json",
            ),
            (
                "http://h/ams/data.json",
                HttpKind::Amsreader,
                "h:80",
                "ams/data.json",
            ),
            (
                "shelly://[2001:db8::1]:8080/",
                HttpKind::Shelly,
                "[2001:db8::1]:8080",
                "",
            ),
        ] {
            let source = Source::parse(text).unwrap();
            let SourceKind::Http(meter) = source.kind() else {
                panic!("{text}");
            };
            assert_eq!(
                (
                    meter.kind,
                    meter.authority.address(80).as_str(),
                    meter.path.as_str()
                ),
                (kind, address, path),
                "{text}"
            );
        }
    }

    #[test]
    fn a_password_shows_nowhere_but_where_it_is_asked_for() {
        let text = "http://jo:open%20sesame@192.0.2.7/data.json";
        let source = Source::parse(text).unwrap();
        assert_eq!(source.to_string(), "http://jo:***@192.0.2.7/data.json");
        assert!(!format!("{source:?} {:?}", source.kind()).contains("sesame"));
        assert_eq!(source.expose(), text);
    }

    #[test]
    fn errors_say_what_to_write() {
        for (text, says) in [
            ("", "serial:/dev/ttyUSB0"),
            ("ttyUSB0", "serial:/dev/ttyUSB0"),
            ("ftp://meter", "use serial:, tcp://"),
            ("homewizard://", "which meter"),
            ("homewizard://host/api", "which meter"),
            ("homewizard://jo:secret@host", "homewizard://jo:***@host"),
            ("homewizard://host?version=3", "it takes 1 or 2"),
            ("shelly://host/rpc", "which meter"),
            ("shelly://host?channel=0", "has no parameter \"channel\""),
            ("http://host/status", "which page"),
            ("http://jo:secret@host:0/data.json", "http://jo:***@host:0"),
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
