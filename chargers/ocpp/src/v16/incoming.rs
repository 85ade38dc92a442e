//! The calls of a charge point (OCPP 1.6 chapter 4), read tolerantly, and their answers.
//!
//! A call is never refused for a bad or missing field: what cannot be read is missing, and the
//! call is answered all the same. Only an unknown action is refused, with `NotImplemented`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::meter_values::MeterReading;
use crate::{
    time::{self, ReadTime},
    types::{Identity, Status},
    value::{integer_member, member, number, text_member},
};

/// Longest name kept of a vendor, model, firmware or serial number.
const MAX_NAME: usize = 64;

/// A call, as far as it matters here.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Incoming {
    Boot(Identity),
    Heartbeat,
    Status {
        connector: Option<u32>,
        status: Status,
        stamp: Option<ReadTime>,
    },
    Authorize,
    Start {
        connector: Option<u32>,
        energy_wh: Option<u64>,
        stamp: Option<ReadTime>,
    },
    Stop {
        transaction: Option<i32>,
        energy_wh: Option<u64>,
        stamp: Option<ReadTime>,
    },
    MeterValues {
        connector: Option<u32>,
        transaction: Option<i32>,
        reading: Box<MeterReading>,
    },
    DataTransfer,
    /// Told for information; the answer has no fields.
    Notice,
    Unknown,
}

impl Incoming {
    pub(crate) fn read(action: &str, payload: &Value) -> Self {
        let connector = || integer_member(payload, "connectorId").and_then(|id| id.try_into().ok());
        let transaction = || integer_member(payload, "transactionId").filter(|id| *id > 0);
        let stamp = || text_member(payload, "timestamp").and_then(|text| time::read(&text));
        match action {
            "BootNotification" => Self::Boot(identity(payload)),
            "Heartbeat" => Self::Heartbeat,
            "StatusNotification" => Self::Status {
                connector: connector(),
                status: status(&text_member(payload, "status").unwrap_or_default()),
                stamp: stamp(),
            },
            "Authorize" => Self::Authorize,
            "StartTransaction" => Self::Start {
                connector: connector(),
                energy_wh: energy_wh(payload, "meterStart"),
                stamp: stamp(),
            },
            "StopTransaction" => Self::Stop {
                transaction: transaction(),
                energy_wh: energy_wh(payload, "meterStop"),
                stamp: stamp(),
            },
            "MeterValues" => Self::MeterValues {
                connector: connector(),
                transaction: transaction(),
                reading: Box::new(MeterReading::read(payload)),
            },
            "DataTransfer" => Self::DataTransfer,
            "FirmwareStatusNotification"
            | "DiagnosticsStatusNotification"
            | "SecurityEventNotification"
            | "LogStatusNotification"
            | "SignedFirmwareStatusNotification" => Self::Notice,
            _ => Self::Unknown,
        }
    }
}

fn identity(payload: &Value) -> Identity {
    let name = |key| {
        text_member(payload, key).map(|text| {
            text.chars()
                .filter(|c| !c.is_control())
                .take(MAX_NAME)
                .collect()
        })
    };
    Identity {
        vendor: name("chargePointVendor"),
        model: name("chargePointModel"),
        firmware: name("firmwareVersion"),
        serial: name("chargePointSerialNumber").or_else(|| name("chargeBoxSerialNumber")),
    }
}

fn status(word: &str) -> Status {
    const WORDS: [(&str, Status); 9] = [
        ("Available", Status::Available),
        ("Preparing", Status::Preparing),
        ("Charging", Status::Charging),
        ("SuspendedEV", Status::SuspendedEv),
        ("SuspendedEVSE", Status::SuspendedEvse),
        ("Finishing", Status::Finishing),
        ("Reserved", Status::Reserved),
        ("Unavailable", Status::Unavailable),
        ("Faulted", Status::Faulted),
    ];
    WORDS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(word))
        .map_or(Status::Unknown, |(_, status)| *status)
}

fn energy_wh(payload: &Value, name: &str) -> Option<u64> {
    let wh = member(payload, name).and_then(number)?.trunc();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 1e15, checked"
    )]
    (0.0..=1e15).contains(&wh).then_some(wh as u64)
}

/// `BootNotification.conf`.
pub(crate) fn boot_answer(accepted: bool, interval_s: u32, wall: Timestamp) -> Value {
    let status = if accepted { "Accepted" } else { "Pending" };
    json!({"status": status, "currentTime": time::write(wall), "interval": interval_s})
}

/// `Heartbeat.conf`.
pub(crate) fn heartbeat_answer(wall: Timestamp) -> Value {
    json!({"currentTime": time::write(wall)})
}

/// `Authorize.conf`; every tag may charge at a charge point of the house.
pub(crate) fn authorize_answer(adopted: bool) -> Value {
    json!({"idTagInfo": tag_info(adopted)})
}

/// `StartTransaction.conf`.
pub(crate) fn start_answer(adopted: bool, transaction: i32) -> Value {
    json!({"idTagInfo": tag_info(adopted), "transactionId": transaction})
}

fn tag_info(adopted: bool) -> Value {
    json!({"status": if adopted { "Accepted" } else { "Invalid" }})
}

/// `DataTransfer.conf`: no vendor's extensions are spoken.
pub(crate) fn data_transfer_answer() -> Value {
    json!({"status": "UnknownVendorId"})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_known_and_unknown() {
        for (word, want) in [
            ("Charging", Status::Charging),
            ("suspendedev", Status::SuspendedEv),
            ("Occupied", Status::Unknown),
            ("", Status::Unknown),
        ] {
            assert_eq!(status(word), want, "{word}");
        }
    }

    #[test]
    fn an_identity_is_cut_and_free_of_control_characters() {
        let identity = identity(&json!({
            "chargePointVendor": "V\u{7}endor\n", "chargePointModel": "M".repeat(1_000),
            "chargeBoxSerialNumber": 4711, "unexpected": {"x": 1}}));
        assert_eq!(identity.vendor.as_deref(), Some("Vendor"));
        assert_eq!(identity.model.map(|model| model.len()), Some(MAX_NAME));
        assert_eq!(identity.serial.as_deref(), Some("4711"));
        assert_eq!(identity.firmware, None);
    }

    #[test]
    fn bad_fields_are_missing_fields() {
        let start = Incoming::read(
            "StartTransaction",
            &json!({"connectorId": "1", "meterStart": 1.5, "timestamp": ""}),
        );
        assert_eq!(
            start,
            Incoming::Start {
                connector: Some(1),
                energy_wh: Some(1),
                stamp: None
            }
        );
        for (id, want) in [
            (json!(-1), None),
            (json!(null), None),
            (json!("7"), Some(7)),
        ] {
            let stop = Incoming::read(
                "StopTransaction",
                &json!({"transactionId": id, "reason": "?"}),
            );
            assert_eq!(
                stop,
                Incoming::Stop {
                    transaction: want,
                    energy_wh: None,
                    stamp: None
                }
            );
        }
        let odd = Incoming::read("StatusNotification", &json!([1, 2]));
        let status = Status::Unknown;
        assert_eq!(
            odd,
            Incoming::Status {
                connector: None,
                status,
                stamp: None
            }
        );
        assert_eq!(Incoming::read("Teleport", &json!({})), Incoming::Unknown);
    }
}
