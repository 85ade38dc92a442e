//! The calls of a charging station (OCPP 2.0.1 part 2, chapter 1 of the messages), read tolerantly,
//! and their answers.
//!
//! A call is never refused for a bad or missing field: what cannot be read is missing, and the call
//! is answered all the same. Only an unknown action is refused, and a boot in the words of 1.6: a
//! station that does not know which version it speaks cannot be set up.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::meter_values;
use crate::{
    time::{self, ReadTime},
    types::{Identity, Status},
    v16::meter_values::MeterReading,
    value::{integer_member, member, number, text_member},
};

/// Longest name kept of a vendor, model, firmware or serial number.
const MAX_NAME: usize = 64;
/// Longest id of a transaction (`TransactionType`); a longer one could not be written back.
const MAX_TRANSACTION_ID: usize = 36;
/// Most events of one `NotifyEvent` that are looked at.
const MAX_EVENTS: usize = 100;
/// Most profiles of one `ReportChargingProfiles` that are looked at.
const MAX_PROFILES: usize = 100;

/// State of a connector (`ConnectorStatusEnumType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plug {
    Available,
    Occupied,
    Reserved,
    Unavailable,
    Faulted,
    /// A word that the standard does not know.
    Unknown,
}

/// Where a state is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// 0 or missing is the whole station where the message allows it.
    pub(crate) evse: Option<u32>,
    pub(crate) connector: Option<u32>,
}

/// `TransactionEventEnumType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Started,
    Updated,
    Ended,
}

/// What a `TransactionEvent` tells.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TransactionEvent {
    pub(crate) phase: Phase,
    pub(crate) evse: Option<u32>,
    pub(crate) transaction: Option<String>,
    /// `chargingState` in the words that both versions share.
    pub(crate) state: Option<Status>,
    /// It was kept while the connection was down.
    pub(crate) offline: bool,
    /// It carries a token, which is to be answered.
    pub(crate) has_token: bool,
    pub(crate) stamp: Option<ReadTime>,
    pub(crate) reading: MeterReading,
}

/// A profile that a station reports (`ReportChargingProfiles`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reported {
    pub(crate) id: i64,
    /// Whether a central system wrote it, and so may take it away.
    pub(crate) removable: bool,
}

/// A call, as far as it matters here.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Incoming {
    Boot(Identity),
    /// A boot in the words of 1.6.
    OtherVersion,
    Heartbeat,
    Status {
        plugs: Vec<(Place, Plug)>,
        stamp: Option<ReadTime>,
    },
    Authorize,
    Transaction(Box<TransactionEvent>),
    MeterValues {
        evse: Option<u32>,
        reading: Box<MeterReading>,
    },
    Profiles {
        request: Option<i32>,
        evse: Option<u32>,
        profiles: Vec<Reported>,
    },
    /// Another system limits the station: what it calls itself.
    OtherLimit(String),
    ChargingNeeds,
    ChargingSchedule,
    SignCertificate,
    DataTransfer,
    /// Told for information; the answer has no fields.
    Notice,
    Unknown,
}

impl Incoming {
    pub(crate) fn read(action: &str, payload: &Value) -> Self {
        let stamp = || text_member(payload, "timestamp").and_then(|text| time::read(&text));
        let evse = || id_member(payload, "evseId");
        match action {
            "BootNotification" => boot(payload),
            "Heartbeat" => Self::Heartbeat,
            "StatusNotification" => {
                let place = Place {
                    evse: evse(),
                    connector: id_member(payload, "connectorId"),
                };
                let word = text_member(payload, "connectorStatus")
                    .or_else(|| text_member(payload, "status"))
                    .unwrap_or_default();
                Self::Status {
                    plugs: vec![(place, plug(&word))],
                    stamp: stamp(),
                }
            }
            "NotifyEvent" => Self::Status {
                plugs: events(payload),
                stamp: text_member(payload, "generatedAt").and_then(|text| time::read(&text)),
            },
            "Authorize" => Self::Authorize,
            "TransactionEvent" => Self::Transaction(Box::new(transaction(payload, stamp()))),
            "MeterValues" => Self::MeterValues {
                evse: evse(),
                reading: Box::new(meter_values::read(payload)),
            },
            "ReportChargingProfiles" => Self::Profiles {
                request: integer_member(payload, "requestId"),
                evse: evse(),
                profiles: profiles(payload),
            },
            "NotifyChargingLimit" => {
                let limit = member(payload, "chargingLimit").unwrap_or(payload);
                let source = text_member(limit, "chargingLimitSource");
                Self::OtherLimit(printable(&source.unwrap_or_else(|| "unknown".into())))
            }
            "NotifyEVChargingNeeds" => Self::ChargingNeeds,
            "NotifyEVChargingSchedule" => Self::ChargingSchedule,
            "SignCertificate" => Self::SignCertificate,
            "DataTransfer" => Self::DataTransfer,
            "ClearedChargingLimit"
            | "FirmwareStatusNotification"
            | "LogStatusNotification"
            | "NotifyCustomerInformation"
            | "NotifyDisplayMessages"
            | "NotifyMonitoringReport"
            | "NotifyPriorityCharging"
            | "NotifyReport"
            | "PublishFirmwareStatusNotification"
            | "ReservationStatusUpdate"
            | "SecurityEventNotification" => Self::Notice,
            _ => Self::Unknown,
        }
    }
}

/// An id from 0 up.
fn id_member(object: &Value, name: &str) -> Option<u32> {
    integer_member(object, name).and_then(|id| id.try_into().ok())
}

fn boot(payload: &Value) -> Incoming {
    let Some(station) = member(payload, "chargingStation") else {
        // Without a word on the station at all it is a boot with missing fields.
        return if member(payload, "chargePointVendor").is_some() {
            Incoming::OtherVersion
        } else {
            Incoming::Boot(Identity::default())
        };
    };
    let name = |key| text_member(station, key).map(|text| printable(&text));
    Incoming::Boot(Identity {
        vendor: name("vendorName"),
        model: name("model"),
        firmware: name("firmwareVersion"),
        serial: name("serialNumber"),
    })
}

fn printable(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(MAX_NAME)
        .collect()
}

fn plug(word: &str) -> Plug {
    const WORDS: [(&str, Plug); 5] = [
        ("Available", Plug::Available),
        ("Occupied", Plug::Occupied),
        ("Reserved", Plug::Reserved),
        ("Unavailable", Plug::Unavailable),
        ("Faulted", Plug::Faulted),
    ];
    WORDS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(word))
        .map_or(Plug::Unknown, |(_, plug)| *plug)
}

/// Connector states among the events of the device model: stations may send them this way instead
/// of by `StatusNotification` (use case G01).
fn events(payload: &Value) -> Vec<(Place, Plug)> {
    let Some(Value::Array(events)) = member(payload, "eventData") else {
        return Vec::new();
    };
    events.iter().take(MAX_EVENTS).filter_map(event).collect()
}

fn event(event: &Value) -> Option<(Place, Plug)> {
    let component = member(event, "component")?;
    let variable = text_member(member(event, "variable")?, "name")?;
    if !variable.eq_ignore_ascii_case("AvailabilityState") {
        return None;
    }
    let name = text_member(component, "name")?;
    let evse = member(component, "evse");
    let place = if name.eq_ignore_ascii_case("ChargingStation") {
        Place {
            evse: Some(0),
            connector: None,
        }
    } else if name.eq_ignore_ascii_case("Connector") || name.eq_ignore_ascii_case("EVSE") {
        Place {
            evse: evse.and_then(|evse| id_member(evse, "id")),
            connector: evse.and_then(|evse| id_member(evse, "connectorId")),
        }
    } else {
        return None;
    };
    Some((place, plug(&text_member(event, "actualValue")?)))
}

fn transaction(payload: &Value, stamp: Option<ReadTime>) -> TransactionEvent {
    let phase = match text_member(payload, "eventType").as_deref() {
        Some(word) if word.eq_ignore_ascii_case("Started") => Phase::Started,
        Some(word) if word.eq_ignore_ascii_case("Ended") => Phase::Ended,
        _ => Phase::Updated,
    };
    let info = member(payload, "transactionInfo").unwrap_or(payload);
    let offline = text_member(payload, "offline");
    TransactionEvent {
        phase,
        evse: member(payload, "evse")
            .and_then(|evse| id_member(evse, "id"))
            .or_else(|| id_member(payload, "evseId")),
        transaction: text_member(info, "transactionId")
            .filter(|id| id.chars().count() <= MAX_TRANSACTION_ID),
        state: text_member(info, "chargingState").map(|word| charging_state(&word)),
        offline: offline.is_some_and(|word| word.eq_ignore_ascii_case("true")),
        has_token: member(payload, "idToken").is_some(),
        stamp,
        reading: meter_values::read(payload),
    }
}

/// `ChargingStateEnumType`; an unknown word is a car that may draw.
fn charging_state(word: &str) -> Status {
    const WORDS: [(&str, Status); 5] = [
        ("Charging", Status::Charging),
        ("EVConnected", Status::Preparing),
        ("SuspendedEV", Status::SuspendedEv),
        ("SuspendedEVSE", Status::SuspendedEvse),
        // No cable between station and car, or not any more.
        ("Idle", Status::Preparing),
    ];
    WORDS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(word))
        .map_or(Status::Unknown, |(_, status)| *status)
}

fn profiles(payload: &Value) -> Vec<Reported> {
    let by_central_system = text_member(payload, "chargingLimitSource")
        .is_none_or(|source| source.eq_ignore_ascii_case("CSO"));
    let Some(Value::Array(profiles)) = member(payload, "chargingProfile") else {
        return Vec::new();
    };
    profiles
        .iter()
        .take(MAX_PROFILES)
        .filter_map(|profile| {
            let id = member(profile, "id").and_then(number)?;
            let purpose = text_member(profile, "chargingProfilePurpose").unwrap_or_default();
            #[expect(
                clippy::cast_possible_truncation,
                reason = "compared and written back only"
            )]
            Some(Reported {
                id: id as i64,
                // Constraints from outside cannot be cleared (K10.FR.06).
                removable: by_central_system
                    && !purpose.eq_ignore_ascii_case("ChargingStationExternalConstraints"),
            })
        })
        .collect()
}

/// `BootNotificationResponse`.
pub(crate) fn boot_answer(accepted: bool, interval_s: u32, wall: Timestamp) -> Value {
    let status = if accepted { "Accepted" } else { "Pending" };
    json!({"status": status, "currentTime": time::write(wall), "interval": interval_s})
}

/// `HeartbeatResponse`.
pub(crate) fn heartbeat_answer(wall: Timestamp) -> Value {
    json!({"currentTime": time::write(wall)})
}

/// `AuthorizeResponse`, and the answer to a token of a transaction: every token may charge at a
/// station of the house.
pub(crate) fn token_answer() -> Value {
    json!({"idTokenInfo": {"status": "Accepted"}})
}

/// `DataTransferResponse`: no vendor's extensions are spoken.
pub(crate) fn data_transfer_answer() -> Value {
    json!({"status": "UnknownVendorId"})
}

#[cfg(test)]
mod tests;
