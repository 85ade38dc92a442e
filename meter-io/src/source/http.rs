//! Meters that are asked over HTTP: `homewizard://host`, `http://host/data.json`, `shelly://host`.

use super::{Authority, Parsed, Parts, SourceError, SourceKind, bad};
use std::path::PathBuf;

/// The page of an amsreader that has the values.
const AMSREADER_PAGE: &str = "data.json";
/// Serial numbers of `HomeWizard` have 12 digits; a label of DNS, in which they stand too, ends at 63.
const MAX_SERIAL: usize = 63;
const ID: &str = "it takes the meter's serial number: letters and digits";
const NO_TLS: &str = "only version 2 of HomeWizard's interface has TLS: add version=2";

/// A meter that is asked over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpMeter {
    /// What it is.
    pub kind: HttpKind,
    /// Where it is.
    pub authority: Authority,
    /// The page that is asked for; empty where the kind alone tells it.
    pub path: String,
    /// How it proves who it is; without it, it is asked over plain HTTP.
    pub tls: Option<Trust>,
}

/// Whom a meter that speaks TLS must be known to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trust {
    /// A file with the certificates to trust (PEM), in place of the maker's.
    pub ca: Option<PathBuf>,
    /// The serial number that the meter's certificate must name, in small letters.
    pub serial: Option<String>,
}

/// The kinds of such meters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpKind {
    /// The first local interface of `HomeWizard`: no token.
    HomewizardV1,
    /// The second one, which takes a token.
    HomewizardV2,
    /// `data.json` of an amsreader (amsleser.no).
    Amsreader,
    /// RPC of a Shelly Pro 3EM or 3EM-63.
    Shelly,
}

pub(super) fn homewizard(parts: &Parts<'_>) -> Parsed {
    let wanted = "which meter: homewizard://192.0.2.7";
    let authority = host_alone(parts, wanted)?;
    let (mut second, mut tls) = (false, None);
    let mut trust = Trust::default();
    parts.each("version, tls, id and ca", |name, value| {
        match (name, value) {
            ("version", "1" | "2") => second = value == "2",
            ("version", _) => return Err(bad("version", value, "it takes 1 or 2")),
            ("tls", "on" | "off") => tls = Some(value == "on"),
            ("tls", _) => return Err(bad("tls", value, "it takes on or off")),
            ("id", _) if is_serial(value) => trust.serial = Some(value.to_ascii_lowercase()),
            ("id", _) => return Err(bad("id", value, ID)),
            ("ca", "") => return Err(bad("ca", value, "it takes the path of a PEM file")),
            ("ca", _) => trust.ca = Some(PathBuf::from(value)),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let kind = if second {
        HttpKind::HomewizardV2
    } else {
        HttpKind::HomewizardV1
    };
    let mut meter = meter(kind, authority, "");
    let trusted = trust != Trust::default();
    match tls {
        Some(true) | None if second => meter.tls = Some(trust),
        Some(true) => return Err(bad("tls", "on", NO_TLS)),
        _ if trusted => return Err(SourceError::TrustWithoutTls),
        _ => {}
    }
    Ok(found(meter))
}

pub(super) fn amsreader(parts: &Parts<'_>) -> Parsed {
    let wanted = "which page: http://192.0.2.7/data.json of an amsreader";
    let (authority, path) = Authority::parse(parts, wanted)?;
    parts.each("none", |_, _| Ok(false))?;
    let path = match path {
        "" => AMSREADER_PAGE,
        page if page == AMSREADER_PAGE || page.ends_with("/data.json") => page,
        _ => return Err(parts.incomplete(wanted)),
    };
    if path.chars().any(|c| c.is_whitespace() || c == '#') {
        return Err(parts.incomplete(wanted));
    }
    Ok(found(meter(HttpKind::Amsreader, authority, path)))
}

pub(super) fn shelly(parts: &Parts<'_>) -> Parsed {
    let authority = host_alone(parts, "which meter: shelly://192.0.2.7")?;
    parts.each("none", |_, _| Ok(false))?;
    Ok(found(meter(HttpKind::Shelly, authority, "")))
}

/// A host, and neither a login nor a page.
fn host_alone(parts: &Parts<'_>, wanted: &'static str) -> Result<Authority, SourceError> {
    match Authority::parse(parts, wanted)? {
        (authority, "") if authority.login.is_none() => Ok(authority),
        _ => Err(parts.incomplete(wanted)),
    }
}

/// Letters and digits, as `HomeWizard` writes serial numbers.
fn is_serial(text: &str) -> bool {
    (1..=MAX_SERIAL).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric())
}

fn meter(kind: HttpKind, authority: Authority, path: &str) -> HttpMeter {
    let path = path.to_owned();
    HttpMeter {
        kind,
        authority,
        path,
        tls: None,
    }
}

fn found(meter: HttpMeter) -> (SourceKind, Option<super::Protocol>) {
    (SourceKind::Http(meter), None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    fn tls(query: &str) -> Result<Option<Trust>, String> {
        let source = Source::parse(&format!("homewizard://192.0.2.7{query}"));
        match source.map_err(|error| error.to_string())?.kind() {
            SourceKind::Http(meter) => Ok(meter.tls.clone()),
            other => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn version_2_has_tls_unless_it_is_switched_off() {
        let makers = Some(Trust::default());
        assert_eq!(tls(""), Ok(None));
        assert_eq!(tls("?version=1&tls=off"), Ok(None));
        assert_eq!(tls("?version=2"), Ok(makers.clone()));
        assert_eq!(tls("?tls=on&version=2"), Ok(makers));
        assert_eq!(tls("?version=2&tls=off"), Ok(None));
        let trust = Trust {
            ca: Some("/etc/ssl/own.pem".into()),
            serial: Some("5c2faf000001".to_owned()),
        };
        let pinned = tls("?version=2&id=5C2FAF000001&ca=/etc/ssl/own.pem");
        assert_eq!(pinned, Ok(Some(trust)));
    }

    #[test]
    fn a_wish_for_trust_is_never_dropped_in_silence() {
        for (query, says) in [
            ("?tls=on", "version=2"),
            ("?id=5c2faf000001", "version=2"),
            ("?ca=own.pem", "version=2"),
            ("?version=2&tls=off&id=5c2faf000001", "without tls=off"),
            ("?version=2&tls=off&ca=own.pem", "without tls=off"),
            ("?version=2&id=", "serial number"),
            ("?version=2&id=5c:2f", "serial number"),
            ("?version=2&ca=", "PEM"),
            ("?version=2&tls=yes", "on or off"),
        ] {
            let error = tls(query).unwrap_err();
            assert!(error.contains(says), "{query}: {error}");
        }
    }
}
