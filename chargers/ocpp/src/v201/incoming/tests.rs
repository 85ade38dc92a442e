use super::*;

#[test]
fn who_it_is() {
    let boot = Incoming::read(
        "BootNotification",
        &json!({"reason": "PowerUp", "chargingStation": {"vendorName": "V\u{7}endor",
            "model": "M".repeat(1_000), "serialNumber": 4711, "modem": {"iccid": "1"}}}),
    );
    let Incoming::Boot(identity) = boot else {
        panic!("{boot:?}")
    };
    assert_eq!(identity.vendor.as_deref(), Some("Vendor"));
    assert_eq!(identity.model.map(|model| model.len()), Some(MAX_NAME));
    assert_eq!(identity.serial.as_deref(), Some("4711"));
    let old = json!({"chargePointVendor": "V", "chargePointModel": "M"});
    assert_eq!(
        Incoming::read("BootNotification", &old),
        Incoming::OtherVersion
    );
    assert_eq!(
        Incoming::read("BootNotification", &json!({})),
        Incoming::Boot(Identity::default())
    );
}

#[test]
fn states_by_notification_and_by_event() {
    let place = |evse, connector| Place {
        evse: Some(evse),
        connector,
    };
    let plugs = |action, payload| match Incoming::read(action, &payload) {
        Incoming::Status { plugs, .. } => plugs,
        other => panic!("{other:?}"),
    };
    let status = json!({"timestamp": "2026-01-15T12:00:00Z", "connectorStatus": "occupied",
        "evseId": "1", "connectorId": 1});
    assert_eq!(
        plugs("StatusNotification", status),
        [(place(1, Some(1)), Plug::Occupied)]
    );
    let strange = json!({"connectorStatus": "Charging?", "evseId": 1});
    assert_eq!(
        plugs("StatusNotification", strange),
        [(place(1, None), Plug::Unknown)]
    );
    let availability = |name: &str, value: &str| {
        json!({"eventId": 1, "actualValue": value, "component": {"name": name,
            "evse": {"id": 2, "connectorId": 1}}, "variable": {"name": "AvailabilityState"}})
    };
    let events = json!({"generatedAt": "2026-01-15T12:00:00Z", "seqNo": 0, "eventData": [
        availability("Connector", "Faulted"), availability("ChargingStation", "Unavailable"),
        availability("Fan", "Faulted"),
        {"component": {"name": "EVSE"}, "variable": {"name": "Power"}, "actualValue": "7"}, 7]});
    assert_eq!(
        plugs("NotifyEvent", events),
        [
            (place(2, Some(1)), Plug::Faulted),
            (place(0, None), Plug::Unavailable)
        ]
    );
}

#[test]
fn a_transaction_event_in_whole_and_in_pieces() {
    let read = |payload: Value| match Incoming::read("TransactionEvent", &payload) {
        Incoming::Transaction(event) => *event,
        other => panic!("{other:?}"),
    };
    let event = read(
        json!({"eventType": "Started", "timestamp": "2026-01-15T12:00:00Z",
        "triggerReason": "CablePluggedIn", "seqNo": 0, "offline": true,
        "transactionInfo": {"transactionId": "tx-1", "chargingState": "SuspendedEVSE"},
        "evse": {"id": 1, "connectorId": 1}, "idToken": {"idToken": "A", "type": "Local"},
        "meterValue": [{"timestamp": "2026-01-15T12:00:00Z", "sampledValue": [{"value": 5}]}]}),
    );
    assert_eq!(
        (event.phase, event.evse, event.transaction.as_deref()),
        (Phase::Started, Some(1), Some("tx-1"))
    );
    assert_eq!(event.state, Some(Status::SuspendedEvse));
    assert!(event.offline && event.has_token && event.stamp.is_some());
    assert_eq!(event.reading.energy_wh, Some(5));

    let pieces = read(json!({"eventType": 7, "offline": "false", "evse": null,
        "transactionInfo": {"transactionId": "x".repeat(37), "chargingState": "Dreaming"}}));
    assert_eq!(
        (
            pieces.phase,
            pieces.evse,
            pieces.transaction,
            pieces.offline
        ),
        (Phase::Updated, None, None, false)
    );
    assert_eq!(
        pieces.state,
        Some(Status::Unknown),
        "connected, and may draw"
    );
    assert_eq!(read(json!([])).state, None);
}

#[test]
fn profiles_of_others() {
    let read = |source: &str| {
        let payload = json!({"requestId": 5, "chargingLimitSource": source, "evseId": 1,
            "chargingProfile": [
                {"id": 77, "chargingProfilePurpose": "TxDefaultProfile"},
                {"id": -9, "chargingProfilePurpose": "ChargingStationExternalConstraints"},
                {"chargingProfilePurpose": "TxProfile"}, 7]});
        match Incoming::read("ReportChargingProfiles", &payload) {
            Incoming::Profiles { profiles, .. } => profiles,
            other => panic!("{other:?}"),
        }
    };
    let profile = |id, removable| Reported { id, removable };
    assert_eq!(read("CSO"), [profile(77, true), profile(-9, false)]);
    assert_eq!(read("EMS"), [profile(77, false), profile(-9, false)]);
    let limit = json!({"chargingLimit": {"chargingLimitSource": "EMS"}});
    assert_eq!(
        Incoming::read("NotifyChargingLimit", &limit),
        Incoming::OtherLimit("EMS".into())
    );
    assert_eq!(Incoming::read("Teleport", &limit), Incoming::Unknown);
}
