//! How a device is reached: carried for the outside, in the same objects.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Secret, is_false};

/// How a device is reached. Carried for the outside; the core never looks at it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Driver {
    /// An OCPP charge point that connects to us.
    Ocpp {
        /// The identity in the path that it connects to.
        charge_point_id: String,
        /// Its connector, from 1.
        #[serde(default = "default_connector")]
        connector: u32,
        /// Whether it must authenticate.
        #[serde(default)]
        auth: OcppAuth,
        /// Its password. Never given back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        password: Option<Secret>,
        /// Whether a password is stored. Read only; ignored when written.
        #[serde(default, skip_serializing_if = "is_false")]
        password_set: bool,
    },
    /// A Shelly relay of the second generation or later.
    ShellyGen2 {
        /// Host name or address, maybe with a port.
        host: String,
        /// Which relay of the device, from 0.
        #[serde(default)]
        channel: u32,
        /// Its password. Never given back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        password: Option<Secret>,
        /// Whether a password is stored. Read only; ignored when written.
        #[serde(default, skip_serializing_if = "is_false")]
        password_set: bool,
    },
    /// A device that a declarative HTTP profile describes.
    Http {
        /// Name of the profile.
        profile: String,
        /// Host name or address, maybe with a port.
        host: String,
        /// Values that the profile asks for.
        #[serde(default)]
        params: BTreeMap<String, String>,
        /// Its password or token. Never given back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        password: Option<Secret>,
        /// Whether a password is stored. Read only; ignored when written.
        #[serde(default, skip_serializing_if = "is_false")]
        password_set: bool,
    },
    /// A device that a Modbus register profile describes.
    Modbus {
        /// Name of the profile.
        profile: String,
        /// Host name or address, maybe with a port.
        address: String,
        /// Unit identifier.
        #[serde(default = "default_unit")]
        unit: u8,
    },
    /// A device behind an MQTT broker.
    Mqtt {
        /// Name of the profile.
        profile: String,
        /// Host name or address of the broker, maybe with a port.
        broker: String,
        /// The device's topic.
        topic: String,
    },
}

/// How an OCPP charge point proves who it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OcppAuth {
    /// HTTP Basic (OCPP security profile 1).
    #[default]
    Basic,
    /// Not at all (OCPP security profile 0), by explicit choice.
    None,
}

const fn default_connector() -> u32 {
    1
}

const fn default_unit() -> u8 {
    1
}
