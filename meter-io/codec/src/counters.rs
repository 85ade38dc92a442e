//! The frame counters of ciphered telegrams, for each meter by its system title.
//!
//! A counter only rises (IEC 62056-5-3, 9.2.7.2.4.5): a telegram that comes with one that was used before is a repetition. The
//! highest ones are written as text, so that they outlive the program.

use std::{fmt, str::FromStr};

/// System titles whose counter is remembered: a line has one meter, and a replaced one beside it.
const TITLES: usize = 4;

/// Of one telegram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameCounter {
    /// The meter's system title: three letters of its maker and its number.
    pub title: [u8; 8],
    /// Its counter.
    pub counter: u32,
}

/// The highest counter of each of the titles heard last, the very last at the end. As text: `TITLE/COUNTER`, the title in
/// hexadecimal digits, with blanks between.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FrameCounters(Vec<FrameCounter>);

impl FrameCounters {
    /// The highest counter of a title.
    #[must_use]
    pub fn of(&self, title: [u8; 8]) -> Option<u32> {
        let known = self.0.iter().find(|known| known.title == title);
        known.map(|known| known.counter)
    }

    /// Takes note of a telegram. One below what is known changes nothing.
    pub fn heard(&mut self, telegram: FrameCounter) {
        let highest = self
            .of(telegram.title)
            .map_or(telegram.counter, |known| known.max(telegram.counter));
        self.0.retain(|known| known.title != telegram.title);
        if self.0.len() == TITLES {
            self.0.remove(0);
        }
        self.0.push(FrameCounter {
            counter: highest,
            ..telegram
        });
    }

    /// Whether none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for FrameCounters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, FrameCounter { title, counter }) in self.0.iter().enumerate() {
            let blank = if index > 0 { " " } else { "" };
            let title = u64::from_be_bytes(*title);
            write!(f, "{blank}{title:016X}/{counter}")?;
        }
        Ok(())
    }
}

/// Text that holds no frame counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("these are no frame counters")]
pub struct NoFrameCounters;

impl FromStr for FrameCounters {
    type Err = NoFrameCounters;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut counters = Self::default();
        for part in text.split_ascii_whitespace() {
            let (title, counter) = part.split_once('/').ok_or(NoFrameCounters)?;
            let title = u64::from_str_radix(title, 16).map_err(|_| NoFrameCounters)?;
            counters.heard(FrameCounter {
                title: title.to_be_bytes(),
                counter: counter.parse().map_err(|_| NoFrameCounters)?,
            });
        }
        Ok(counters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_of_each_title_is_kept_and_outlives_the_program_as_text() {
        let mut counters = FrameCounters::default();
        let mut heard = |title: &[u8; 8], counter| {
            counters.heard(FrameCounter {
                title: *title,
                counter,
            });
        };
        heard(b"HRM\x00\x00\x00\x00\x01", 7);
        heard(b"HRM\x00\x00\x00\x00\x02", u32::MAX);
        heard(b"HRM\x00\x00\x00\x00\x01", 6);
        assert_eq!(counters.of(*b"HRM\x00\x00\x00\x00\x01"), Some(7));
        let text = counters.to_string();
        assert_eq!(text, "48524D0000000002/4294967295 48524D0000000001/7");
        assert_eq!(text.parse(), Ok(counters));
        assert_eq!("".parse(), Ok(FrameCounters::default()));
        for text in ["x", "48/", "48/-1", "48524D00000000020/1", "48/4294967296"] {
            assert_eq!(
                text.parse::<FrameCounters>(),
                Err(NoFrameCounters),
                "{text}"
            );
        }
    }
}
