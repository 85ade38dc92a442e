//! What a device that is asked and told must be able to do.

use std::{fmt::Debug, time::Duration};

use headroom_core::{
    event::ChargerStatus,
    trial::Guard,
    units::{Milliamps, WattHours, Watts},
};
use tower::BoxError;

/// A charger or relay that answers when it is asked and does what it is told: HTTP, Modbus, MQTT.
///
/// The task of [`super::Polled`] calls one method at a time. It drops the future of a call when
/// something more urgent comes (a reduction), so a late answer to a dropped call must not be taken
/// for the answer to the next one. Every call ends by itself within a few seconds.
pub(crate) trait PolledDevice: Debug + Send + 'static {
    /// Gives an order. `Ok` means that the device said yes, not that it obeys.
    ///
    /// What the device cannot set exactly is rounded down; what is below its least current is a pause.
    fn tell(&mut self, order: &Order) -> impl Future<Output = Result<(), CallError>> + Send;

    /// Asks for everything there is to know. What the device does not say is `None`, never 0.
    fn read(&mut self) -> impl Future<Output = Result<Seen, CallError>> + Send;

    /// How it wants to be written.
    fn pace(&self) -> Pace {
        Pace::default()
    }

    /// Whether a question alone keeps it from falling to its safe current: what guards it counts any word.
    fn is_kept_awake_by_questions(&self) -> bool {
        false
    }

    /// A time of its own after which it falls when it is not written, in seconds, as far as that is known.
    fn own_time_s(&self) -> Option<u32> {
        None
    }

    /// Whether what it was told runs out there; `None`: that is not known yet.
    fn falls_by_itself(&self) -> Option<bool> {
        // What is not told again has nothing that runs out.
        Some(!matches!(self.pace().repeat, Repeat::Needless))
    }

    /// What is known of how it falls back.
    fn guard(&self) -> Guard {
        Guard {
            unasked: self.is_kept_awake_by_questions(),
            own_s: self.own_time_s(),
        }
    }

    /// Whether it can be told now how many phases to use.
    fn switches_phases(&self) -> bool {
        false
    }
}

/// Whether a device is left alone, to see what it does then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alone {
    /// It is not.
    No,
    /// Nothing is written to it. It is asked.
    Untold,
    /// Nothing is written to it, and one that a question would keep awake is not asked.
    Unasked,
}

/// An order for a device. The newest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// A charger's limit.
    Limit {
        /// Limit per phase; 0 pauses.
        limit: Milliamps,
        /// How many phases the charger shall use; 0 if that is not known.
        phases: u8,
        /// Seconds after which the charger must fall to `safe`, if it can do that by itself.
        lease_s: u32,
        /// Where it falls to.
        safe: Milliamps,
    },
    /// A relay.
    Switch {
        /// Closed or open.
        on: bool,
        /// Seconds after which a closed relay must open, if it can do that by itself.
        lease_s: u32,
    },
}

impl Order {
    /// Whether it takes anything away that `before` gave.
    pub(crate) const fn reduces(&self, before: &Self) -> bool {
        match (self, before) {
            (
                Self::Limit { limit, phases, .. },
                Self::Limit {
                    limit: limit_before,
                    phases: phases_before,
                    ..
                },
            ) => limit.0 < limit_before.0 || *phases < *phases_before,
            (Self::Switch { on, .. }, Self::Switch { on: on_before, .. }) => !*on && *on_before,
            _ => true,
        }
    }

    /// For how many phases it is; 0: that is not known, or it is for a relay.
    pub(crate) const fn phases(&self) -> u8 {
        match self {
            Self::Limit { phases, .. } => *phases,
            Self::Switch { .. } => 0,
        }
    }

    /// Whether its limit is lower than that of `before`, on whatever phases.
    pub(crate) const fn lowers(&self, before: &Self) -> bool {
        match (self, before) {
            (Self::Limit { limit, .. }, Self::Limit { limit: was, .. }) => limit.0 < was.0,
            _ => true,
        }
    }

    /// Whether it says the same again. Leases may differ.
    pub(crate) const fn repeats(&self, before: &Self) -> bool {
        match (self, before) {
            (
                Self::Limit { limit, phases, .. },
                Self::Limit {
                    limit: limit_before,
                    phases: phases_before,
                    ..
                },
            ) => limit.0 == limit_before.0 && *phases == *phases_before,
            (Self::Switch { on, .. }, Self::Switch { on: on_before, .. }) => *on == *on_before,
            _ => false,
        }
    }

    /// How long it holds without a renewal.
    pub(crate) const fn lease(&self) -> Duration {
        match self {
            Self::Limit { lease_s, .. } | Self::Switch { lease_s, .. } => {
                Duration::from_secs(*lease_s as u64)
            }
        }
    }

    /// What holds when the lease has run out: the safe current, and never more than it was before.
    pub(crate) const fn when_it_ends(&self) -> Self {
        match *self {
            Self::Limit {
                limit,
                phases,
                lease_s,
                safe,
            } => Self::Limit {
                limit: if limit.0 < safe.0 { limit } else { safe },
                phases,
                lease_s,
                safe,
            },
            Self::Switch { lease_s, .. } => Self::Switch { on: false, lease_s },
        }
    }
}

/// What a device says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    /// A charger.
    Charger {
        /// State of its connector.
        status: ChargerStatus,
        /// Current at each terminal in its own order; `None` where it does not say.
        current_a: Option<Vec<Option<Milliamps>>>,
        /// The limit that is in force, per phase; 0 when it is paused.
        limit: Option<Milliamps>,
        /// Energy of the session or its register.
        energy: Option<WattHours>,
    },
    /// A relay.
    SlowLoad {
        /// Whether it is closed.
        on: Option<bool>,
        /// What flows through it.
        power_w: Option<Watts>,
    },
}

impl Seen {
    /// The same device, of which only the state is known.
    pub(crate) const fn without_values(&self) -> Self {
        match self {
            Self::Charger { status, .. } => Self::Charger {
                status: *status,
                current_a: None,
                limit: None,
                energy: None,
            },
            Self::SlowLoad { .. } => Self::SlowLoad {
                on: None,
                power_w: None,
            },
        }
    }
}

/// How a device wants to be written. Nothing here holds up a reduction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// Least time between two writes.
    pub(crate) gap: Duration,
    /// Writes that its memory bears in a day; `None`: any number.
    pub(crate) writes_per_day: Option<u32>,
    /// What happens to an order that says the same again.
    pub(crate) repeat: Repeat,
    /// How often it is read; `None`: as often as the settings of the program say.
    pub(crate) poll_every: Option<Duration>,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            gap: Duration::ZERO,
            writes_per_day: None,
            repeat: Repeat::Always,
            poll_every: None,
        }
    }
}

/// What happens to an order that says the same again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It is written: the device counts down a time that only a renewal winds up again.
    Always,
    /// It is not written while the device is seen to have it in force.
    Needless,
    /// The last order is written again this often, for as long as its lease is renewed, because
    /// the device has a watchdog of its own.
    Every(Duration),
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// No answer in time, or no connection: the device may have done it or not.
    #[error("no answer")]
    NoAnswer(#[source] BoxError),
    /// It wants a password that it was not given.
    #[error("the device refuses the password; enter the one that is set in the device")]
    Password,
    /// It said no; in its own words or its status.
    #[error("the device refused: {0}")]
    Refused(String),
    /// It said something that cannot be understood; what.
    #[error("the device's answer cannot be understood: {0}")]
    Strange(String),
}

/// Causes of causes that are told.
const CAUSES: usize = 5;

impl CallError {
    /// What happened, with its causes.
    pub(crate) fn in_words(&self) -> String {
        let mut words = self.to_string();
        let mut cause = std::error::Error::source(self);
        for _ in 0..CAUSES {
            let Some(error) = cause else { break };
            words = format!("{words}: {error}");
            cause = error.source();
        }
        words
    }
}
