//! A profile tried on a device by hand, before anything depends on it.

use std::{collections::BTreeMap, time::Duration};

use headroom_core::units::Milliamps;

use super::{
    Exchange, HttpDevice, PASSWORD, Profile, ProfileKind, SetUpError, http_client, set_up,
};
use crate::polled::{Order, PolledDevice as _, Seen};

/// Time for each answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// What a charger is told: the least that every charger can.
const LIMIT: Milliamps = Milliamps::from_amps(6);
/// As long as somebody looks at it.
const LEASE_S: u32 = 60;

/// The value of what the device does not say.
pub const NOT_SAID: &str = "not said";

/// Why it cannot be tried.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TrialError(String);

impl From<SetUpError> for TrialError {
    fn from(error: SetUpError) -> Self {
        Self(error.to_string())
    }
}

/// A profile and the device that it is tried on.
#[derive(Debug)]
pub struct Trial {
    device: HttpDevice,
}

/// What was understood: name and value of each thing that the profile reads.
pub type Understood = Vec<(&'static str, String)>;

impl Trial {
    /// A trial of a profile on a host, which may carry a port. A password is one of the parameters here.
    ///
    /// # Errors
    /// If the host is none, or parameters are missing or unknown.
    pub fn new(
        profile: Profile,
        host: &str,
        params: &BTreeMap<String, String>,
    ) -> Result<Self, TrialError> {
        let client = http_client().map_err(|error| TrialError(error.to_string()))?;
        let mut params = params.clone();
        let password = params.remove(PASSWORD);
        let password = password.as_deref();
        let mut device = set_up(client, profile, host, &params, password, ANSWER_WITHIN)?;
        device.write_down();
        Ok(Self { device })
    }

    /// Asks for everything; with what was said on the way.
    pub async fn read(&mut self) -> (Vec<Exchange>, Result<Understood, String>) {
        let result = self.device.read().await;
        (
            self.device.take_transcript(),
            result.map(in_words).map_err(|error| error.in_words()),
        )
    }

    /// What [`Trial::tell`] tells.
    pub const fn order(&self) -> &'static str {
        match self.device.profile().kind {
            ProfileKind::Charger => "limit 6 A",
            ProfileKind::Relay => "switch off",
        }
    }

    /// What shows that it was told so: the name of what is read, and its value.
    pub const fn shows(&self) -> (&'static str, &'static str) {
        match self.device.profile().kind {
            ProfileKind::Charger => ("limit_a", "6 A"),
            ProfileKind::Relay => ("on", "false"),
        }
    }

    /// Which expressions failed on the last answers, and so gave nothing.
    pub fn complaints(&self) -> &[String] {
        self.device.complaints()
    }

    /// Tells a charger 6 A, a relay to open; with what was said on the way.
    pub async fn tell(&mut self) -> (Vec<Exchange>, Result<(), String>) {
        let order = match self.device.profile().kind {
            ProfileKind::Charger => Order::Limit {
                limit: LIMIT,
                phases: 0,
                lease_s: LEASE_S,
                safe: Milliamps::ZERO,
            },
            ProfileKind::Relay => Order::Switch {
                on: false,
                lease_s: LEASE_S,
            },
        };
        let result = self.device.tell(&order).await;
        (
            self.device.take_transcript(),
            result.map_err(|error| error.in_words()),
        )
    }
}

fn in_words(seen: Seen) -> Understood {
    let or_not = |value: Option<String>| value.unwrap_or_else(|| NOT_SAID.to_owned());
    let ampere = |current: Milliamps| format!("{} A", current.to_f64());
    match seen {
        Seen::Charger {
            status,
            current_a,
            limit,
            energy,
        } => {
            let status = serde_json::to_value(status).ok();
            let status = status.and_then(|word| word.as_str().map(str::to_owned));
            let each = |current: Vec<Option<Milliamps>>| {
                let each = current.into_iter().map(|one| or_not(one.map(ampere)));
                each.collect::<Vec<_>>().join(", ")
            };
            vec![
                ("status", or_not(status)),
                ("current_a", or_not(current_a.map(each))),
                ("limit_a", or_not(limit.map(ampere))),
                (
                    "energy_kwh",
                    or_not(energy.map(|energy| format!("{} kWh", energy.to_f64()))),
                ),
            ]
        }
        Seen::SlowLoad { on, power_w } => vec![
            ("on", or_not(on.map(|on| on.to_string()))),
            (
                "power_w",
                or_not(power_w.map(|power| format!("{} W", power.0))),
            ),
        ],
    }
}
