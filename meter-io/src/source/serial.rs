//! `serial:/dev/ttyUSB0?baud=115200&parity=none&protocol=p1`

use super::{Parsed, Parts, SourceError, SourceKind, bad, parse_protocol};
use crate::serial::{BAUD, LineParity};
use std::path::PathBuf;

pub(super) fn parse(parts: &Parts<'_>) -> Parsed {
    let path = parts.target.strip_prefix("//").unwrap_or(parts.target);
    if path.is_empty() {
        return Err(
            parts.incomplete("which port: serial:/dev/ttyUSB0 or serial:/dev/serial/by-id/…")
        );
    }
    let (mut baud, mut parity, mut protocol) = (None, None, None);
    parts.each("baud, parity and protocol", |name, value| {
        match name {
            "baud" => baud = Some(parse_baud(value)?),
            "parity" => parity = Some(parse_parity(value)?),
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

pub(super) fn parse_baud(value: &str) -> Result<u32, SourceError> {
    let rate = value.parse().ok().filter(|rate| BAUD.contains(rate));
    rate.ok_or_else(|| bad("baud", value, "a rate such as 115200"))
}

pub(super) fn parse_parity(value: &str) -> Result<LineParity, SourceError> {
    match value {
        "none" => Ok(LineParity::None),
        "even" => Ok(LineParity::Even),
        "odd" => Ok(LineParity::Odd),
        _ => Err(bad("parity", value, "it takes none, even or odd")),
    }
}
