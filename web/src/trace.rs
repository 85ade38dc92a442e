//! What came and went last, for people who look for what is wrong: `GET /diagnostics` has it, without secrets.

use jiff::Timestamp;
use serde::Serialize;

/// A message of a charge point or to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OcppTraced {
    /// The charger that it is, if it is adopted; the first one where it has several connectors.
    pub charger: Option<String>,
    /// The identity of the charge point.
    pub charge_point: String,
    /// When it came or went.
    #[serde(serialize_with = "headroom_store::times::one")]
    pub time: Timestamp,
    /// `in` from the charge point, `out` to it.
    pub direction: &'static str,
    /// The frame, secrets as `***`; in parentheses what stands for one that cannot be shown.
    pub message: String,
}

/// A telegram of the meter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MeterTraced {
    /// When it was heard.
    #[serde(serialize_with = "headroom_store::times::one")]
    pub time: Timestamp,
    /// Anonymous: as text, as hexadecimal digits, or as decoded where the source has no telegrams; in parentheses why it is not shown.
    pub telegram: String,
    /// Whether it was understood.
    pub valid: bool,
}
