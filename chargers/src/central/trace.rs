//! The last messages of each charge point, for people who look for what is wrong.
//!
//! Inputs: every text message of every connection. Output: [`Traced`], oldest first, without secrets ([`mask`]). Memory is bounded
//! three times: messages of one charge point, their bytes, and the bytes of all of them together, which many charge points share.
//! Messages are masked when somebody asks; until then keeping one is a copy and nothing else.

mod mask;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use mask::masked;

/// Messages kept of one charge point: a whole set-up after a boot.
const MOST_MESSAGES: usize = 50;
/// Bytes kept of one charge point.
const MOST_BYTES: usize = 32 * 1024;
/// Bytes kept of all charge points together: with hundreds of them each has its last few messages.
const MOST_BYTES_OF_ALL: usize = 1024 * 1024;
/// Charge points of which messages are kept; many more than a house has.
const MOST_POINTS: usize = 1024;
/// The longest message that is kept whole: a long list of settings.
const LONGEST: usize = 16 * 1024;

/// Who sent a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The charge point.
    In,
    /// Headroom.
    Out,
}

impl Direction {
    /// `in` or `out`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}

/// A message of a charge point or to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traced {
    /// The identity of the charge point.
    pub charge_point_id: String,
    /// The charger that it is, if it is adopted; the first one where it has several connectors.
    pub load: Option<String>,
    /// When it came or went.
    pub time: Timestamp,
    /// Who sent it.
    pub direction: Direction,
    /// The frame without passwords, tokens, serial numbers and addresses. In parentheses what stands for one that is not shown.
    pub message: String,
}

/// What is kept of a message until somebody asks.
#[derive(Clone, Debug)]
struct Kept {
    time: Timestamp,
    direction: Direction,
    /// `Err`: the length of one that was too long to be kept.
    text: Result<Box<str>, usize>,
}

impl Kept {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.text.as_ref().map_or(0, |text| text.len())
    }
}

#[derive(Debug, Default)]
struct Ring {
    kept: VecDeque<Kept>,
    bytes: usize,
}

impl Ring {
    fn forget_oldest(&mut self) {
        if let Some(oldest) = self.kept.pop_front() {
            self.bytes = self.bytes.saturating_sub(oldest.bytes());
        }
    }
}

/// The messages of all charge points; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Trace(Arc<Mutex<BTreeMap<String, Ring>>>);

impl Trace {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Ring>> {
        // Every change under the lock is complete in itself.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a message.
    pub(super) fn add(
        &self,
        charge_point_id: &str,
        direction: Direction,
        text: &str,
        time: Timestamp,
    ) {
        let kept = Kept {
            time,
            direction,
            text: if text.len() <= LONGEST {
                Ok(text.into())
            } else {
                Err(text.len())
            },
        };
        let mut rings = self.lock();
        if !rings.contains_key(charge_point_id) {
            if rings.len() >= MOST_POINTS {
                let last = |ring: &Ring| ring.kept.back().map(|kept| kept.time);
                let quietest = rings.iter().min_by_key(|(_, ring)| last(ring));
                if let Some(quietest) = quietest.map(|(identity, _)| identity.clone()) {
                    rings.remove(&quietest);
                }
            }
            rings.insert(charge_point_id.to_owned(), Ring::default());
        }
        let share = MOST_BYTES.min(MOST_BYTES_OF_ALL / rings.len().max(1));
        if let Some(ring) = rings.get_mut(charge_point_id) {
            ring.bytes += kept.bytes();
            ring.kept.push_back(kept);
            while ring.kept.len() > MOST_MESSAGES || (ring.bytes > share && ring.kept.len() > 1) {
                ring.forget_oldest();
            }
        }
    }

    /// All that is kept, oldest first. `load_of` gives the charger of a charge point.
    pub(super) fn all(&self, load_of: impl Fn(&str) -> Option<String>) -> Vec<Traced> {
        // Masking takes a while, and every message of every charge point passes here: a copy is masked.
        let copied: Vec<(String, VecDeque<Kept>)> = {
            let rings = self.lock();
            let kept = rings.iter();
            kept.map(|(identity, ring)| (identity.clone(), ring.kept.clone()))
                .collect()
        };
        let mut all = Vec::new();
        for (identity, kept) in &copied {
            let load = load_of(identity);
            all.extend(kept.iter().map(|kept| Traced {
                charge_point_id: identity.clone(),
                load: load.clone(),
                time: kept.time,
                direction: kept.direction,
                message: match &kept.text {
                    Ok(text) => masked(text),
                    Err(bytes) => format!("({bytes} bytes, too long to be kept)"),
                },
            }));
        }
        all.sort_by_key(|traced| traced.time);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: usize) -> Timestamp {
        Timestamp::from_millisecond(i64::try_from(ms).unwrap()).unwrap()
    }

    #[test]
    fn the_last_messages_of_each_charge_point_are_kept_and_no_more() {
        let trace = Trace::default();
        for n in 0..MOST_MESSAGES + 7 {
            trace.add("CP1", Direction::In, &format!("[3,\"{n}\",{{}}]"), at(n));
        }
        trace.add("CP2", Direction::Out, "[3,\"x\",{}]", at(3));
        let all = trace.all(|identity| (identity == "CP1").then(|| "ev1".to_owned()));
        assert_eq!(all.len(), MOST_MESSAGES + 1);
        assert_eq!(all[0].charge_point_id, "CP2");
        assert_eq!(
            (all[1].message.as_str(), all[1].time),
            ("[3,\"7\",{}]", at(7))
        );
        assert_eq!(all[1].load.as_deref(), Some("ev1"));
        assert_eq!(
            (all[0].load.as_deref(), all[0].direction),
            (None, Direction::Out)
        );
    }

    #[test]
    fn who_looks_holds_up_no_charge_point() {
        let trace = Trace::default();
        trace.add("CP1", Direction::In, "[3,\"x\",{}]", at(1));
        let free = |_: &str| trace.0.try_lock().is_ok().then(|| "free".to_owned());
        assert_eq!(trace.all(free)[0].load.as_deref(), Some("free"));
    }

    #[test]
    fn memory_is_bounded_whoever_floods() {
        let trace = Trace::default();
        let long = format!("[3,\"x\",{{\"a\":\"{}\"}}]", "x".repeat(LONGEST - 20));
        for n in 0..10 {
            trace.add("CP1", Direction::In, &long, at(n));
        }
        trace.add("CP1", Direction::In, &"x".repeat(LONGEST + 1), at(11));
        let all = trace.all(|_| None);
        assert!(all.len() < 4, "{} long ones", all.len());
        assert_eq!(
            all.last().unwrap().message,
            "(16385 bytes, too long to be kept)"
        );
        for n in 0..3 * MOST_POINTS {
            for k in 0..3 {
                let text = format!("[3,\"{k}\",{{\"a\":\"{}\"}}]", "x".repeat(800));
                trace.add(&format!("CP{n}"), Direction::In, &text, at(100 + n));
            }
        }
        let rings = trace.lock();
        assert_eq!(rings.len(), MOST_POINTS);
        let bytes: usize = rings.values().map(|ring| ring.bytes).sum();
        assert!(bytes < 2 * MOST_BYTES_OF_ALL, "{bytes}");
    }
}
