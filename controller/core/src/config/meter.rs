//! How the meter is read, and texts that must not reach a log.

use serde::{Deserialize, Serialize};

/// The meter as `GET,PUT /meter` has it. Not part of [`Config`]: the core sees readings only.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meter {
    /// Where it is read, for example `serial:/dev/ttyUSB0`; `null`: nowhere yet.
    #[serde(default)]
    pub source: Option<String>,
    /// The password that `***` stands for in the source. Taken from the source when that is written; never given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_password: Option<Secret>,
    /// Encryption key in hex. Never given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Secret>,
    /// Authentication key in hex. Never given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_key: Option<Secret>,
    /// Whether an encryption key is stored. Read only; ignored when written.
    #[serde(default)]
    pub key_set: bool,
    /// Ratio of current transformers before the meter; `null`: none.
    #[serde(default)]
    pub ct_ratio: Option<f64>,
}

/// A text that must not reach a log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(***)")
    }
}
