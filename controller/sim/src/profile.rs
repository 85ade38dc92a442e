//! Charging profiles as a charge point keeps and follows them (OCPP 1.6 edition 2, sections 3.13 and
//! 7.8 to 7.13): three purposes, stack levels, schedules that run in time.
//!
//! The limit at a moment is the least of `ChargePointMaxProfile` and of `TxProfile`, or `TxDefaultProfile`
//! where no `TxProfile` applies; within a purpose the highest stack level whose schedule covers the
//! moment counts. Times are milliseconds of the charge point's own clock.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Profiles that a charge point keeps; common ones keep 3 to 20.
pub const PROFILES_MAX: usize = 10;
/// Highest stack level (`ChargeProfileMaxStackLevel`).
pub const STACK_LEVEL_MAX: u32 = 8;
/// Periods of one schedule (`ChargingScheduleMaxPeriods`).
pub const PERIODS_MAX: usize = 10;
/// Watts become amperes at this voltage.
const NOMINAL_V: f64 = 230.0;

/// What a profile is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// Caps the whole charge point.
    #[serde(rename = "ChargePointMaxProfile")]
    ChargePointMax,
    /// For every transaction that has none of its own.
    #[serde(rename = "TxDefaultProfile")]
    TxDefault,
    /// For one transaction.
    #[serde(rename = "TxProfile")]
    Tx,
}

/// When a schedule begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At a moment.
    Absolute(i64),
    /// At the begin of the transaction.
    Relative,
}

/// The unit of the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Amperes per phase.
    #[serde(rename = "A")]
    Amperes,
    /// Watts over all phases.
    #[serde(rename = "W")]
    Watts,
}

/// A part of a schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Period {
    /// Where it begins, in seconds from the start of the schedule.
    pub start_s: u32,
    /// The limit, in the unit of the profile.
    pub limit: f64,
    /// Phases to use, 1 to 3.
    pub phases: u8,
}

/// A charging profile.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Its number.
    pub id: i64,
    /// The connector it was sent for; 0: all.
    pub connector: u32,
    /// Its stack level.
    pub stack_level: u32,
    /// What it is for.
    pub purpose: Purpose,
    /// The transaction it is for, if it is for one.
    pub transaction: Option<i64>,
    /// When its schedule begins.
    pub start: Start,
    /// How long its schedule lasts, in seconds; `None`: for ever.
    pub duration_s: Option<u32>,
    /// Not before this moment.
    pub valid_from_ms: Option<i64>,
    /// Not from this moment on.
    pub valid_to_ms: Option<i64>,
    /// The unit of its limits.
    pub unit: Unit,
    /// Its periods, the first at 0.
    pub periods: Vec<Period>,
}

/// A limit at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// Per phase, in amperes.
    pub amps: f64,
    /// Phases to use, 1 to 3.
    pub phases: u8,
}

/// Which profiles to clear; what is `None` fits all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// By number. Then nothing else counts.
    pub id: Option<i64>,
    /// By connector.
    pub connector: Option<u32>,
    /// By purpose.
    pub purpose: Option<Purpose>,
    /// By stack level.
    pub stack_level: Option<u32>,
}

/// Why a profile was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProfileError {
    /// No periods, too many, or not in order from 0 on.
    #[error("the schedule must have 1 to {PERIODS_MAX} periods, in order, the first at 0")]
    Periods,
    /// A limit that is no current.
    #[error("a limit must be a number of at least 0")]
    Limit,
    /// Too high a stack level.
    #[error("the stack level must be 0 to {STACK_LEVEL_MAX}")]
    StackLevel,
    /// A `TxProfile` without its transaction.
    #[error("a TxProfile needs the transaction that is running")]
    NoTransaction,
    /// `ChargePointMaxProfile` is for the whole charge point.
    #[error("a ChargePointMaxProfile is for connector 0 only")]
    Connector,
    /// No room.
    #[error("there is room for {PROFILES_MAX} profiles")]
    Full,
}

/// The profiles of a charge point with one connector.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profiles(Vec<Profile>);

/// The charge point's moment: its clock, and its transaction with the moment it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// The charge point's clock, in milliseconds.
    pub clock_ms: i64,
    /// Number and begin of the transaction that is running.
    pub transaction: Option<(i64, i64)>,
}

impl Profiles {
    /// All of them.
    pub fn all(&self) -> &[Profile] {
        &self.0
    }

    /// Takes a profile in place of the one with its number, or with its purpose, stack level and
    /// connector.
    ///
    /// # Errors
    /// If it cannot be followed; then nothing changes.
    pub fn set(&mut self, profile: Profile, now: Moment) -> Result<(), ProfileError> {
        let starts = profile.periods.iter().map(|period| period.start_s);
        let in_order = starts.clone().zip(starts.skip(1)).all(|(a, b)| a < b);
        let first = profile.periods.first().map(|period| period.start_s);
        if first != Some(0) || !in_order || profile.periods.len() > PERIODS_MAX {
            return Err(ProfileError::Periods);
        }
        if profile
            .periods
            .iter()
            .any(|period| !period.limit.is_finite() || period.limit < 0.0)
        {
            return Err(ProfileError::Limit);
        }
        if profile.stack_level > STACK_LEVEL_MAX {
            return Err(ProfileError::StackLevel);
        }
        match profile.purpose {
            Purpose::Tx => {
                let running = now.transaction.map(|(id, _)| id);
                if running.is_none() || profile.transaction.is_some_and(|id| Some(id) != running) {
                    return Err(ProfileError::NoTransaction);
                }
            }
            Purpose::ChargePointMax if profile.connector != 0 => {
                return Err(ProfileError::Connector);
            }
            Purpose::ChargePointMax | Purpose::TxDefault => {}
        }
        let replaced = |old: &Profile| {
            old.id == profile.id
                || (old.purpose == profile.purpose
                    && old.stack_level == profile.stack_level
                    && old.connector == profile.connector)
        };
        let kept = self.0.iter().filter(|old| !replaced(old)).count();
        if kept >= PROFILES_MAX {
            return Err(ProfileError::Full);
        }
        self.0.retain(|old| !replaced(old));
        self.0.push(profile);
        Ok(())
    }

    /// Removes those that fit; returns how many.
    pub fn clear(&mut self, filter: Filter) -> usize {
        let before = self.0.len();
        self.0.retain(|profile| {
            let fits = match filter.id {
                Some(id) => profile.id == id,
                None => {
                    filter
                        .connector
                        .is_none_or(|connector| profile.connector == connector)
                        && filter
                            .purpose
                            .is_none_or(|purpose| profile.purpose == purpose)
                        && filter
                            .stack_level
                            .is_none_or(|level| profile.stack_level == level)
                }
            };
            !fits
        });
        before - self.0.len()
    }

    /// Removes the profiles of the transaction that has ended.
    pub fn end_transaction(&mut self) {
        self.0.retain(|profile| profile.purpose != Purpose::Tx);
    }

    /// The limit at a moment; `None` if no profile says anything.
    pub fn limit(&self, now: Moment) -> Option<Limit> {
        let transaction = self
            .of(Purpose::Tx, now)
            .or_else(|| self.of(Purpose::TxDefault, now));
        let whole = self.of(Purpose::ChargePointMax, now);
        match (transaction, whole) {
            (Some(a), Some(b)) => Some(Limit {
                amps: a.amps.min(b.amps),
                phases: a.phases.min(b.phases),
            }),
            (one, other) => one.or(other),
        }
    }

    /// The limits from now on for a time, as `GetCompositeSchedule` answers: where each begins, in seconds.
    pub fn composite(&self, now: Moment, duration_s: u32) -> Vec<(u32, Limit)> {
        let mut schedule: Vec<(u32, Limit)> = Vec::new();
        for second in 0..duration_s.min(COMPOSITE_MAX_S) {
            let at = Moment {
                clock_ms: now.clock_ms.saturating_add(i64::from(second) * 1000),
                ..now
            };
            let Some(limit) = self.limit(at) else {
                continue;
            };
            if schedule.last().map(|(_, last)| *last) != Some(limit) {
                schedule.push((second, limit));
            }
        }
        schedule
    }

    fn of(&self, purpose: Purpose, now: Moment) -> Option<Limit> {
        self.0
            .iter()
            .filter(|profile| profile.purpose == purpose)
            .filter_map(|profile| Some((profile.stack_level, profile.limit(now)?)))
            .max_by_key(|(stack_level, _)| *stack_level)
            .map(|(_, limit)| limit)
    }
}

/// Longest composite schedule that is worked out: a day.
const COMPOSITE_MAX_S: u32 = 86_400;

impl Profile {
    /// What it says at a moment; `None` if its time has not come, or is over.
    fn limit(&self, now: Moment) -> Option<Limit> {
        if self.valid_from_ms.is_some_and(|from| now.clock_ms < from)
            || self.valid_to_ms.is_some_and(|to| now.clock_ms >= to)
        {
            return None;
        }
        let start_ms = match self.start {
            Start::Absolute(at_ms) => at_ms,
            Start::Relative => now
                .transaction
                .map_or(now.clock_ms, |(_, began_ms)| began_ms),
        };
        let elapsed_ms = now
            .clock_ms
            .checked_sub(start_ms)
            .filter(|elapsed| *elapsed >= 0)?;
        if self
            .duration_s
            .is_some_and(|duration| elapsed_ms >= i64::from(duration) * 1000)
        {
            return None;
        }
        let period = self
            .periods
            .iter()
            .rev()
            .find(|period| i64::from(period.start_s) * 1000 <= elapsed_ms)?;
        let phases = period.phases.clamp(1, 3);
        let amps = match self.unit {
            Unit::Amperes => period.limit,
            Unit::Watts => period.limit / NOMINAL_V / f64::from(phases),
        };
        Some(Limit { amps, phases })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(id: i64, purpose: Purpose, stack_level: u32, limits: &[(u32, f64)]) -> Profile {
        Profile {
            id,
            connector: 0,
            stack_level,
            purpose,
            transaction: None,
            start: Start::Absolute(0),
            duration_s: None,
            valid_from_ms: None,
            valid_to_ms: None,
            unit: Unit::Amperes,
            periods: limits
                .iter()
                .map(|(start_s, limit)| Period {
                    start_s: *start_s,
                    limit: *limit,
                    phases: 3,
                })
                .collect(),
        }
    }

    fn at(second: i64) -> Moment {
        Moment {
            clock_ms: second * 1000,
            transaction: Some((1, 0)),
        }
    }

    fn amps(profiles: &Profiles, second: i64) -> Option<f64> {
        profiles.limit(at(second)).map(|limit| limit.amps)
    }

    fn with(list: &[Profile]) -> Profiles {
        let mut profiles = Profiles::default();
        for profile in list {
            profiles.set(profile.clone(), at(0)).unwrap();
        }
        profiles
    }

    #[test]
    fn a_lease_falls_to_its_safe_current_by_itself() {
        let profiles = with(&[profile(1, Purpose::TxDefault, 1, &[(0, 10.0), (120, 0.0)])]);
        assert_eq!(amps(&profiles, -1), None);
        assert_eq!(amps(&profiles, 0), Some(10.0));
        assert_eq!(amps(&profiles, 119), Some(10.0));
        assert_eq!(amps(&profiles, 120), Some(0.0));
        assert_eq!(amps(&profiles, 1_000_000), Some(0.0));
        assert_eq!(
            profiles
                .composite(at(60), 300)
                .iter()
                .map(|(s, l)| (*s, l.amps))
                .collect::<Vec<_>>(),
            [(0, 10.0), (60, 0.0)]
        );
    }

    #[test]
    fn stacks_purposes_and_the_cap_combine_as_the_standard_says() {
        let base = profile(1, Purpose::TxDefault, 0, &[(0, 6.0)]);
        let mut lease = profile(2, Purpose::TxDefault, 1, &[(0, 16.0)]);
        lease.duration_s = Some(60);
        let own = profile(3, Purpose::Tx, 0, &[(0, 12.0)]);
        let cap = profile(4, Purpose::ChargePointMax, 0, &[(0, 8.0)]);
        assert_eq!(amps(&with(std::slice::from_ref(&base)), 10), Some(6.0));
        let stacked = with(&[base.clone(), lease.clone()]);
        assert_eq!(
            (amps(&stacked, 59), amps(&stacked, 60)),
            (Some(16.0), Some(6.0))
        );
        let mut own_wins = with(&[base, lease, own]);
        assert_eq!(amps(&own_wins, 10), Some(12.0));
        own_wins.set(cap, at(0)).unwrap();
        assert_eq!(amps(&own_wins, 10), Some(8.0));
        own_wins.end_transaction();
        assert_eq!(own_wins.all().len(), 3);
    }

    #[test]
    fn the_same_place_is_replaced_and_a_filter_clears() {
        let mut profiles = with(&[
            profile(1, Purpose::TxDefault, 0, &[(0, 6.0)]),
            profile(2, Purpose::TxDefault, 0, &[(0, 7.0)]),
            profile(3, Purpose::TxDefault, 1, &[(0, 8.0)]),
        ]);
        assert_eq!(profiles.all().len(), 2);
        let filter = Filter {
            stack_level: Some(1),
            ..Filter::default()
        };
        assert_eq!((profiles.clear(filter), amps(&profiles, 0)), (1, Some(7.0)));
        assert_eq!(
            profiles.clear(Filter {
                id: Some(99),
                ..Filter::default()
            }),
            0
        );
        assert_eq!(
            (profiles.clear(Filter::default()), amps(&profiles, 0)),
            (1, None)
        );
    }

    #[test]
    fn watts_are_shared_by_the_phases() {
        let mut watts = profile(1, Purpose::TxDefault, 0, &[(0, 6900.0)]);
        watts.unit = Unit::Watts;
        assert_eq!(amps(&with(&[watts.clone()]), 0), Some(10.0));
        watts.periods[0].phases = 1;
        assert_eq!(amps(&with(&[watts]), 0), Some(30.0));
    }

    #[test]
    fn what_cannot_be_followed_changes_nothing() {
        let good = profile(1, Purpose::TxDefault, 0, &[(0, 6.0)]);
        let mut many = profile(1, Purpose::TxDefault, 0, &[]);
        many.periods = (0..11)
            .map(|s| Period {
                start_s: s,
                limit: 6.0,
                phases: 3,
            })
            .collect();
        let mut elsewhere = profile(1, Purpose::Tx, 0, &[(0, 6.0)]);
        elsewhere.transaction = Some(2);
        let mut on_connector = profile(1, Purpose::ChargePointMax, 0, &[(0, 6.0)]);
        on_connector.connector = 1;
        for (bad, error) in [
            (
                profile(1, Purpose::TxDefault, 0, &[]),
                ProfileError::Periods,
            ),
            (
                profile(1, Purpose::TxDefault, 0, &[(5, 6.0)]),
                ProfileError::Periods,
            ),
            (
                profile(1, Purpose::TxDefault, 0, &[(0, 6.0), (0, 7.0)]),
                ProfileError::Periods,
            ),
            (many, ProfileError::Periods),
            (
                profile(1, Purpose::TxDefault, 0, &[(0, -1.0)]),
                ProfileError::Limit,
            ),
            (
                profile(1, Purpose::TxDefault, 0, &[(0, f64::NAN)]),
                ProfileError::Limit,
            ),
            (
                profile(1, Purpose::TxDefault, 9, &[(0, 6.0)]),
                ProfileError::StackLevel,
            ),
            (elsewhere, ProfileError::NoTransaction),
            (on_connector, ProfileError::Connector),
        ] {
            let mut profiles = with(std::slice::from_ref(&good));
            assert_eq!(profiles.set(bad, at(0)), Err(error));
            assert_eq!(profiles, with(std::slice::from_ref(&good)));
        }
        let mut full = Profiles::default();
        for id in 0..10 {
            let mut one = profile(id, Purpose::TxDefault, 0, &[(0, 6.0)]);
            one.connector = u32::try_from(id).unwrap();
            full.set(one, at(0)).unwrap();
        }
        let mut one_more = profile(99, Purpose::TxDefault, 1, &[(0, 6.0)]);
        one_more.connector = 99;
        assert_eq!(full.set(one_more, at(0)), Err(ProfileError::Full));
    }
}
