//! OCPP-J frames (OCPP-J 1.6 section 4): calls, results and errors as JSON arrays.
//!
//! Reading is tolerant: the message type and the id may be numbers or texts, a missing payload is
//! an empty object, extra elements are ignored. Writing gives exactly the arrays of the standard.

use serde_json::{Value, json};

use crate::value;

/// Longest message id that is accepted and echoed. The standard says 36; some send longer ones.
const MAX_ID: usize = 128;
/// Longest action name that is looked at.
const MAX_ACTION: usize = 64;

/// One frame.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// `[2, id, action, payload]`
    Call {
        /// Chosen by the caller, echoed in the answer.
        id: String,
        /// Name of the message.
        action: String,
        /// Its fields.
        payload: Value,
    },
    /// `[3, id, payload]`
    Result {
        /// Id of the call.
        id: String,
        /// The fields of the answer.
        payload: Value,
    },
    /// `[4, id, code, description, details]`
    Error {
        /// Id of the call.
        id: String,
        /// One of the standard's codes; both spellings of the misspelt ones occur.
        code: String,
        /// Free text.
        description: String,
    },
}

/// Why a text is no frame. Nothing can be answered, because the id is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Not JSON, too deep (128 levels), or a number out of range.
    #[error("the frame is not valid JSON")]
    NotJson,
    /// JSON, but no array with a message type and an id.
    #[error("the frame is not an OCPP-J array")]
    NotAFrame,
    /// A message type other than 2, 3 and 4; to be ignored (OCPP-J 1.6 section 4.1.3).
    #[error("the frame has an unknown message type")]
    UnknownType,
}

/// The error codes of OCPP-J 1.6 (section 4.2.3) that a central system needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// The action is not known.
    NotImplemented,
    /// OCPP 2.0.1: it is not allowed yet.
    SecurityError,
    /// OCPP 2.0.1: the fields are not those of the action.
    FormatViolation,
}

impl ErrorCode {
    const fn name(self) -> &'static str {
        match self {
            Self::NotImplemented => "NotImplemented",
            Self::SecurityError => "SecurityError",
            Self::FormatViolation => "FormatViolation",
        }
    }
}

/// Reads one frame.
///
/// # Errors
/// See [`FrameError`]; the text is then to be dropped.
pub fn read(text: &str) -> Result<Frame, FrameError> {
    let value: Value = serde_json::from_str(text).map_err(|_| FrameError::NotJson)?;
    let Value::Array(elements) = value else {
        return Err(FrameError::NotAFrame);
    };
    let mut elements = elements.into_iter();
    let kind = elements
        .next()
        .as_ref()
        .and_then(value::number)
        .and_then(value::whole);
    let id = elements
        .next()
        .as_ref()
        .and_then(value::text)
        .filter(|id| id.len() <= MAX_ID);
    let (Some(kind), Some(id)) = (kind, id) else {
        return Err(FrameError::NotAFrame);
    };
    match kind {
        2 => {
            let action = elements.next().as_ref().and_then(value::text);
            let action = action.filter(|action| action.len() <= MAX_ACTION);
            let action = action.ok_or(FrameError::NotAFrame)?;
            Ok(Frame::Call {
                id,
                action,
                payload: payload(elements.next()),
            })
        }
        3 => Ok(Frame::Result {
            id,
            payload: payload(elements.next()),
        }),
        4 => {
            let mut next_text = || {
                elements
                    .next()
                    .as_ref()
                    .and_then(value::text)
                    .unwrap_or_default()
            };
            Ok(Frame::Error {
                id,
                code: next_text(),
                description: next_text(),
            })
        }
        _ => Err(FrameError::UnknownType),
    }
}

fn payload(value: Option<Value>) -> Value {
    match value {
        None | Some(Value::Null) => json!({}),
        Some(value) => value,
    }
}

/// Writes a call.
pub fn write_call(id: &str, action: &str, payload: &Value) -> String {
    json!([2, id, action, payload]).to_string()
}

/// Writes the answer to a call.
pub fn write_result(id: &str, payload: &Value) -> String {
    json!([3, id, payload]).to_string()
}

/// Writes the refusal of a call.
pub fn write_error(id: &str, code: ErrorCode, description: &str) -> String {
    json!([4, id, code.name(), description, {}]).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn call(id: &str, action: &str, payload: Value) -> Frame {
        Frame::Call {
            id: id.into(),
            action: action.into(),
            payload,
        }
    }

    #[test]
    fn reads_frames_in_every_dress() {
        let cases = [
            (
                r#"[2,"a","Heartbeat",{}]"#,
                Ok(call("a", "Heartbeat", json!({}))),
            ),
            (
                r#"[2,"a","Heartbeat"]"#,
                Ok(call("a", "Heartbeat", json!({}))),
            ),
            (
                r#"[2,"a","Heartbeat",null]"#,
                Ok(call("a", "Heartbeat", json!({}))),
            ),
            (
                r#"["2",7,"Heartbeat",{},1]"#,
                Ok(call("7", "Heartbeat", json!({}))),
            ),
            (
                r#"[3,"a"]"#,
                Ok(Frame::Result {
                    id: "a".into(),
                    payload: json!({}),
                }),
            ),
            (
                r#"[4,"a","FormatViolation"]"#,
                Ok(Frame::Error {
                    id: "a".into(),
                    code: "FormatViolation".into(),
                    description: String::new(),
                }),
            ),
            ("[6,\"a\",{}]", Err(FrameError::UnknownType)),
            ("[2]", Err(FrameError::NotAFrame)),
            ("[2,null,\"Heartbeat\",{}]", Err(FrameError::NotAFrame)),
            ("{}", Err(FrameError::NotAFrame)),
            ("", Err(FrameError::NotJson)),
            (
                "[2,\"a\",\"Heartbeat\",{\"x\":1e999}]",
                Err(FrameError::NotJson),
            ),
        ];
        for (text, want) in cases {
            assert_eq!(read(text), want, "{text}");
        }
    }

    #[test]
    fn refuses_deep_json_and_long_ids() {
        let deep = format!("[2,\"a\",\"Heartbeat\",{}]", "[".repeat(1_000_000));
        assert_eq!(read(&deep), Err(FrameError::NotJson));
        let long = format!("[2,\"{}\",\"Heartbeat\",{{}}]", "i".repeat(129));
        assert_eq!(read(&long), Err(FrameError::NotAFrame));
    }

    #[test]
    fn writes_what_the_standard_shows() {
        assert_eq!(
            write_call("1", "Reset", &json!({"type":"Soft"})),
            r#"[2,"1","Reset",{"type":"Soft"}]"#
        );
        assert_eq!(write_result("1", &json!({})), r#"[3,"1",{}]"#);
        assert_eq!(
            write_error("1", ErrorCode::NotImplemented, "no"),
            r#"[4,"1","NotImplemented","no",{}]"#
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in ".*") {
            drop(read(&text));
        }

        #[test]
        fn what_is_written_is_read_back(id in "[a-z0-9-]{1,36}", action in "[A-Z][a-z]{1,20}") {
            let frame = read(&write_call(&id, &action, &json!({"a": 1}))).unwrap();
            prop_assert_eq!(frame, Frame::Call { id, action, payload: json!({"a": 1}) });
        }
    }
}
