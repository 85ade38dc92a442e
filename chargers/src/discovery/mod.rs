//! What announces itself in the house's network (mDNS and DNS-SD, RFC 6762 and 6763), for as long as somebody wants to
//! know.
//!
//! Inputs: [`Discovery::look`]. Outputs: [`Found`] devices, each with the driver or the meter's source that
//! fits it.
//!
//! Invariants: nothing is sent to the network unless somebody looked within [`SEARCH_FOR`]; an answer is given at
//! once, from memory; what is found is bounded, and names of strangers are cut and cleaned.

mod book;
mod device;
mod dns;
mod socket;

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep_until, timeout_at},
};
use tracing::{debug, warn};

use book::Book;
pub use device::{Found, FoundKind};
use dns::Kind;

/// For so long after somebody looked it is searched.
const SEARCH_FOR: Duration = Duration::from_mins(3);
/// The first questions come this soon after each other: a radio may miss one (RFC 6762, section 5.2).
const ASK_FIRST: Duration = Duration::from_secs(1);
/// Each further one comes twice as late, up to this.
const ASK_MOST: Duration = Duration::from_secs(20);
/// What was found is forgotten when it has not been announced again for so long.
const FORGET_AFTER: Duration = Duration::from_mins(10);
/// Devices that are listed. A house has some; a network that has more has a liar in it.
const FOUND_MAX: usize = 64;
/// Messages that wait to be read. Of a flood the rest is lost, and asked for again.
const MESSAGES: usize = 64;

/// The search. Cheap to clone; the clones are one search.
#[derive(Debug, Clone, Default)]
pub struct Discovery {
    state: Arc<Mutex<State>>,
    /// On the loopback interface alone, for tests.
    loopback: bool,
}

#[derive(Debug, Default)]
struct State {
    /// Until when it is searched; `None`: it is not.
    until: Option<Instant>,
    /// Whether it was told that it cannot be searched.
    warned: bool,
    /// By kind and host, so that a device with several announcements is listed once.
    found: BTreeMap<String, (Found, Instant)>,
}

impl Discovery {
    /// What is known now, and whether it is being searched for more. Begins to search, or goes on. Must be called
    /// within a tokio runtime.
    pub fn look(&self) -> (Vec<Found>, bool) {
        let now = Instant::now();
        let mut state = self.state();
        let begin = state.until.is_none();
        state.until = Some(now + SEARCH_FOR);
        state.forget(now);
        let found = state.found.values().map(|(found, _)| found.clone());
        let found = found.collect();
        drop(state);
        if begin {
            tokio::spawn(self.clone().search());
        }
        (found, true)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change under the lock is complete in itself.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn search(self) {
        if let Err(error) = self.ask_and_listen().await {
            let mut state = self.state();
            state.until = None;
            if !state.warned {
                state.warned = true;
                warn!(%error, "devices of the network cannot be looked for");
            }
        }
    }

    async fn ask_and_listen(&self) -> io::Result<()> {
        let (messages, mut heard) = mpsc::channel(MESSAGES);
        let mut listeners = JoinSet::new();
        let sockets = socket::open_all(self.loopback)?;
        for socket in &sockets {
            listeners.spawn(socket::listen(Arc::clone(socket), messages.clone()));
        }
        let mut book = Book::default();
        let mut gap = ASK_FIRST;
        let mut ask_at = Instant::now();
        while let Some(until) = self.goes_on() {
            let now = Instant::now();
            if ask_at <= now {
                for question in questions(&book) {
                    socket::send(&sockets, &question).await;
                }
                ask_at = now + gap;
                gap = (gap * 2).min(ASK_MOST);
            }
            // A listener that fails gives nothing more, and the others go on.
            match timeout_at(ask_at.min(until), heard.recv()).await {
                Ok(Some(message)) => {
                    book.take(dns::records(&message));
                    let now = Instant::now();
                    let mut state = self.state();
                    // Of the others nothing was heard: they may be gone.
                    for found in book.announced() {
                        state.note(found, now);
                    }
                }
                Ok(None) => sleep_until(ask_at.min(until)).await,
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Until when it is searched, as somebody looked last; ends the search when that is over.
    fn goes_on(&self) -> Option<Instant> {
        let now = Instant::now();
        let mut state = self.state();
        state.until = state.until.filter(|until| *until > now);
        state.until
    }
}

/// What is asked: the service types, and what is missing of the instances that were heard of.
fn questions(book: &Book) -> Vec<Vec<u8>> {
    let types: Vec<_> = device::TYPES
        .iter()
        .map(|kind| (*kind, Kind::Pointer))
        .collect();
    let missing = book.missing();
    let missing: Vec<_> = missing
        .iter()
        .map(|(name, kind)| (name.as_str(), *kind))
        .collect();
    let asked = [types, missing];
    let asked = asked.iter().filter(|asked| !asked.is_empty());
    asked.filter_map(|asked| dns::question(asked)).collect()
}

impl State {
    fn note(&mut self, found: Found, now: Instant) {
        self.forget(now);
        let key = format!("{} {}", found.kind.as_str(), found.host);
        let room = self.found.len() < FOUND_MAX;
        match self.found.get_mut(&key) {
            Some(known) => *known = (found, now),
            None if room => {
                self.found.insert(key, (found, now));
            }
            None => debug!("more devices announce themselves than are listed"),
        }
    }

    fn forget(&mut self, now: Instant) {
        self.found
            .retain(|_, (_, seen)| now.saturating_duration_since(*seen) <= FORGET_AFTER);
    }
}

#[cfg(test)]
mod tests;
