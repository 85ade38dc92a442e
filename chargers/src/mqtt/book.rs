//! What a device has said, and when.

use std::time::Duration;

use headroom_core::{
    event::ChargerStatus,
    units::{Milliamps, WattHours, Watts},
};
use serde_json::Value;
use tokio::time::Instant;

use super::profile::Gives;
use crate::polled::Seen;

/// Terminals of a charger.
const TERMINALS: usize = 3;

/// The newest values of one device. None of them is older than the connection to the broker.
#[derive(Debug, Clone, Default)]
pub(super) struct Book {
    on: Option<bool>,
    power: Option<(Watts, Instant)>,
    currents: [Option<(Milliamps, Instant)>; TERMINALS],
    limit: Option<Milliamps>,
    paused: Option<bool>,
    status: ChargerStatus,
    energy: Option<WattHours>,
    /// When its state was told last.
    told: Option<Instant>,
}

impl Book {
    /// Takes a value. What cannot be one is not taken.
    pub(super) fn take(&mut self, value: &Value, gives: Gives, now: Instant) {
        let taken = match gives {
            Gives::On => on(value).map(|on| self.on = Some(on)),
            Gives::Power => {
                let watts = number(value).and_then(Watts::from_f64);
                if let Some(watts) = watts {
                    self.power = Some((watts, now));
                }
                // Power alone does not tell whether a relay is closed.
                None
            }
            Gives::Current(terminal, steps) => {
                let current = scaled(value, steps).and_then(Milliamps::from_f64);
                let slot = self.currents.get_mut(terminal);
                slot.zip(current)
                    .map(|(slot, current)| *slot = Some((current.abs(), now)))
            }
            Gives::EachCurrent(steps) => {
                let current = scaled(value, steps).and_then(Milliamps::from_f64);
                current.map(|current| self.currents = [Some((current.abs(), now)); TERMINALS])
            }
            Gives::Limit(steps) => scaled(value, steps)
                .and_then(Milliamps::from_f64)
                .map(|limit| self.limit = Some(limit)),
            Gives::PausedIf(words) => {
                whole(value).map(|number| self.paused = Some(words.contains(&number)))
            }
            Gives::Status(table) => whole(value).map(|number| {
                let known = table.iter().find(|(of, _)| *of == number);
                self.status = known.map_or(ChargerStatus::Unknown, |(_, status)| *status);
            }),
            Gives::Energy(steps) => {
                let energy = scaled(value, steps).filter(|kwh| *kwh >= 0.0);
                energy
                    .and_then(WattHours::from_f64)
                    .map(|energy| self.energy = Some(energy))
            }
            Gives::LostIf(word) => {
                let lost = match value {
                    Value::String(text) => text == word,
                    Value::Bool(one) => one.to_string() == word,
                    _ => false,
                };
                if lost {
                    *self = Self::default();
                }
                None
            }
        };
        if taken.is_some() {
            self.told = Some(now);
        }
    }

    /// When its state was told last.
    pub(super) const fn told(&self) -> Option<Instant> {
        self.told
    }

    /// What is known, unless the device has told nothing for `quiet`.
    pub(super) fn seen(
        &self,
        charger: Option<usize>,
        quiet: Duration,
        now: Instant,
    ) -> Option<Seen> {
        let fresh = |at: Instant| now.saturating_duration_since(at) <= quiet;
        if !self.told.is_some_and(fresh) {
            return None;
        }
        let Some(terminals) = charger else {
            let power = self.power.filter(|(_, at)| fresh(*at));
            return Some(Seen::SlowLoad {
                on: self.on,
                power_w: power.map(|(power, _)| power),
            });
        };
        let currents = self.currents.iter().take(terminals);
        let currents: Vec<_> = currents
            .map(|current| {
                current
                    .filter(|(_, at)| fresh(*at))
                    .map(|(current, _)| current)
            })
            .collect();
        let told = currents.iter().any(Option::is_some);
        Some(Seen::Charger {
            status: self.status,
            current_a: told.then_some(currents),
            limit: match self.paused {
                Some(true) => Some(Milliamps::ZERO),
                _ => self.limit,
            },
            energy: self.energy,
        })
    }
}

fn on(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(on) => Some(*on),
        Value::Number(_) => match whole(value)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
        Value::String(text) if text.eq_ignore_ascii_case("on") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("off") => Some(false),
        _ => None,
    }
}

/// A number, also in text.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => text.parse().ok(),
        _ => value.as_f64(),
    }
}

fn scaled(value: &Value, steps: u32) -> Option<f64> {
    number(value).map(|number| number / f64::from(steps.max(1)))
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.parse().ok(),
        _ => value.as_i64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const QUIET: Duration = Duration::from_secs(15);

    #[test]
    fn words_for_on_and_off() {
        for yes in [json!(true), json!(1), json!("ON"), json!("on")] {
            assert_eq!(on(&yes), Some(true), "{yes}");
        }
        for no in [json!(false), json!(0), json!("OFF"), json!("off")] {
            assert_eq!(on(&no), Some(false), "{no}");
        }
        for neither in [
            json!(null),
            json!(2),
            json!("TOGGLE"),
            json!({}),
            json!(0.5),
        ] {
            assert_eq!(on(&neither), None, "{neither}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_told_long_ago_is_not_known() {
        let mut book = Book::default();
        let begun = Instant::now();
        assert_eq!(book.seen(None, QUIET, begun), None, "nothing was told");
        book.take(&json!(2000.4), Gives::Power, begun);
        assert_eq!(book.seen(None, QUIET, begun), None, "power alone");
        book.take(&json!("ON"), Gives::On, begun);
        let on = |power_w| {
            Some(Seen::SlowLoad {
                on: Some(true),
                power_w,
            })
        };
        assert_eq!(book.seen(None, QUIET, begun), on(Some(Watts(2000))));
        let later = begun + Duration::from_secs(10);
        book.take(&json!("ON"), Gives::On, later);
        let last = begun + QUIET + Duration::from_secs(1);
        assert_eq!(book.seen(None, QUIET, last), on(None), "the power is old");
        assert_eq!(book.seen(None, QUIET, later + QUIET * 2), None);
        book.take(&json!("ON"), Gives::On, last);
        book.take(&json!("Offline"), Gives::LostIf("Offline"), last);
        assert_eq!(book.seen(None, QUIET, last), None, "its will");
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_charger_does_not_say_is_missing() {
        let now = Instant::now();
        let mut book = Book::default();
        book.take(&json!(6.5), Gives::Current(0, 1), now);
        book.take(&json!(null), Gives::Current(1, 1), now);
        book.take(&json!("x"), Gives::Limit(1), now);
        let seen = |book: &Book| match book.seen(Some(2), QUIET, now) {
            Some(Seen::Charger {
                current_a, limit, ..
            }) => (current_a, limit),
            other => panic!("{other:?}"),
        };
        let currents = Some(vec![Some(Milliamps(6500)), None]);
        assert_eq!(seen(&book), (currents.clone(), None));
        book.take(&json!(10), Gives::Limit(1), now);
        assert_eq!(seen(&book), (currents.clone(), Some(Milliamps(10_000))));
        book.take(&json!("1"), Gives::PausedIf(&[1]), now);
        assert_eq!(seen(&book), (currents, Some(Milliamps(0))));
    }
}
