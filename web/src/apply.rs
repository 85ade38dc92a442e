//! A whole configuration at once: `headroom apply`, beside the service or through it.
//!
//! Invariant: everything is checked first, as the API checks it, and what is wrong changes nothing.

use headroom_core::config::{Driver, Meter, Mode, OcppAuth, Secret};
use headroom_core::login::{HIDDEN, hide_password, whom};
use headroom_core::validate::FieldError;
use headroom_core::{Milliamps, PerPhase};
use headroom_store::{Change, Edit, House, StoreError};

use crate::api::chargers::take_back_proofs;
use crate::api::driver::OCPP_PASSWORD_MIN;
use crate::api::priorities::{Priorities, set_order};
use crate::app::{App, ControlRequest};
use crate::change::profiles;
use crate::plain::warn_of_clear;
use crate::plausible::implausible;

/// A configuration that somebody wants.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// All of it. A secret may be `***`: as it is stored.
    pub house: House,
    /// The order of the loads, as `PUT /priorities` has it, where it is given apart.
    pub order: Option<Vec<Vec<String>>>,
    /// Whether `site.mode` was written. A house that is in control is not left to itself by a file that says nothing of it.
    pub says_mode: bool,
}

/// What the checks know besides the configuration.
pub struct Checks<'a> {
    /// The highest background that was learnt.
    pub highest_background: PerPhase<Milliamps>,
    /// What is wrong with a meter; its fields begin with `meter.`.
    pub meter: &'a (dyn Fn(&Meter) -> Vec<FieldError> + Sync),
    /// What is wrong with the profile that a driver names, of a charger or of a slow load.
    pub profile: &'a (dyn Fn(&Driver, bool) -> Option<String> + Sync),
}

impl std::fmt::Debug for Checks<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checks")
            .field("highest_background", &self.highest_background)
            .finish_non_exhaustive()
    }
}

/// What became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// The version that it is now; `None`: it was in force already.
    pub version: Option<i64>,
    /// What differs from before. Secrets are not seen here.
    pub changes: Vec<Change>,
}

/// Why nothing was changed.
#[derive(Debug)]
pub enum ApplyError {
    /// Values that cannot be right.
    Invalid(Vec<FieldError>),
    /// The disk failed.
    Store(StoreError),
    /// It is stored, and the loop did not take it: it is in force after the next start.
    NotTold,
}

/// Applies a configuration in the running service: it is in force at once.
///
/// # Errors
/// When it cannot be right, or the disk or the loop fail.
pub async fn apply(
    app: &App,
    author: &str,
    what: &str,
    wanted: Wanted,
) -> Result<Applied, ApplyError> {
    let mut edit = app.state.edit().await;
    let devices = std::sync::Arc::clone(&app.devices);
    let checks = Checks {
        highest_background: app.status.borrow().highest_background,
        meter: &|meter| devices.check_meter(meter),
        profile: &|driver, charger| devices.check_profile(driver, charger),
    };
    let applied = apply_to(&mut edit, author, what, wanted, &checks).await?;
    if applied.version.is_some() {
        let config = Box::new(edit.house.config.clone());
        let meter = Box::new(edit.house.meter.clone());
        let request = ControlRequest::Configure(config, meter);
        if app.control.send(request).await.is_err() {
            return Err(ApplyError::NotTold);
        }
    }
    Ok(applied)
}

/// Checks a configuration against the stored one, and stores it.
///
/// # Errors
/// When it cannot be right, or the disk fails.
pub async fn apply_to(
    edit: &mut Edit,
    author: &str,
    what: &str,
    wanted: Wanted,
    checks: &Checks<'_>,
) -> Result<Applied, ApplyError> {
    let before = edit.before();
    let house = completed(wanted, &before, checks).map_err(ApplyError::Invalid)?;
    if house == *before {
        return Ok(Applied {
            version: None,
            changes: Vec::new(),
        });
    }
    let changes = house.changes_from(&before).map_err(ApplyError::Store)?;
    edit.house = house;
    let version = edit.commit(author, what).await.map_err(ApplyError::Store)?;
    tracing::info!(version, author, what, "the configuration was changed");
    warn_of_clear(&edit.house, Some(&before));
    Ok(Applied {
        version: Some(version),
        changes,
    })
}

/// The house with its secrets and priorities, if all of it can be right.
fn completed(
    Wanted {
        mut house,
        order,
        says_mode,
    }: Wanted,
    before: &House,
    checks: &Checks<'_>,
) -> Result<House, Vec<FieldError>> {
    let mut errors: Vec<_> = take_password(&mut house.meter, &before.meter)
        .into_iter()
        .collect();
    errors.extend(house.keep_secrets(before.clone()));
    if !says_mode && before.config.site.mode == Mode::Control {
        errors.push(FieldError {
            field: "site.mode".to_owned(),
            code: "required",
            message: "is not in the file, and the house is in control, which nobody would be any more: this is the whole \
                      configuration, not what is to differ. Begin with what headroom export gives"
                .to_owned(),
        });
    }
    take_back_proofs(&mut house, before);
    errors.extend(passwords(&house, before));
    if let Some(order) = order
        && let Err(wrong) = set_order(&mut house, &Priorities { order })
    {
        errors.extend(wrong.into_iter().map(|error| FieldError {
            field: format!("priorities.{}", error.field),
            ..error
        }));
    }
    house.keep_confirmed(before);
    errors.extend(
        house
            .validate(checks.highest_background)
            .err()
            .into_iter()
            .flatten(),
    );
    errors.extend(house.new_relay_chargers(before));
    if house.meter != before.meter {
        errors.extend((checks.meter)(&house.meter));
    }
    errors.extend(profiles(&house, before, checks.profile));
    errors.extend(implausible(&house, before, checks.meter));
    if errors.is_empty() {
        Ok(house)
    } else {
        Err(errors)
    }
}

/// A password that stands in the source is stored apart; `***` there stands for the one that is, if it was written for the
/// same host and user.
fn take_password(meter: &mut Meter, before: &Meter) -> Option<FieldError> {
    let (source, password) = meter.source.as_deref().map(hide_password)?;
    let mut lacks = false;
    match password {
        Some(password) if password == HIDDEN => {
            let known = before.source.as_deref().and_then(whom);
            if meter.source_password.is_none() && known == whom(&source) {
                meter.source_password.clone_from(&before.source_password);
            }
            lacks = meter.source_password.is_none();
        }
        password => meter.source_password = password.map(Secret::new),
    }
    meter.source = Some(source);
    lacks.then(|| FieldError {
        field: "meter.source".to_owned(),
        code: "required",
        message: "has *** in the place of a password that is stored for another host or user, or not at all: write the \
                  password itself"
            .to_owned(),
    })
}

/// Passwords of charge points that are new: nobody could be told one that is made here.
fn passwords(house: &House, before: &House) -> Vec<FieldError> {
    let chargers = house.config.chargers.iter();
    chargers
        .filter(|charger| {
            let known = before.config.chargers.iter().find(|it| it.id == charger.id);
            known.is_none_or(|known| known.driver != charger.driver)
        })
        .filter_map(|charger| {
            let Some(Driver::Ocpp {
                auth: OcppAuth::Basic,
                password,
                ..
            }) = &charger.driver
            else {
                return None;
            };
            let (code, message) = match password {
                None => ("required", "is missing: write one, or set auth to \"none\""),
                Some(password) if password.expose().chars().count() < OCPP_PASSWORD_MIN => {
                    ("range", "must have 8 characters or more, better 16")
                }
                Some(_) => return None,
            };
            Some(FieldError {
                field: format!("chargers.{}.driver.password", charger.id),
                code,
                message: message.to_owned(),
            })
        })
        .collect()
}
