//! The one house that meter, charge points and relay share, and the task that lets its time pass.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use headroom_core::Instant;
use headroom_sim::{House, MeterSample, TICK_MS};
use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::clock::Clock;

/// Ticks closer than this in real time are taken several at once.
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);

/// A handle on the house.
#[derive(Clone, Debug)]
pub(crate) struct Plant {
    house: Arc<Mutex<House>>,
    clock: Clock,
    /// The clock's time at which the house's begins.
    began: Instant,
}

impl Plant {
    /// A house whose time 0 is now.
    pub(crate) fn new(house: House, clock: Clock) -> Self {
        Self {
            house: Arc::new(Mutex::new(house)),
            clock,
            began: clock.now(),
        }
    }

    /// The house's time, in milliseconds.
    pub(crate) fn now_ms(&self) -> u64 {
        self.clock.now().since_ms(self.began)
    }

    /// The time of day at a moment of the house's time.
    pub(crate) fn wall_at(&self, ms: u64) -> Timestamp {
        self.clock.wall_at(self.began.after_ms(ms))
    }

    /// How long a time in the house takes.
    pub(crate) fn real(&self, duration: Duration) -> Duration {
        self.clock.real(duration)
    }

    /// How many times as fast as real time the house lives.
    pub(crate) fn speed(&self) -> f64 {
        self.clock.speed()
    }

    /// Lets house and controller live faster or slower from now on.
    pub(crate) fn set_speed(&self, speed: f64) {
        self.clock.set_speed(speed);
    }

    /// Looks at the house or changes it, for a moment: nothing may wait in here.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut House) -> T) -> T {
        // A panic elsewhere leaves the house between two ticks, where it is whole.
        look(&mut self.house.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets time pass for ever, and hands over what the meter says.
    pub(crate) async fn run(self, samples: mpsc::Sender<MeterSample>) {
        let tick = Duration::from_millis(TICK_MS);
        loop {
            // The speed may change at any time.
            tokio::time::sleep(self.real(tick).max(SHORTEST_PAUSE)).await;
            let now_ms = self.now_ms();
            let arrived: Vec<MeterSample> = self.with(|house| {
                house.step(now_ms);
                std::iter::from_fn(|| house.fetch_sample()).collect()
            });
            for sample in arrived {
                // A port that takes nothing loses telegrams, as a real one does.
                if samples.try_send(sample).is_err() {
                    tracing::debug!("the demo's meter port is busy; a telegram is lost");
                }
            }
        }
    }
}
