//! Waiting for something that can be observed, never for longer than it may take.

use std::{
    thread,
    time::{Duration, Instant},
};

/// How often a question is asked again.
const PERIOD: Duration = Duration::from_millis(20);

/// What runs out by itself is seen so long after, on a busy machine too. Shorter than the leases of the tests, so that one
/// which lasts twice as long is found.
pub const LATE: Duration = Duration::from_secs(8);

/// Asks until there is an answer.
///
/// # Panics
/// After `limit` without one; `what` says what was waited for.
pub fn until<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "{what}: not within {limit:?}");
        thread::sleep(PERIOD);
    }
}

/// Asks until there is an answer; `None` after `limit` without one.
pub fn at_most<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if Instant::now() >= end {
            return None;
        }
        thread::sleep(PERIOD);
    }
}

/// Looks again and again for the whole time, and panics when it is not so once.
pub fn always(what: &str, time: Duration, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        assert!(holds(), "{what}: did not hold for {time:?}");
        thread::sleep(PERIOD);
    }
}
