//! `file:PATH?interval_ms=1000&protocol=p1`

use super::{Parsed, Parts, SourceKind, bad, parse_protocol};
use std::{path::PathBuf, time::Duration};

/// Time between two telegrams of a replayed file, unless `interval_ms` says otherwise.
const REPLAY_INTERVAL: Duration = Duration::from_secs(1);
/// A replay faster than this would measure the machine, slower than this would never be seen.
const REPLAY_INTERVAL_MS: std::ops::RangeInclusive<u64> = 1..=3_600_000;

pub(super) fn parse(parts: &Parts<'_>) -> Parsed {
    if parts.target.is_empty() {
        return Err(parts.incomplete("which file: file:/path/to/capture"));
    }
    let (mut interval, mut protocol) = (REPLAY_INTERVAL, None);
    parts.each("interval_ms and protocol", |name, value| {
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
            path: PathBuf::from(parts.target),
            interval,
        },
        protocol,
    ))
}
