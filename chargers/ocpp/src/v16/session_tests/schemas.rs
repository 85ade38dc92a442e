//! Everything that a session writes, against the official schemas in the Python package `ocpp`.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use super::{
    matrix::obedient,
    point::{Manner, Takes},
    world::World,
};
use crate::{
    types::{Operation, Trigger},
    v201::schema_tests::judge,
};

const CALLS: [&str; 11] = [
    "ChangeAvailability",
    "ChangeConfiguration",
    "ClearChargingProfile",
    "DataTransfer",
    "GetCompositeSchedule",
    "GetConfiguration",
    "RemoteStartTransaction",
    "RemoteStopTransaction",
    "Reset",
    "SetChargingProfile",
    "TriggerMessage",
];
const ANSWERS: [&str; 13] = [
    "Authorize",
    "BootNotification",
    "DataTransfer",
    "DiagnosticsStatusNotification",
    "FirmwareStatusNotification",
    "Heartbeat",
    "LogStatusNotification",
    "MeterValues",
    "SecurityEventNotification",
    "SignedFirmwareStatusNotification",
    "StartTransaction",
    "StatusNotification",
    "StopTransaction",
];

/// What a charge point of this manner is sent in its life.
fn life(manner: Manner) -> World {
    let mut world = World::new(manner);
    world.want(16, 3);
    world.pass(Duration::from_mins(1));
    world.want(7, 1);
    world.pass(Duration::from_secs(20));
    let operations = [
        Operation::SetAvailability { operative: true },
        Operation::SetAvailability { operative: false },
        Operation::Reset { hard: true },
        Operation::Reset { hard: false },
        Operation::RemoteStart {
            id_tag: "x".repeat(99),
        },
        Operation::RemoteStop,
        Operation::Trigger(Trigger::BootNotification),
        Operation::Trigger(Trigger::StatusNotification),
        Operation::Trigger(Trigger::MeterValues),
        Operation::Trigger(Trigger::Heartbeat),
        Operation::DataTransfer {
            vendor_id: "v".repeat(999),
            message_id: Some("m".repeat(99)),
            data: Some("data".into()),
        },
        Operation::ClearForeignProfiles,
    ];
    for operation in operations {
        world.operate(&operation);
        world.pass(Duration::from_secs(1));
    }
    for action in ANSWERS {
        world.call(action, &json!({}));
    }
    world.pass(Duration::from_secs(1));
    world
}

/// The judge's lines: version, kind of frame, action, payload.
fn lines(world: &World) -> Vec<Value> {
    let frames = world.sent.iter();
    frames
        .filter_map(|frame| match frame[0].as_u64() {
            Some(2) => Some(json!(["1.6", 2, frame[2], frame[3]])),
            Some(3) => {
                let action = &world.asked[frame[1].as_str()?];
                Some(json!(["1.6", 3, action, frame[2]]))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn every_payload_that_is_sent_is_valid() {
    let mut all = Vec::new();
    let mut manners: Vec<_> = obedient().map(|(_, manner, _)| manner).collect();
    for takes in [Takes::Nothing, Takes::Unknown] {
        manners.push(Manner {
            takes,
            ..Manner::default()
        });
    }
    for manner in manners {
        all.extend(lines(&life(manner)));
    }
    let of = |kind: u64| -> BTreeSet<&str> {
        let lines = all.iter().filter(|line| line[1] == kind);
        lines.filter_map(|line| line[2].as_str()).collect()
    };
    assert_eq!(of(2), BTreeSet::from(CALLS), "each call of ours is there");
    assert_eq!(of(3), BTreeSet::from(ANSWERS), "and each answer");
    let Some((valid, said)) = judge(&all) else {
        return;
    };
    println!("{said}");
    assert!(valid, "{said}");
}

#[test]
fn the_judge_finds_what_is_wrong() {
    let wrong = [
        json!(["1.6", 2, "SetChargingProfile", {"connectorId": 1}]),
        json!(["1.6", 2, "Reset", {"type": "soft"}]),
        json!(["1.6", 2, "ChangeAvailability", {"connectorId": "1", "type": "Operative"}]),
        json!(["1.6", 3, "Heartbeat", {"currentTime": "2026-01-15T12:00:00Z", "more": 1}]),
        json!(["1.6", 2, "DataTransfer", {"vendorId": "v".repeat(256)}]),
        json!(["1.6", 2, "SetChargingProfile", {"connectorId": 1, "csChargingProfiles": {
            "chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Absolute", "chargingSchedule": {"chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.25}]}}}]),
    ];
    for line in wrong {
        let Some((valid, said)) = judge(std::slice::from_ref(&line)) else {
            return;
        };
        assert!(!valid, "{line}: {said}");
    }
}
