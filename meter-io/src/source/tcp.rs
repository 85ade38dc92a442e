//! `tcp://host:port?protocol=p1`

use super::{Parsed, Parts, SourceKind, parse_protocol};

pub(super) fn parse(parts: &Parts<'_>) -> Parsed {
    let address = parts
        .target
        .strip_prefix("//")
        .unwrap_or(parts.target)
        .trim_end_matches('/');
    let complete = address.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    if !complete {
        return Err(parts.incomplete("host and port: tcp://192.0.2.5:2001"));
    }
    let mut protocol = None;
    parts.each("protocol", |name, value| {
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
