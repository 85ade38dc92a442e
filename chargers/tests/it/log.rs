//! What the log says, at each level.

use std::{
    fmt::{Debug, Write as _},
    sync::{Arc, Mutex},
};

use headroom_chargers::Grade;
use serde_json::json;
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::DefaultGuard,
};

use crate::{
    house::{House, charger},
    point::Point,
};

/// The lines that were written on this thread.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<(Level, String)>>>);

impl Log {
    /// Listens until the guard is dropped. Tasks of a test run on its own thread.
    pub(crate) fn listen() -> (Self, DefaultGuard) {
        let log = Self::default();
        let guard = tracing::subscriber::set_default(log.clone());
        (log, guard)
    }

    /// Lines of a level with these words.
    pub(crate) fn lines(&self, level: Level, words: &str) -> Vec<String> {
        let lines = self.0.lock().unwrap();
        let fitting = lines
            .iter()
            .filter(|(own, line)| *own == level && line.contains(words));
        fitting.map(|(_, line)| line.clone()).collect()
    }
}

struct Words(String);

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("headroom")
    }

    fn event(&self, event: &Event<'_>) {
        let mut words = Words(String::new());
        event.record(&mut words);
        let line = (*event.metadata().level(), words.0);
        self.0.lock().unwrap().push(line);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn the_log_tells_the_last_that_a_charge_point_was_found_to_do() {
    let (log, _guard) = Log::listen();
    let mut house = House::with_chargers(&[charger("ev1", "CP1", Some("secret"))]).await;
    let mut point = Point::connect(house.ocpp, "CP1").await;
    point.settle().await;
    house.limit(1, "ev1", 10);
    point.serve(json!({"status": "Accepted"})).await;
    house.outcome().await;
    let can = house.devices.capabilities("ev1").unwrap();
    assert_eq!((can.limits, can.lease), (Grade::Claimed, Grade::Claimed));
    let lines = log.lines(Level::INFO, "what the charge point can do");
    let last = lines.last().unwrap();
    assert!(last.contains(&format!("{can:?}")), "{lines:#?}");
    assert!(lines.len() > 1 && !lines.windows(2).any(|two| two[0] == two[1]));
}

#[tokio::test]
async fn what_the_log_leaves_out_stands_in_it_at_the_level_debug() {
    let (log, _guard) = Log::listen();
    let mut house = House::with_chargers(&[charger("ev1", "CP1", Some("secret"))]).await;
    for _ in 0..3 {
        let mut point = Point::connect(house.ocpp, "CP1").await;
        point.boot().await;
        drop(point);
        house.charger(|report| !report.connected).await;
    }
    for words in ["connected", "booted", "ended"] {
        let said = log.lines(Level::INFO, words).len();
        let left_out = log.lines(Level::DEBUG, words).len();
        assert_eq!((said, left_out), (1, 2), "{words}");
    }
}
