//! What each load would have taken if nobody had held it back.

use std::collections::BTreeMap;

use headroom_core::{Instant, Milliamps, Phase};

use super::recording::{Recording, Word};

/// Within this of its limit a car is held back by it.
const HELD_BACK: Milliamps = Milliamps(1_500);
/// Above this a car draws.
const DRAWS: Milliamps = Milliamps(1_000);

/// One stay of a car, or the whole life of a slow load.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stay {
    pub(super) from: Instant,
    pub(super) to: Instant,
    /// The most that it takes on each phase; `None`: all that it is given.
    pub(super) most: Option<Milliamps>,
    /// On how many phases; `None`: on all that there are.
    pub(super) phases: Option<usize>,
    /// What it needs, in milliampere-milliseconds of one phase; `None`: more than there was time for.
    pub(super) needs: Option<u64>,
}

/// The stays at each load, oldest first.
pub(super) type Wishes = BTreeMap<String, Vec<Stay>>;

pub(super) fn of(recording: &Recording) -> Wishes {
    let end = recording.samples.last().map_or(Instant(0), |last| last.at);
    let versions = recording.versions.iter();
    let chargers = versions.flat_map(|version| &version.config.chargers);
    chargers
        .filter_map(|charger| {
            let words = recording.words.get(&charger.id)?;
            Some((charger.id.clone(), stays(words, end)))
        })
        .collect()
}

fn stays(words: &[Word], end: Instant) -> Vec<Stay> {
    let mut chunks = words
        .chunk_by(|one, next| one.present == next.present)
        .peekable();
    let mut stays = Vec::new();
    while let Some(chunk) = chunks.next() {
        let Some(first) = chunk.first().filter(|word| word.present) else {
            continue;
        };
        // It lasts until the word that nobody is there.
        let after = chunks.peek().and_then(|next| next.first());
        stays.push(stay(chunk, first.at, after.map_or(end, |word| word.at)));
    }
    stays
}

fn highest(word: &Word) -> Milliamps {
    let [l1, l2, l3] = word.draw.0;
    l1.max(l2).max(l3)
}

fn stay(words: &[Word], from: Instant, to: Instant) -> Stay {
    let most = words.iter().map(highest).max().unwrap_or_default();
    let at_most = words
        .iter()
        .filter(|word| highest(word) + HELD_BACK >= most);
    let held_back = most < DRAWS
        || at_most.clone().any(|word| {
            word.told
                .is_some_and(|told| highest(word) + HELD_BACK >= told)
        });
    let phases = at_most
        .map(|word| {
            Phase::ALL
                .iter()
                .filter(|phase| word.draw.get(**phase) > DRAWS)
                .count()
        })
        .max()
        .filter(|phases| *phases > 0);
    let mut received = 0_u64;
    for pair in words.windows(2) {
        if let [one, next] = pair {
            let current = u64::try_from(highest(one).0).unwrap_or(0);
            received += current.saturating_mul(next.at.since_ms(one.at));
        }
    }
    // It ended by itself if it rests at last, though it may draw.
    let ended = words.last().is_some_and(|word| {
        word.rests && highest(word) < DRAWS && word.told.is_some_and(|told| told > DRAWS)
    });
    Stay {
        from,
        to,
        most: (!held_back).then_some(most),
        phases,
        needs: ended.then_some(received),
    }
}

#[cfg(test)]
mod tests {
    use headroom_core::PerPhase;

    use super::*;

    fn word(s: u64, amps: i64, told: i64, rests: bool, present: bool) -> Word {
        Word {
            at: Instant(s * 1000),
            present,
            rests,
            draw: PerPhase([Milliamps::from_amps(amps), Milliamps::ZERO, Milliamps::ZERO]),
            told: Some(Milliamps::from_amps(told)),
        }
    }

    #[test]
    fn a_car_wants_what_it_took_while_nobody_held_it_back() {
        let words = [
            word(0, 0, 16, false, false),
            word(10, 11, 16, false, true),
            word(20, 8, 8, false, true),
            word(30, 11, 16, false, true),
            word(40, 0, 16, true, true),
            word(50, 0, 16, false, false),
            word(60, 10, 10, false, true),
        ];
        let [one, other] = &stays(&words, Instant(70_000))[..] else {
            panic!()
        };
        assert_eq!((one.from, one.to), (Instant(10_000), Instant(50_000)));
        assert_eq!(one.most, Some(Milliamps::from_amps(11)));
        assert_eq!(one.phases, Some(1));
        assert_eq!(one.needs, Some((11 + 8 + 11) * 10_000_000));
        assert_eq!(
            (other.to, other.most, other.needs),
            (Instant(70_000), None, None)
        );
    }
}
