//! A difference, with both sides.

use headroom_core::{Actions, Engine, Instant};
use headroom_store::{RecordedDecision, WrittenReason};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// Something that did not come out again.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    /// Which run.
    pub run: i64,
    /// The input that led to it.
    pub seq: i64,
    /// The engine's own time.
    pub t_ms: Instant,
    /// Time of day.
    #[serde(serialize_with = "headroom_store::times::one")]
    pub time: Timestamp,
    /// The version that recorded it.
    pub version: String,
    /// The input itself; `null` where the state differs.
    pub event: Option<Value>,
    /// What the journal has; `null`: no decision.
    pub recorded: Option<Side>,
    /// What the engine does; `null`: no decision.
    pub replayed: Option<Side>,
    /// Where all decisions are the same and the engine's state is another one.
    pub state: Option<StateDifference>,
}

/// One side of a difference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    /// The number of the decision, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<i64>,
    /// Path in the state machine.
    pub state: String,
    /// Why.
    pub reason: Value,
    /// What is commanded.
    pub actions: Vec<Value>,
}

/// The first place in the engine's state that is another one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StateDifference {
    /// The path of the field.
    pub path: String,
    /// What the checkpoint has.
    pub recorded: Value,
    /// What the engine has.
    pub replayed: Value,
}

/// A decision as text, to be compared byte for byte.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decided {
    t: Instant,
    state: String,
    reason: String,
    actions: Vec<String>,
}

impl Decided {
    /// What the engine did in a step that acted or changed state.
    pub(crate) fn by(engine: &Engine, actions: &Actions) -> Result<Self, serde_json::Error> {
        let reason = WrittenReason {
            reason: &engine.snapshot().reason,
            would_be: &actions.would_be,
        };
        Ok(Self {
            t: actions.t_ms,
            state: actions.state.to_owned(),
            reason: serde_json::to_string(&reason)?,
            actions: actions
                .actions
                .iter()
                .map(serde_json::to_string)
                .collect::<Result<_, _>>()?,
        })
    }

    pub(crate) fn recorded(decision: &RecordedDecision) -> Self {
        Self {
            t: decision.t,
            state: decision.state.clone(),
            reason: decision.reason.clone(),
            actions: decision.actions.clone(),
        }
    }

    pub(crate) fn side(&self, decision: Option<i64>) -> Side {
        Side {
            decision,
            state: self.state.clone(),
            reason: readable(&self.reason),
            actions: self.actions.iter().map(|text| readable(text)).collect(),
        }
    }
}

/// Text as JSON; what is none stays the text that it is.
fn readable(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

/// The first place where two states differ; `None` if they do not.
pub(crate) fn states(recorded: &str, replayed: &str) -> Option<StateDifference> {
    (recorded != replayed).then(|| {
        let (recorded, replayed) = (readable(recorded), readable(replayed));
        first(String::new(), &recorded, &replayed).unwrap_or(StateDifference {
            path: String::new(),
            recorded,
            replayed,
        })
    })
}

fn first(path: String, recorded: &Value, replayed: &Value) -> Option<StateDifference> {
    if recorded == replayed {
        return None;
    }
    let within = match (recorded, replayed) {
        (Value::Object(one), Value::Object(other)) if one.keys().eq(other.keys()) => one
            .iter()
            .zip(other.values())
            .find_map(|((key, one), other)| first(format!("{path}/{key}"), one, other)),
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => one
            .iter()
            .zip(other)
            .enumerate()
            .find_map(|(index, (one, other))| first(format!("{path}/{index}"), one, other)),
        _ => None,
    };
    within.or_else(|| {
        Some(StateDifference {
            path,
            recorded: recorded.clone(),
            replayed: replayed.clone(),
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_place_of_two_states_is_found() {
        let same = json!({"a": [1, {"b": null}], "c": 2}).to_string();
        assert_eq!(states(&same, &same), None);
        let other = json!({"a": [1, {"b": 5}], "c": 3}).to_string();
        let found = states(&same, &other).unwrap();
        assert_eq!(found.path, "/a/1/b");
        assert_eq!((found.recorded, found.replayed), (Value::Null, json!(5)));
        let longer = json!({"a": [1, {"b": null}, 4], "c": 2}).to_string();
        assert_eq!(states(&same, &longer).unwrap().path, "/a");
        assert_eq!(states("not json", &same).unwrap().path, "");
    }
}
