//! From the meter's configuration to a meter that is read.

use headroom_core::config;
use headroom_meter_io::{Key, Meter, Settings, Source};

/// Opens the meter that is configured; `None` if there is none yet.
///
/// # Errors
/// What is wrong with the configuration, in words.
pub(crate) fn open(meter: &config::Meter, one_phase: bool) -> Result<Option<Meter>, String> {
    let Some(source) = &meter.source else {
        return Ok(None);
    };
    let source: Source = Source::parse(source).map_err(|error| error.to_string())?;
    let key = |secret: &Option<config::Secret>, what: &str| {
        secret
            .as_ref()
            .map(|secret| secret.expose().parse::<Key>())
            .transpose()
            .map_err(|error| format!("the {what} of the meter is not a key: {error}"))
    };
    let settings = Settings {
        key: key(&meter.key, "encryption key")?,
        auth_key: key(&meter.auth_key, "authentication key")?,
        ct_ratio: meter.ct_ratio.unwrap_or(1.0),
        one_phase,
    };
    Ok(Some(headroom_meter_io::start(source, settings)))
}
