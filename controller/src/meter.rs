//! The meter that is read: from its configuration to a source that stays open, and what was learnt of its line.

use headroom_core::Instant;
use headroom_core::config::{self, Secret, Site};
use headroom_core::login::show_password;
use headroom_core::validate::FieldError;
use headroom_meter_io::{Key, Line, Meter, MeterReading, MeterStatus, Place, Settings, Source};
use headroom_store::StateDb;

mod circuits;
mod counters;
mod trace;

pub(crate) use circuits::CircuitMeters;
use counters::CounterMemory;
pub(crate) use trace::MeterTrace;

/// Under this name the line parameters that worked are kept.
const LEARNT_LINE: &str = "meter_line";

/// The meter that is read, if there is one.
pub(crate) struct MeterSlot {
    /// The source that the command line pins.
    pub(crate) pinned: Option<String>,
    settings: Option<config::Meter>,
    meter: Option<Meter>,
    /// Why the configured meter cannot be read at all.
    pub(crate) problem: Option<Problem>,
    memory: LineMemory,
    counters: CounterMemory,
    /// The last telegrams.
    pub(crate) trace: MeterTrace,
}

/// What is wrong with the configuration of the meter.
pub(crate) struct Problem {
    pub(crate) since: Instant,
    pub(crate) text: String,
}

impl MeterSlot {
    /// Nothing is read yet. What was learnt before comes from the database.
    pub(crate) async fn new(pinned: Option<String>, state: &StateDb) -> Self {
        Self {
            pinned,
            settings: None,
            meter: None,
            problem: None,
            memory: LineMemory::load(state).await,
            counters: CounterMemory::load(state).await,
            trace: MeterTrace::default(),
        }
    }

    /// Begins to read what is configured now, if that is something else than before.
    pub(crate) fn configure(&mut self, settings: &config::Meter, place: Place, now: Instant) {
        let mut settings = settings.clone();
        if let Some(source) = &self.pinned {
            settings.source = Some(source.clone());
        }
        if self.settings.as_ref() == Some(&settings) {
            if let Some(meter) = &self.meter {
                meter.place(place);
            }
            return;
        }
        // Nobody reads a port twice.
        self.meter = None;
        // A key that is none is told below.
        let key = key_of(settings.key.as_ref()).ok().flatten();
        self.counters.of_key(key.as_ref());
        let opened = open(
            &settings,
            place,
            (&self.memory, &self.counters),
            &self.trace,
        );
        (self.meter, self.problem) = match opened {
            Ok(meter) => (meter, None),
            Err(text) => {
                tracing::error!("the meter cannot be read: {text}");
                (None, Some(Problem { since: now, text }))
            }
        };
        self.settings = Some(settings);
    }

    /// What the source does.
    pub(crate) fn status(&self) -> Option<MeterStatus> {
        self.meter
            .as_ref()
            .map(|meter| meter.status().borrow().clone())
    }

    /// Keeps the line parameters that worked, if they are others than before, and now and then the frame counters.
    pub(crate) fn remember(&mut self, status: &MeterStatus) {
        let source = self
            .settings
            .as_ref()
            .and_then(|settings| settings.source.as_ref());
        if let (Some(source), Some(line)) = (source, status.line) {
            self.memory.keep(source, line);
        }
        self.counters.heard(&status.frame_counters);
        self.counters
            .write_now_and_then(tokio::time::Instant::now());
    }

    /// Keeps what was learnt last. Nothing is read any more.
    pub(crate) async fn stop(mut self) {
        self.meter = None;
        self.counters.write_last().await;
    }

    /// The next reading; never, if nothing is read.
    pub(crate) async fn next(&self) -> MeterReading {
        match &self.meter {
            Some(meter) => meter.next().await,
            None => std::future::pending().await,
        }
    }
}

/// What the meter's source needs to know of the house.
pub(crate) fn place(site: &Site) -> Place {
    Place {
        grid: site.grid,
        main_fuse: Some(site.main_fuse.rating_a.per_phase()),
    }
}

/// What is wrong with the source of a meter, and what would be right.
pub(crate) fn check(meter: &config::Meter) -> Vec<FieldError> {
    let parsed = meter.source.as_deref().map(Source::parse);
    let wrong = parsed.and_then(Result::err).map(|error| FieldError {
        field: "meter.source".to_owned(),
        code: "format",
        message: error.to_string(),
    });
    wrong.into_iter().collect()
}

fn key_of(secret: Option<&Secret>) -> Result<Option<Key>, String> {
    secret
        .map(|secret| secret.expose().parse::<Key>())
        .transpose()
        .map_err(|error| error.to_string())
}

/// Opens the meter that is configured; `None` if there is none yet.
fn open(
    meter: &config::Meter,
    place: Place,
    (memory, counters): (&LineMemory, &CounterMemory),
    trace: &MeterTrace,
) -> Result<Option<Meter>, String> {
    let Some(source) = &meter.source else {
        return Ok(None);
    };
    let remembered = memory.line_of(source);
    let source = match &meter.source_password {
        Some(password) => show_password(source, password.expose()),
        None => source.clone(),
    };
    let source = Source::parse(&source).map_err(|error| error.to_string())?;
    let settings = Settings {
        key: key_of(meter.key.as_ref())?,
        auth_key: key_of(meter.auth_key.as_ref())?,
        frame_counters: counters.known().clone(),
        remembered,
        ct_ratio: meter.ct_ratio.unwrap_or(1.0),
        place,
    };
    let tap = trace.begin([settings.key.clone(), settings.auth_key.clone()]);
    Ok(Some(headroom_meter_io::start_tapped(source, settings, tap)))
}

/// Which line parameters worked with which source. It spares the meter's owner a minute of detection after a restart.
struct LineMemory {
    state: StateDb,
    known: Option<(String, Line)>,
}

impl LineMemory {
    /// What cannot be read is found out again.
    async fn load(state: &StateDb) -> Self {
        let kept = state.learnt(LEARNT_LINE).await.unwrap_or_else(|error| {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the meter's line is not known any more"
            );
            None
        });
        let known = kept.and_then(|kept| {
            let (line, source) = kept.split_once(' ')?;
            Some((source.to_owned(), line.replace('_', " ").parse().ok()?))
        });
        Self {
            state: state.clone(),
            known,
        }
    }

    fn line_of(&self, source: &str) -> Option<Line> {
        let (known, line) = self.known.as_ref()?;
        (known == source).then_some(*line)
    }

    fn keep(&mut self, source: &str, line: Line) {
        if self.line_of(source) == Some(line) {
            return;
        }
        self.known = Some((source.to_owned(), line));
        let kept = format!("{} {source}", line.to_string().replace(' ', "_"));
        let state = self.state.clone();
        // The loop does not wait for the disk.
        tokio::spawn(async move {
            if let Err(error) = state.learn(LEARNT_LINE, &kept).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the meter's line is not kept"
                );
            }
        });
    }
}
