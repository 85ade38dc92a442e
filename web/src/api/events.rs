//! `GET /events`: server-sent events.
//!
//! `status` on connect and then at most once a second, `decision` with its number as `id:` (a browser that comes
//! back names the last one it had and gets what it missed), `reading`, `alarm`, `test`. A listener that does not keep up
//! is dropped, never waited for.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, stream};
use headroom_store::Decision;
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, broadcast, watch};
use tokio::time::Instant;

use crate::app::{ServerEvent, Shared};
use crate::problem::Problem;
use crate::query::Params;
use crate::status::Status;

/// Between two statuses.
const STATUS_EVERY: Duration = Duration::from_secs(1);
/// A comment is sent when nothing else was, so that a broken connection is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Missed decisions that are read at a time.
const AT_A_TIME: u16 = 100;

pub(crate) async fn get(
    State(shared): State<Shared>,
    mut params: Params,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let renewals = params.flag("renewals");
    params.finish()?;
    let place = Arc::clone(&shared.listeners)
        .try_acquire_owned()
        .map_err(|_| {
            Problem::throttled(
                5,
                "Too many pages listen already. Close one, or try again later.",
            )
        })?;
    let last_seen = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok()?.trim().parse::<i64>().ok());
    let mut status = shared.app.status.clone();
    status.mark_changed();
    let feed = Feed {
        events: shared.app.events.subscribe(),
        status,
        next_status: Instant::now(),
        waiting: VecDeque::new(),
        last_id: last_seen.unwrap_or(0),
        catching_up: last_seen.is_some(),
        renewals,
        shared,
        _place: place,
    };
    let stream = stream::unfold(feed, |mut feed| async {
        let event = feed.next().await?;
        Some((Ok(event), feed))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// One listener.
struct Feed {
    events: broadcast::Receiver<ServerEvent>,
    status: watch::Receiver<Arc<Status>>,
    next_status: Instant,
    /// Decisions from the journal that are still to be sent.
    waiting: VecDeque<Decision>,
    /// The newest decision that was sent.
    last_id: i64,
    /// Whether the journal may have more that was missed.
    catching_up: bool,
    renewals: bool,
    shared: Shared,
    _place: OwnedSemaphorePermit,
}

impl Feed {
    /// The next event; `None` ends the connection.
    async fn next(&mut self) -> Option<Event> {
        loop {
            // The first status goes before everything, so that a page has something to show.
            if self.status.has_changed().is_ok_and(|changed| changed)
                && Instant::now() >= self.next_status
            {
                return Some(self.status_event());
            }
            if let Some(decision) = self.waiting.pop_front() {
                self.last_id = decision.id;
                return Some(decision_event(&decision));
            }
            if self.catching_up {
                self.catch_up().await?;
                continue;
            }
            tokio::select! {
                event = self.events.recv() => match event {
                    Ok(event) => {
                        if let Some(event) = self.take(&event) {
                            return Some(event);
                        }
                    }
                    // It did not keep up: it comes back with the last number it has.
                    Err(RecvError::Lagged(_) | RecvError::Closed) => return None,
                },
                changed = status_is_due(&mut self.status, self.next_status) => {
                    changed?;
                    return Some(self.status_event());
                }
            }
        }
    }

    fn status_event(&mut self) -> Event {
        self.next_status = Instant::now() + STATUS_EVERY;
        let status = Arc::clone(&self.status.borrow_and_update());
        named("status", &*status)
    }

    async fn catch_up(&mut self) -> Option<()> {
        let missed = self
            .shared
            .app
            .journal
            .decisions_after(self.last_id, self.renewals, AT_A_TIME)
            .await;
        match missed {
            Ok(missed) => {
                self.catching_up = missed.len() == usize::from(AT_A_TIME);
                self.waiting.extend(missed);
                Some(())
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "missed decisions cannot be read"
                );
                None
            }
        }
    }

    fn take(&mut self, event: &ServerEvent) -> Option<Event> {
        match event {
            ServerEvent::Decision(decision) => {
                let known = decision.id <= self.last_id;
                if known || (decision.renewal_only && !self.renewals) {
                    return None;
                }
                self.last_id = decision.id;
                Some(decision_event(decision))
            }
            ServerEvent::Reading(reading) => Some(named("reading", &**reading)),
            ServerEvent::Alarm(alarm) => Some(named("alarm", &**alarm)),
            ServerEvent::Test(test) => Some(named("test", &**test)),
        }
    }
}

/// Waits for a new status, and until one may be sent; `None` when there will be none any more.
async fn status_is_due(status: &mut watch::Receiver<Arc<Status>>, due: Instant) -> Option<()> {
    status.changed().await.ok()?;
    status.mark_changed();
    tokio::time::sleep_until(due).await;
    Some(())
}

fn decision_event(decision: &Decision) -> Event {
    named("decision", decision).id(decision.id.to_string())
}

fn named<T: Serialize>(name: &str, data: &T) -> Event {
    let event = Event::default().event(name);
    let text = serde_json::to_string(data).unwrap_or_default();
    event.data(text)
}
