//! HTTP devices that a profile describes.
//!
//! Inputs: a profile (TOML: requests, templates, jq expressions, limits, pace, safety), a host, and the parameters that
//! the profile asks for. Output: a device that is asked and told, see [`crate::polled`].
//!
//! Invariants: a profile has no code; what it asks goes to the configured host and nowhere else; what cannot be
//! set exactly is rounded down; what a device does not say is not known.

mod caller;
mod device;
#[cfg(test)]
mod golden;
mod jq;
mod profile;
mod request;
mod shipped;
mod template;
mod trial;

use std::{collections::BTreeMap, time::Duration};

pub(crate) use caller::{Answer, Call, Caller, HostError, http_client};
pub use device::Exchange;
pub(crate) use device::HttpDevice;
pub use profile::{OnLoss, Param, Profile, ProfileError, ProfileKind, Safety};
pub use shipped::{names, shipped, use_folder};
pub use trial::{NOT_SAID, Trial, TrialError, Understood};

/// A parameter that cannot be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParamError {
    /// Its name.
    param: String,
    /// What is wrong and what there is.
    message: String,
}

/// The parameter that is kept apart from the others: a password or token, which is never given back.
const PASSWORD: &str = "password";

/// The parameters with the password and the defaults of the profile.
///
/// # Errors
/// Those that the profile does not know, and those that it wants and were not given.
pub(crate) fn complete(
    profile: &Profile,
    given: &BTreeMap<String, String>,
    password: Option<&str>,
) -> Result<BTreeMap<String, String>, Vec<ParamError>> {
    let known = || {
        if profile.params.keys().all(|name| name == PASSWORD) {
            return "this profile has no parameters".to_owned();
        }
        let params = profile.params.iter().filter(|(name, _)| *name != PASSWORD);
        let each = params.map(|(name, param)| {
            let text = &param.text;
            match &param.default {
                Some(_) => format!("{name} ({text})"),
                None => format!("{name} (required: {text})"),
            }
        });
        format!("this profile has {}", each.collect::<Vec<_>>().join(", "))
    };
    let mut errors = Vec::new();
    let mut wrong = |param: &str, message: String| {
        errors.push(ParamError {
            param: param.to_owned(),
            message,
        });
    };
    for name in given.keys() {
        if name == PASSWORD {
            let message = "is no parameter: it stands beside them in the driver, where it is never given back";
            wrong(name, message.to_owned());
        } else if !profile.params.contains_key(name) {
            wrong(name, format!("is not known: {}", known()));
        }
    }
    if password.is_some() && !profile.params.contains_key(PASSWORD) {
        wrong(
            PASSWORD,
            "is not asked for by this profile: leave it out".to_owned(),
        );
    }
    let mut complete = BTreeMap::new();
    for (name, param) in &profile.params {
        let value = if name == PASSWORD {
            password
        } else {
            given.get(name).map(String::as_str)
        };
        match value.or(param.default.as_deref()) {
            Some(value) => {
                complete.insert(name.clone(), value.to_owned());
            }
            None if name == PASSWORD => wrong(name, format!("must be given: {}", param.text)),
            None => wrong(name, format!("must be given: {}", known())),
        }
    }
    if errors.is_empty() {
        Ok(complete)
    } else {
        Err(errors)
    }
}

/// What is wrong with a configured profile, in words that name the right ones; `None` if nothing is.
pub(crate) fn problem(
    profile: &str,
    params: &BTreeMap<String, String>,
    password: Option<&str>,
    charger: bool,
) -> Option<String> {
    let (wanted, kind) = if charger {
        (ProfileKind::Charger, "a charger")
    } else {
        (ProfileKind::Relay, "a relay")
    };
    let known = || {
        let fitting = names().into_iter().filter(|name: &String| {
            shipped(name).is_some_and(|known| known.is_ok_and(|known| known.kind == wanted))
        });
        fitting.collect::<Vec<_>>().join(", ")
    };
    match shipped(profile) {
        None => Some(format!("is not known; for {kind} there are {}", known())),
        Some(Err(error)) => Some(format!("cannot be used: {error}")),
        Some(Ok(found)) if found.kind != wanted => Some(format!(
            "is not for {kind}; for {kind} there are {}",
            known()
        )),
        Some(Ok(found)) => {
            let first = complete(&found, params, password)
                .err()?
                .into_iter()
                .next()?;
            Some(format!(
                "wants something else: \"{}\" {}",
                first.param, first.message
            ))
        }
    }
}

/// Why a device cannot be reached as it is configured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetUpError {
    #[error("there is no profile \"{profile}\"; there are {}", names().join(", "))]
    Unknown { profile: String },
    #[error("{0}")]
    Profile(#[from] ProfileError),
    #[error("the parameter \"{param}\" {message}")]
    Param { param: String, message: String },
    #[error("{0}")]
    Host(#[from] HostError),
}

/// A device by the name of its profile.
pub(crate) fn device(
    client: reqwest::Client,
    profile: &str,
    host: &str,
    params: &BTreeMap<String, String>,
    password: Option<&str>,
    answer_within: Duration,
) -> Result<HttpDevice, SetUpError> {
    let known = shipped(profile).ok_or_else(|| SetUpError::Unknown {
        profile: profile.to_owned(),
    })?;
    set_up(client, known?, host, params, password, answer_within)
}

fn set_up(
    client: reqwest::Client,
    profile: Profile,
    host: &str,
    params: &BTreeMap<String, String>,
    password: Option<&str>,
    answer_within: Duration,
) -> Result<HttpDevice, SetUpError> {
    let params = complete(&profile, params, password).map_err(|errors| {
        let first = errors.into_iter().next();
        let (param, message) = first.map_or_else(Default::default, |one| (one.param, one.message));
        SetUpError::Param { param, message }
    })?;
    let caller = Caller::new(client, host, answer_within)?;
    Ok(HttpDevice::new(profile, params, caller))
}
