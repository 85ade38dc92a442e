//! The tests of chargers: begun for people, shown as they go on, their reports kept, and what follows from them.
//!
//! A report is stored before anything follows from it. What follows is a change of the configuration like any other,
//! and is left out where the charger was configured otherwise meanwhile.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use headroom_core::config::{Charger, Config};
use headroom_core::engine::TestRefusal;
use headroom_core::trial::{Limits, Report, Verdict};
use headroom_core::units::PerPhase;
use headroom_core::{Engine, Instant};
use headroom_store::{StateDb, StoreError};
use headroom_web::{ChargerTest, ControlRequest, Measured, TestRefused};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::clock::Clock;

/// Who changes the configuration after a test, as its versions tell it.
const AUTHOR: &str = "charger test";
/// The word of a test from which nothing follows.
const ABORTED: &str = "aborted";

/// A report as it is stored and answered.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    charger: String,
    #[serde(serialize_with = "headroom_store::times::one")]
    started: Timestamp,
    #[serde(serialize_with = "headroom_store::times::one")]
    ended: Timestamp,
    version: String,
    #[serde(flatten)]
    report: Report,
}

/// The tests.
pub(crate) struct ChargerTests {
    state: StateDb,
    requests: mpsc::Sender<ControlRequest>,
    /// What was shown last, and of which test.
    shown: Option<(Instant, ChargerTest)>,
    /// Chargers that failed their last test, and what was found.
    failed: BTreeMap<String, Failed>,
}

/// A charger that failed.
#[derive(Clone, Debug)]
pub(crate) struct Failed {
    /// Since when it is told, in this process.
    pub(crate) since: Instant,
    /// What was found.
    pub(crate) text: String,
}

impl ChargerTests {
    /// What cannot be read is not told any more; the limits that follow from it stand in the configuration.
    pub(crate) async fn load(
        state: &StateDb,
        requests: mpsc::Sender<ControlRequest>,
        now: Instant,
    ) -> Self {
        let kept = state
            .last_reports_but(ABORTED)
            .await
            .unwrap_or_else(|error| {
                tell(&error, "the reports of tests cannot be read");
                Vec::new()
            });
        let failed = kept
            .iter()
            .filter_map(|body| serde_json::from_str::<Stored>(body).ok())
            .filter(|stored| stored.report.result == Verdict::Failed)
            .map(|stored| {
                let text = stored.report.text;
                (stored.charger, Failed { since: now, text })
            })
            .collect();
        Self {
            state: state.clone(),
            requests,
            shown: None,
            failed,
        }
    }

    /// Chargers that failed their last test.
    pub(crate) fn failed(&self) -> impl Iterator<Item = (&String, &Failed)> {
        self.failed.iter()
    }

    /// Forgets those that are not configured any more.
    pub(crate) fn configured(&mut self, chargers: &[Charger]) {
        self.failed
            .retain(|id, _| chargers.iter().any(|charger| charger.id == *id));
    }

    /// Looks at the engine's test after a step; what is new of it is to be shown.
    pub(crate) fn follow(&mut self, engine: &Engine, clock: &Clock) -> Option<ChargerTest> {
        let test = engine.test()?;
        let begun = test.begun();
        let known = self.shown.as_ref().filter(|(at, _)| *at == begun);
        if known.is_some_and(|(_, shown)| shown.state != "running") {
            return None;
        }
        let now = view(engine, clock)?;
        if known.is_some_and(|(_, shown)| *shown == now) {
            return None;
        }
        self.shown = Some((begun, now.clone()));
        if let Some(report) = test.report() {
            self.conclude(engine, report, &now);
        }
        Some(now)
    }

    /// Keeps the report and does what follows from it. The loop does not wait for the disk.
    fn conclude(&mut self, engine: &Engine, report: &Report, test: &ChargerTest) {
        match report.result {
            Verdict::Passed => drop(self.failed.remove(&test.charger)),
            Verdict::Failed => {
                let failed = Failed {
                    since: engine.now(),
                    text: report.text.clone(),
                };
                self.failed.insert(test.charger.clone(), failed);
            }
            Verdict::Aborted => {}
        }
        let stored = Stored {
            charger: test.charger.clone(),
            started: test.started,
            ended: test.ended.unwrap_or(test.started),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            report: report.clone(),
        };
        let mut chargers = engine.config().chargers.iter();
        let Some(tested) = chargers.find(|charger| charger.id == test.charger).cloned() else {
            return;
        };
        let (state, requests) = (self.state.clone(), self.requests.clone());
        tokio::spawn(async move {
            if let Err(error) = keep(&state, &stored).await {
                tell(
                    &error,
                    "the report of a charger is not kept, and nothing follows from it",
                );
                return;
            }
            if let Err(error) = apply(&state, &requests, &tested, &stored.report.limits).await {
                tell(&error, "what follows from a test is not in force");
            }
        });
    }
}

/// Whether a test of a charger may begin.
///
/// # Errors
/// Why not.
pub(crate) fn may_begin(engine: &Engine, charger: &str, cut: bool) -> Result<(), TestRefused> {
    engine
        .may_test(charger, cut)
        .map_err(|refusal| match refusal {
            TestRefusal::Running => TestRefused::Running(refusal.to_string()),
            TestRefusal::SafeTooHigh => impossible("cut", refusal),
            _ => impossible("test", refusal),
        })
}

/// Whether a charger has anything that a cut test could show. `keeps`: whether it is known to keep what it was told.
///
/// # Errors
/// Why not.
pub(crate) fn may_be_cut(
    charger: &str,
    cut: bool,
    keeps: impl Fn(&str) -> bool,
) -> Result<(), TestRefused> {
    if !cut || !keeps(charger) {
        return Ok(());
    }
    Err(TestRefused::Impossible {
        field: "cut",
        why: "must be false here: by its profile this charger keeps what it was told when nobody tells it anything more, so \
              there is no fall to wait for, and it counts with the most that it can draw when its link is gone"
            .to_owned(),
    })
}

/// The charger that is left alone now, to see whether it falls to its safe current by itself.
/// With it: whether it may not even be asked.
pub(crate) fn left_alone(engine: &Engine) -> Option<(&str, bool)> {
    let test = engine.test()?;
    test.is_silent().then(|| (test.load(), test.is_unasked()))
}

/// What is said of a test that did not begin though nothing spoke against it.
pub(crate) fn not_begun() -> TestRefused {
    impossible("test", TestRefusal::Unknown)
}

fn impossible(field: &'static str, refusal: TestRefusal) -> TestRefused {
    let why = refusal.to_string();
    TestRefused::Impossible { field, why }
}

/// Whether a test of this charger runs.
pub(crate) fn runs(engine: &Engine, charger: &str) -> bool {
    let test = engine.test();
    test.is_some_and(|test| test.is_running() && test.load() == charger)
}

/// The charger that is tested, if it would be reached in another way from now on.
pub(crate) fn with_another_driver(engine: &Engine, config: &Config) -> Option<String> {
    let test = engine.test().filter(|test| test.is_running())?;
    let driver = |config: &Config| {
        let mut chargers = config.chargers.iter();
        let charger = chargers.find(|charger| charger.id == test.load())?;
        charger.driver.clone()
    };
    (driver(engine.config()) != driver(config)).then(|| test.load().to_owned())
}

/// The engine's test as people see it.
pub(crate) fn view(engine: &Engine, clock: &Clock) -> Option<ChargerTest> {
    let test = engine.test()?;
    let progress = test.progress();
    let report = test.report();
    Some(ChargerTest {
        charger: test.load().to_owned(),
        state: report.map_or("running", |report| word(report.result)),
        cut: test.setup().cut,
        started: clock.wall_at(test.begun()),
        ended: report.map(|_| clock.wall_at(engine.now())),
        step: progress.step,
        of: progress.of,
        kind: progress.kind,
        text: progress.text,
        measured: Measured {
            told_a: progress.told_a,
            reported_a: progress.reported_a,
            lines_a: progress.lines_a,
        },
    })
}

const fn word(result: Verdict) -> &'static str {
    match result {
        Verdict::Passed => "passed",
        Verdict::Failed => "failed",
        Verdict::Aborted => ABORTED,
    }
}

async fn keep(state: &StateDb, stored: &Stored) -> Result<(), StoreError> {
    let body = serde_json::to_string(stored)?;
    let result = word(stored.report.result);
    state
        .keep_report(&stored.charger, stored.ended, result, &body)
        .await
}

/// Changes the configuration by what was found, and tells the loop.
async fn apply(
    state: &StateDb,
    requests: &mpsc::Sender<ControlRequest>,
    tested: &Charger,
    limits: &Limits,
) -> Result<(), StoreError> {
    let mut edit = state.edit().await;
    let mut chargers = edit.house.config.chargers.iter_mut();
    let Some(charger) = chargers.find(|charger| charger.id == tested.id) else {
        return Ok(());
    };
    let same = charger.driver == tested.driver
        && charger.safe_current_a == tested.safe_current_a
        && charger.lease_s == tested.lease_s;
    if !same {
        tracing::info!(
            charger = tested.id,
            "it was configured otherwise since its test; nothing follows from it"
        );
        return Ok(());
    }
    limit(charger, limits);
    if edit.house == *edit.before() {
        return Ok(());
    }
    // What the house drew was weighed when its safe current was set, which is as it was.
    if let Err(errors) = edit.house.validate(PerPhase::default()) {
        tracing::warn!(
            charger = tested.id,
            ?errors,
            "what follows from its test cannot be configured"
        );
        return Ok(());
    }
    let version = edit
        .commit(AUTHOR, &format!("charger {}", tested.id))
        .await?;
    tracing::info!(
        version,
        charger = tested.id,
        "its test has changed its configuration"
    );
    let config = Box::new(edit.house.config.clone());
    let meter = Box::new(edit.house.meter.clone());
    // The loop that is gone needs no configuration.
    drop(
        requests
            .send(ControlRequest::Configure(config, meter))
            .await,
    );
    Ok(())
}

/// What a test has found, in the configuration of its charger.
fn limit(charger: &mut Charger, limits: &Limits) {
    if let Some(lease) = limits.lease {
        charger.lease = lease;
    }
    if let Some(least) = limits.min_current_a {
        charger.min_current_a = least.max(charger.min_current_a).min(charger.max_current_a);
    }
    if limits.phases_unknown {
        charger.phases = None;
    }
}

fn tell(error: &StoreError, what: &'static str) {
    tracing::error!(error = error as &dyn std::error::Error, "{what}");
}
