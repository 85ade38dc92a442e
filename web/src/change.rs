//! Changing the configuration: check, store, tell the loop, answer.

use headroom_core::config::Driver;
use headroom_core::validate::FieldError;
use headroom_store::House;

use crate::app::{ControlRequest, Inner, Shared};
use crate::identity::Who;
use crate::plain::warn_of_clear;
use crate::plausible::implausible;
use crate::problem::Problem;

/// What a change gives: the answer, and the path of the object that was sent.
pub(crate) struct Made<T> {
    pub(crate) answer: T,
    pub(crate) path: String,
}

/// What is changed, in the words of the list of versions.
pub(crate) struct What {
    words: String,
    /// It was in force before: nobody is asked again whether it can be meant.
    was_meant: bool,
}

impl What {
    /// Something that was in force before.
    pub(crate) fn again(words: String) -> Self {
        Self {
            words,
            was_meant: true,
        }
    }
}

impl<T: Into<String>> From<T> for What {
    fn from(words: T) -> Self {
        Self {
            words: words.into(),
            was_meant: false,
        }
    }
}

/// Makes a change. It is made as a whole or not at all, also when the asker goes away meanwhile.
///
/// # Errors
/// What `make` says, what the validation says, or that the disk or the loop failed.
pub(crate) async fn change<T, F>(
    shared: &Shared,
    who: &Who,
    what: impl Into<What>,
    make: F,
) -> Result<T, Problem>
where
    T: Send + 'static,
    F: FnOnce(&mut House) -> Result<Made<T>, Problem> + Send + 'static,
{
    let (shared, author, what) = (Shared::clone(shared), who.author(), what.into());
    let change = async move { change_now(&shared, &author, &what, make).await };
    tokio::spawn(change).await.unwrap_or_else(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "a change failed");
        Err(Problem::internal())
    })
}

async fn change_now<T>(
    shared: &Inner,
    author: &str,
    what: &What,
    make: impl FnOnce(&mut House) -> Result<Made<T>, Problem>,
) -> Result<T, Problem> {
    let app = &shared.app;
    let mut edit = app.state.edit().await;
    let Made { answer, path } = make(&mut edit.house)?;
    if edit.house == *edit.before() {
        return Ok(answer);
    }
    let before = edit.before();
    edit.house.keep_confirmed(&before);
    let mut errors = edit
        .house
        .validate(app.status.borrow().highest_background)
        .err()
        .unwrap_or_default();
    errors.extend(edit.house.new_relay_chargers(&before));
    if edit.house.meter != edit.before().meter {
        errors.extend(app.devices.check_meter(&edit.house.meter));
    }
    errors.extend(profiles(&edit.house, &edit.before(), &|driver, charger| {
        app.devices.check_profile(driver, charger)
    }));
    if !what.was_meant {
        errors.extend(implausible(&edit.house, &edit.before(), &|meter| {
            app.devices.check_meter(meter)
        }));
    }
    if !errors.is_empty() {
        return Err(Problem::invalid(errors).relative_to(&path));
    }
    let what = &what.words;
    let version = edit.commit(author, what).await?;
    tracing::info!(version, author, what, "the configuration was changed");
    warn_of_clear(&edit.house, Some(&before));
    let before = before.as_ref();
    if (&edit.house.config, &edit.house.meter) == (&before.config, &before.meter) {
        // Nothing that the loop has to do with.
        return Ok(answer);
    }
    let config = Box::new(edit.house.config.clone());
    let meter = Box::new(edit.house.meter.clone());
    tell(shared, ControlRequest::Configure(config, meter)).await?;
    Ok(answer)
}

/// Drivers that are new and name a profile that is none.
pub(crate) fn profiles(
    house: &House,
    before: &House,
    check: &dyn Fn(&Driver, bool) -> Option<String>,
) -> Vec<FieldError> {
    let drivers = |house: &House| {
        let chargers = house.config.chargers.iter().map(|it| {
            let field = format!("chargers.{}.driver.profile", it.id);
            (field, true, it.driver.clone())
        });
        let slow_loads = house.config.slow_loads.iter().map(|it| {
            let field = format!("slow_loads.{}.driver.profile", it.id);
            (field, false, it.driver.clone())
        });
        chargers.chain(slow_loads).collect::<Vec<_>>()
    };
    let old = drivers(before);
    let new = drivers(house).into_iter().filter(|it| !old.contains(it));
    new.filter_map(|(field, charger, driver)| {
        let message = check(&driver?, charger)?;
        Some(FieldError {
            field,
            code: "unknown",
            message,
        })
    })
    .collect()
}

/// Tells the loop something.
///
/// # Errors
/// 503 when it does not take it.
pub(crate) async fn tell(shared: &Inner, request: ControlRequest) -> Result<(), Problem> {
    /// The loop empties its queue with every step.
    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);
    shared.app.control.send_timeout(request, PATIENCE).await.map_err(|_| {
        Problem::unavailable(
            "The controlling loop does not take commands now. What was stored is in force after the next start.",
        )
    })
}
