//! Meters that are asked over HTTP: `homewizard://host`, `http://host/data.json`, `shelly://host`.

use super::{Authority, Parsed, Parts, SourceError, SourceKind, bad};

/// The page of an amsreader that has the values.
const AMSREADER_PAGE: &str = "data.json";

/// A meter that is asked over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpMeter {
    /// What it is.
    pub kind: HttpKind,
    /// Where it is.
    pub authority: Authority,
    /// The page that is asked for; empty where the kind alone tells it.
    pub path: String,
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
    let (mut second, mut tls) = (false, true);
    parts.each("version and tls", |name, value| {
        match (name, value) {
            ("version", "1" | "2") => second = value == "2",
            ("version", _) => return Err(bad("version", value, "it takes 1 or 2")),
            ("tls", "on" | "off") => tls = value == "on",
            ("tls", _) => return Err(bad("tls", value, "it takes on or off")),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if second && tls {
        return Err(SourceError::NoTls);
    }
    let kind = if second {
        HttpKind::HomewizardV2
    } else {
        HttpKind::HomewizardV1
    };
    Ok(meter(kind, authority, ""))
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
    Ok(meter(HttpKind::Amsreader, authority, path))
}

pub(super) fn shelly(parts: &Parts<'_>) -> Parsed {
    let authority = host_alone(parts, "which meter: shelly://192.0.2.7")?;
    parts.each("none", |_, _| Ok(false))?;
    Ok(meter(HttpKind::Shelly, authority, ""))
}

/// A host, and neither a login nor a page.
fn host_alone(parts: &Parts<'_>, wanted: &'static str) -> Result<Authority, SourceError> {
    match Authority::parse(parts, wanted)? {
        (authority, "") if authority.login.is_none() => Ok(authority),
        _ => Err(parts.incomplete(wanted)),
    }
}

fn meter(
    kind: HttpKind,
    authority: Authority,
    path: &str,
) -> (SourceKind, Option<super::Protocol>) {
    let path = path.to_owned();
    let meter = HttpMeter {
        kind,
        authority,
        path,
    };
    (SourceKind::Http(meter), None)
}
