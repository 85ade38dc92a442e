//! Everything that is written, against the official schemas in the Python package `ocpp`.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use super::{
    incoming,
    outgoing::{self, Variable},
    profile::{self, Amounts, Extras, Schedule},
    session::{Learnt, Session},
    setup::Setup,
};
use crate::{
    types::{Now, Operation, Output, Settings, Trigger},
    v16::{
        ladder::Ladder,
        profile::{Form, Purpose, Unit},
    },
};

const CALL: u8 = 2;
const RESULT: u8 = 3;

fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// What the judge says of the lines; `None` where there is no Python with the package.
pub(crate) fn judge(lines: &[Value]) -> Option<(bool, String)> {
    let python = std::env::var_os("HEADROOM_PYTHON").map_or_else(
        || workspace().join("target/tools/venv/bin/python"),
        Into::into,
    );
    let script = workspace().join("tests/peers/ocpp_schemas.py");
    let has = Command::new(&python)
        .args(["-c", "import ocpp"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !has {
        assert_ne!(
            std::env::var("HEADROOM_REQUIRE_PEERS").as_deref(),
            Ok("1"),
            "{} has no ocpp package: ./check installs it",
            python.display()
        );
        println!("skipped: no Python with the package ocpp; ./check installs it");
        return None;
    }
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    let mut input = child.stdin.take().unwrap();
    // The judge reads all before it writes much.
    input.write_all(text.join("\n").as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    Some((output.status.success(), said))
}

fn profiles(version: &str) -> Vec<Value> {
    let now = "2026-01-15T12:00:10.9Z".parse().unwrap();
    let schedules = [
        Schedule::Base { charger_time: now },
        Schedule::RelativeBase,
        Schedule::Endless { charger_time: now },
        Schedule::Lease {
            charger_time: now,
            lease_s: 120,
        },
        Schedule::Duration {
            charger_time: Some(now),
            lease_s: 0,
        },
        Schedule::Duration {
            charger_time: None,
            lease_s: u32::from(u16::MAX),
        },
    ];
    let mut lines = Vec::new();
    for purpose in [Purpose::Default, Purpose::Transaction(1), Purpose::Maximum] {
        for (unit, phases) in [(Unit::Amperes, 0), (Unit::Amperes, 3), (Unit::Watts, 1)] {
            for schedule in schedules {
                let form = Form {
                    purpose,
                    connector: 1,
                    stack: 1,
                    unit,
                };
                let amounts = Amounts {
                    limit_ma: 10_950,
                    safe_ma: 6_000,
                    phases,
                    power_phases: phases,
                    nominal_voltage_v: 230,
                };
                let extras = Extras {
                    transaction: Some("an id of thirty-six characters: yes."),
                    max_offline_s: (version == "2.1").then_some(120),
                };
                let payload = profile::payload(form, schedule, amounts, extras);
                lines.push(json!([version, CALL, "SetChargingProfile", payload]));
            }
        }
    }
    lines
}

fn other_calls(version: &str) -> Vec<Value> {
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
    let transaction = Some("tx-1");
    let calls = operations
        .iter()
        .map(|operation| outgoing::operation(operation, 1, transaction, i32::MAX).unwrap());
    let mut setup = Setup::default();
    setup.restart(7);
    let mut ladder = Ladder::default();
    let mut asked = Vec::new();
    // Refusing everything makes it try everything.
    while let Some(call) = setup.next(1) {
        asked.push(call);
        setup.answered(&json!({}), &mut ladder);
    }
    assert!(asked.len() > 20, "{asked:?}");
    calls
        .chain(asked)
        .chain([
            outgoing::clear_profile(77),
            outgoing::composite_schedule(1, 150),
            outgoing::set_variable(Variable::new("SmartChargingCtrlr", "Enabled"), "true"),
        ])
        .map(|call| json!([version, CALL, call.action, call.payload]))
        .collect()
}

const ACTIONS: [&str; 24] = [
    "Authorize",
    "BootNotification",
    "ClearedChargingLimit",
    "DataTransfer",
    "FirmwareStatusNotification",
    "Heartbeat",
    "LogStatusNotification",
    "MeterValues",
    "NotifyChargingLimit",
    "NotifyCustomerInformation",
    "NotifyDisplayMessages",
    "NotifyEVChargingNeeds",
    "NotifyEVChargingSchedule",
    "NotifyEvent",
    "NotifyMonitoringReport",
    "NotifyReport",
    "PublishFirmwareStatusNotification",
    "ReportChargingProfiles",
    "ReservationStatusUpdate",
    "SecurityEventNotification",
    "SignCertificate",
    "StatusNotification",
    "TransactionEvent",
    "NotifyPriorityCharging",
];

/// The answers of a session to every action that it knows.
fn answers(version: &str) -> Vec<Value> {
    let now = Now {
        monotonic: std::time::Duration::ZERO,
        wall: "2026-01-15T12:00:00.5Z".parse().unwrap(),
    };
    let settings = Settings {
        adopted: true,
        control: false,
        connector: 1,
        terminals: 3,
        safe_ma: 6_000,
        nominal_voltage_v: 230,
    };
    let mut session = Session::new(settings, false, Learnt::default(), Box::new(|| 7), now);
    let mut lines = Vec::new();
    // The last is one of 2.1.
    let known = ACTIONS.len() - usize::from(version != "2.1");
    for action in ACTIONS.iter().take(known) {
        for payload in [
            json!({}),
            json!({"idToken": {"idToken": "A", "type": "Local"}}),
        ] {
            session.receive(&json!([2, "a", action, payload]).to_string(), now);
            while let Some(output) = session.poll() {
                if let Output::Send(text) = output {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    assert_eq!(frame[0], 3, "{action}: {frame}");
                    lines.push(json!([version, RESULT, action, frame[2]]));
                }
            }
        }
    }
    let pending = incoming::boot_answer(false, 60, now.wall);
    lines.push(json!([version, RESULT, "BootNotification", pending]));
    lines
}

#[test]
fn everything_that_is_written_follows_the_official_schemas() {
    for version in ["2.0.1", "2.1"] {
        let mut lines = profiles(version);
        lines.extend(other_calls(version));
        lines.extend(answers(version));
        let Some((right, said)) = judge(&lines) else {
            return;
        };
        println!("OCPP {version}: {said}");
        assert!(right, "{said}");
    }
}

#[test]
fn the_judge_finds_what_is_wrong() {
    let wrong = json!({"evseId": 1, "chargingProfile": {"id": "2", "stackLevel": 1}});
    let Some((right, said)) = judge(&[json!(["2.0.1", CALL, "SetChargingProfile", wrong])]) else {
        return;
    };
    assert!(!right, "{said}");
    assert!(said.contains("chargingSchedule"), "{said}");
}
