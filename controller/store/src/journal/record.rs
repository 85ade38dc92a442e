//! What is told to the journal, and the shapes in which it is read again.

use std::sync::Arc;

use headroom_core::event::Outcome;
use headroom_core::{Action, Checkpoint, Event, Instant, Reason, Snapshot};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::energy::EnergyRow;

/// One record in the writer's queue. Numbers are given before, so that order and gaps can be seen.
#[derive(Debug)]
pub(super) enum Record {
    /// An input on which nothing was decided.
    Event {
        seq: i64,
        time: Timestamp,
        t: Instant,
        event: Event,
    },
    /// An input and what was decided on it: written together, or neither.
    Decision {
        seq: i64,
        decision: Arc<Decision>,
        event: Event,
        snapshot: Arc<Snapshot>,
    },
    Sent {
        command: u64,
        at: Timestamp,
    },
    Answered {
        command: u64,
        outcome: Outcome,
        at: Timestamp,
    },
    Seen {
        command: u64,
        at: Timestamp,
    },
    Alarm(Alarm),
    Checkpoint {
        seq: i64,
        decision: i64,
        time: Timestamp,
        t: Instant,
        checkpoint: Box<Checkpoint>,
    },
    Energy(Vec<EnergyRow>),
}

impl Record {
    /// The number of the decision that it is.
    pub(super) fn decision(&self) -> Option<i64> {
        match self {
            Self::Decision { decision, .. } => Some(decision.id),
            _ => None,
        }
    }
}

/// One step of the engine that acted or changed state, as the loop tells it.
#[derive(Debug)]
pub struct Step {
    /// The event that led to it.
    pub event: Event,
    /// Time of day of the step.
    pub time: Timestamp,
    /// What the engine wants done.
    pub actions: Vec<Action>,
    /// The engine after the step: its state, its reason, and what it saw.
    pub snapshot: Arc<Snapshot>,
    /// Whether the state is another one than before.
    pub state_changed: bool,
    /// In observe mode: loads to which something new would have been told.
    pub would_be: Vec<String>,
}

/// A decision as `GET /decisions` has it (contract, section 5).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decision {
    /// Its number; grows.
    pub id: i64,
    /// Time of day.
    #[serde(serialize_with = "crate::times::one")]
    pub time: Timestamp,
    /// The engine's own time.
    pub t_ms: Instant,
    /// Path in the state machine after it.
    pub state: String,
    /// Why.
    pub reason: Reason,
    /// What was commanded, and what became of it.
    pub actions: Vec<DecisionAction>,
    /// The event, and the lines and loads as the engine saw them; only where one decision is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Value>,
    /// Whether it did nothing but renew leases.
    #[serde(skip)]
    pub renewal_only: bool,
    /// Loads to which something would have been told; kept so that they are found, and not read again.
    #[serde(skip)]
    pub(super) would_be: Vec<String>,
}

/// A reason as the journal writes it: with the loads that it tells of where nothing is commanded. Who compares bytes with a
/// journal writes them so too.
#[derive(Debug, Serialize)]
pub struct WrittenReason<'a> {
    /// Why.
    #[serde(flatten)]
    pub reason: &'a Reason,
    /// In observe mode: loads to which something new would have been told.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub would_be: &'a [String],
}

/// A command and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DecisionAction {
    /// The command.
    #[serde(flatten)]
    pub action: Action,
    /// What the device answered; `None` is `pending` on the wire.
    #[serde(serialize_with = "pending_or")]
    pub outcome: Option<Outcome>,
    /// When it was given to the device.
    #[serde(serialize_with = "crate::times::maybe")]
    pub sent_at: Option<Timestamp>,
    /// When the device answered.
    #[serde(serialize_with = "crate::times::maybe")]
    pub acknowledged_at: Option<Timestamp>,
    /// When the measured current was first seen to follow.
    #[serde(serialize_with = "crate::times::maybe")]
    pub seen_at: Option<Timestamp>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    clippy::ref_option,
    reason = "the shape that serde calls"
)]
fn pending_or<S: serde::Serializer>(outcome: &Option<Outcome>, to: S) -> Result<S::Ok, S::Error> {
    match outcome {
        Some(outcome) => outcome.serialize(to),
        None => to.serialize_str("pending"),
    }
}

impl Decision {
    pub(super) fn new(id: i64, step: &Step) -> Self {
        let actions: Vec<_> = step
            .actions
            .iter()
            .map(|action| DecisionAction {
                action: action.clone(),
                outcome: None,
                sent_at: None,
                acknowledged_at: None,
                seen_at: None,
            })
            .collect();
        let renewal_only = !step.state_changed
            && !actions.is_empty()
            && actions.iter().all(|action| action.action.renewal);
        Self {
            id,
            time: milliseconds(step.time),
            t_ms: step.snapshot.at,
            state: step.snapshot.state.to_owned(),
            reason: step.snapshot.reason.clone(),
            actions,
            inputs: None,
            renewal_only,
            would_be: step.would_be.clone(),
        }
    }
}

/// An alarm as `GET /alarms` and the status have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alarm {
    /// Its number; grows.
    pub id: i64,
    /// A stable code; those about the meter begin with `meter_`.
    pub code: String,
    /// The load that it is about.
    pub load: Option<String>,
    /// Since when.
    #[serde(serialize_with = "crate::times::one")]
    pub since: Timestamp,
    /// Until when; `None`: it is still so.
    #[serde(serialize_with = "crate::times::maybe")]
    pub until: Option<Timestamp>,
    /// What happened, what was done, what to do.
    pub text: String,
}

/// An input of the engine, for replay.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalInput {
    /// Its number within the run; a missing number is a record that was dropped or thinned out.
    pub seq: i64,
    /// The engine's own time.
    pub t: Instant,
    /// Time of day.
    pub time: Timestamp,
    /// The input itself, or why its row cannot be read.
    pub event: Result<Event, String>,
}

/// A decision as it stands in the journal, for replay: what must come out again, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedDecision {
    /// Its number; grows by one from decision to decision.
    pub id: i64,
    /// The input that led to it.
    pub seq: i64,
    /// The engine's own time.
    pub t: Instant,
    /// Time of day.
    pub time: Timestamp,
    /// Path in the state machine after it.
    pub state: String,
    /// Why, as JSON.
    pub reason: String,
    /// What was commanded, each as JSON.
    pub actions: Vec<String>,
}

/// Where a checkpoint stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointMark {
    /// The input after which it was taken.
    pub seq: i64,
    /// The engine's own time.
    pub t: Instant,
    /// Time of day.
    pub time: Timestamp,
    /// The highest number of a decision given before it.
    pub decision: i64,
    /// The program's version that took it.
    pub version: String,
}

/// Some rows, and where the next ones begin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The cursor of the next page; `None` if there is none.
    pub next: Option<String>,
}

/// Databases keep milliseconds; what is told live has the same.
pub(super) fn milliseconds(time: Timestamp) -> Timestamp {
    from_ms(time.as_millisecond())
}

pub(super) fn from_ms(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or_default()
}
