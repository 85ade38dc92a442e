//! The handle of a running source.

use crate::{
    reading::Place,
    serial::Line,
    slot::{MeterReading, Slot},
    source::Source,
    status::MeterStatus,
    task::Task,
};
use headroom_codec::{FrameCounters, Item, Key};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    task::{AbortHandle, JoinSet},
    time::sleep,
};
use tracing::error;

/// Pause before a source that panicked is started again.
const RESTART: Duration = Duration::from_secs(10);

/// What a source needs to know besides its address.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Encryption key, for meters that cipher.
    pub key: Option<Key>,
    /// Authentication key, for meters that cipher.
    pub auth_key: Option<Key>,
    /// The frame counters of ciphered telegrams that are known from before: what does not rise above them is refused.
    pub frame_counters: FrameCounters,
    /// Line parameters that worked before: they are tried first.
    pub remembered: Option<Line>,
    /// Ratio of external current transformers; 1 where there are none.
    pub ct_ratio: f64,
    /// What is known of the place where the meter hangs at the start; [`Meter::place`] changes it.
    pub place: Place,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            key: None,
            auth_key: None,
            frame_counters: FrameCounters::default(),
            remembered: None,
            ct_ratio: 1.0,
            place: Place::default(),
        }
    }
}

/// Something that a source gave, with its bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// A telegram, or what was rejected.
    pub item: Item,
    /// The bytes of it; of a message in several frames those of the last one.
    pub raw: Vec<u8>,
}

/// A running source. Dropping it stops it.
#[derive(Debug)]
pub struct Meter {
    slot: Arc<Slot>,
    status: watch::Receiver<MeterStatus>,
    place: watch::Sender<Place>,
    task: AbortHandle,
}

impl Meter {
    /// The next reading: the newest one, at once if it was not taken yet. Readings with currents come before those with
    /// the power alone. Cancel-safe; never ends.
    pub async fn next(&self) -> MeterReading {
        self.slot.take().await
    }

    /// Says what is known of the place from now on. The source stays open.
    pub fn place(&self, place: Place) {
        self.place.send_replace(place);
    }

    /// What the source does; changes whenever that changes.
    pub fn status(&self) -> watch::Receiver<MeterStatus> {
        self.status.clone()
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts a source in the present tokio runtime.
pub fn start(source: Source, settings: Settings) -> Meter {
    launch(source, settings, None)
}

/// Starts a source that also gives everything it decodes and rejects to `tap`, for trouble-shooting. What does not fit
/// into its queue is not given.
pub fn start_tapped(source: Source, settings: Settings, tap: mpsc::Sender<Heard>) -> Meter {
    launch(source, settings, Some(tap))
}

fn launch(source: Source, settings: Settings, tap: Option<mpsc::Sender<Heard>>) -> Meter {
    let slot = Arc::new(Slot::default());
    let known = MeterStatus {
        frame_counters: settings.frame_counters.clone(),
        ..MeterStatus::new(source.to_string())
    };
    let (sender, status) = watch::channel(known);
    let place = watch::Sender::new(settings.place);
    let running = supervise(
        source,
        settings,
        Arc::clone(&slot),
        sender,
        place.subscribe(),
        tap,
    );
    Meter {
        slot,
        status,
        place,
        task: tokio::spawn(running).abort_handle(),
    }
}

/// Runs the task, and starts it again if it panics.
async fn supervise(
    source: Source,
    settings: Settings,
    slot: Arc<Slot>,
    status: watch::Sender<MeterStatus>,
    place: watch::Receiver<Place>,
    tap: Option<mpsc::Sender<Heard>>,
) {
    loop {
        // A set aborts its task when this future is dropped.
        let mut tasks = JoinSet::new();
        let task = Task::new(
            source.clone(),
            &settings,
            Arc::clone(&slot),
            status.clone(),
            place.clone(),
            tap.clone(),
        );
        tasks.spawn(task.run());
        if let Some(Err(failed)) = tasks.join_next().await {
            error!(source = %source, error = %failed, "the meter source failed; it is started again in 10 s");
            status.send_modify(|status| {
                status.connected = false;
                "The meter source failed inside Headroom; it is started again. Please report this."
                    .clone_into(&mut status.text);
            });
        }
        sleep(RESTART).await;
    }
}
