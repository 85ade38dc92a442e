//! The house as `GET /status` shows it (contract, section 5), made from the engine's snapshot.

use std::collections::BTreeMap;

use headroom_core::config::{Charger, Config, Mode, SlowLoad};
use headroom_core::event::ChargerStatus;
use headroom_core::snapshot::{LoadDetail, LoadSnapshot, MeterState, PhaseState, WishKind};
use headroom_core::units::{Milliamps, PerPhase, Watts};
use headroom_core::{Instant, Reason, Snapshot};
use headroom_store::Alarm;
use jiff::Timestamp;
use serde::Serialize;

/// What [`Status::new`] is made from.
pub struct StatusInputs<'a> {
    /// The engine after a step.
    pub snapshot: &'a Snapshot,
    /// The configuration in force.
    pub config: &'a Config,
    /// Whether commands are really given, which `--observe` forbids whatever the configuration says.
    pub mode: Mode,
    /// What the meter's source knows.
    pub meter: &'a MeterInfo,
    /// The alarms of now, with their numbers.
    pub alarms: &'a [Alarm],
    /// The engine's time now.
    pub now: Instant,
    /// The time of day of an instant of the engine.
    pub time_of: &'a dyn Fn(Instant) -> Timestamp,
    /// The version of the program.
    pub version: &'static str,
    /// Whether this is the demo.
    pub demo: bool,
}

impl std::fmt::Debug for StatusInputs<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StatusInputs")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// What the meter's source knows and the engine does not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MeterInfo {
    /// The protocol that was detected: `p1`, `hdlc`, ….
    pub protocol: Option<String>,
    /// The meter's own number, as sent.
    pub meter_id: Option<String>,
    /// The meter's model, as sent.
    pub model: Option<String>,
    /// The source, without secrets.
    pub source: Option<String>,
    /// Line parameters of a serial port.
    pub serial: Option<String>,
    /// What is heard, in a sentence.
    pub text: Option<String>,
    /// Bytes that gave no telegram, by the reason.
    pub rejected: BTreeMap<String, u64>,
}

/// The answer of `GET /status`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    /// Path in the state machine.
    pub state: String,
    /// Whether commands are given.
    pub mode: Mode,
    /// Why the state is what it is.
    pub reason: Reason,
    /// Time of day of this status.
    #[serde(serialize_with = "headroom_store::times::one")]
    pub time: Timestamp,
    /// The lines.
    pub phases: Vec<PhaseState>,
    /// The main meter.
    pub meter: MeterStatus,
    /// Chargers and slow loads.
    pub loads: Vec<LoadStatus>,
    /// What is wrong now.
    pub alarms: Vec<AlarmStatus>,
    /// The version of the program.
    pub version: String,
    /// Only in the demo.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub demo: bool,
    /// For the validation of changes; not shown.
    #[serde(skip)]
    pub highest_background: PerPhase<Milliamps>,
}

/// The main meter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeterStatus {
    /// How good its word is.
    pub state: MeterState,
    /// Age of the newest reading that counts, in seconds.
    pub age_s: Option<f64>,
    /// Learnt time between readings with currents, in seconds.
    pub period_s: Option<f64>,
    /// The protocol that was detected.
    pub protocol: Option<String>,
    /// The meter's own number.
    pub meter_id: Option<String>,
    /// The meter's model.
    pub model: Option<String>,
    /// Where it is read.
    pub source: Option<String>,
    /// Line parameters of a serial port, such as `115200 8N1`.
    pub serial: Option<String>,
    /// What is heard, in a sentence, and what to do if that is not enough.
    pub text: Option<String>,
    /// Bytes that gave no telegram, by the reason.
    pub rejected: BTreeMap<String, u64>,
}

/// A load.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LoadStatus {
    /// A charger.
    Charger(ChargerLoad),
    /// A slow load.
    SlowLoad(SlowLoadStatus),
}

/// A charger.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChargerLoad {
    /// Its id.
    pub id: String,
    /// What its people call it.
    pub name: String,
    /// The link to it; `None`: not heard of yet.
    pub connected: Option<bool>,
    /// State of its connector.
    pub status: ChargerStatus,
    /// What it was told last, in amperes.
    pub setpoint_a: Option<Milliamps>,
    /// What it says it draws, per terminal, in amperes.
    pub measured_a: Option<Vec<Option<Milliamps>>>,
    /// What it last said yes to, in amperes.
    pub acknowledged_a: Option<Milliamps>,
    /// Most that it may be given, in amperes.
    pub max_current_a: Milliamps,
    /// Its priority.
    pub priority: u32,
    /// How long a limit holds without renewal, in seconds.
    pub lease_s: u32,
    /// When its present limit runs out.
    #[serde(serialize_with = "headroom_store::times::maybe")]
    pub lease_until: Option<Timestamp>,
    /// Does it do what it was told.
    pub following: Option<bool>,
    /// Why it has what it has.
    pub reason: Reason,
    /// What people want of it now.
    pub wishes: Vec<WishStatus>,
}

/// A slow load.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SlowLoadStatus {
    /// Its id.
    pub id: String,
    /// What its people call it.
    pub name: String,
    /// The link to it; `None`: not heard of yet.
    pub connected: Option<bool>,
    /// Whether its relay is closed.
    pub on: Option<bool>,
    /// What it says it draws, in watts.
    pub power_w: Option<Watts>,
    /// Its priority.
    pub priority: u32,
    /// Why it has what it has.
    pub reason: Reason,
    /// What people want of it now.
    pub wishes: Vec<WishStatus>,
}

/// What somebody wants of a load, as `POST /loads/{id}/…` said it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WishStatus {
    /// `pause`, `limit` or `boost`.
    pub kind: &'static str,
    /// When it ends.
    #[serde(serialize_with = "headroom_store::times::one")]
    pub until: Timestamp,
    /// Most that it may have, in amperes; only of a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_a: Option<Milliamps>,
}

/// An alarm of now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AlarmStatus {
    /// Its number.
    pub id: i64,
    /// A stable code; those about the meter begin with `meter_`.
    pub code: String,
    /// The load that it is about.
    pub load: Option<String>,
    /// Since when.
    #[serde(serialize_with = "headroom_store::times::one")]
    pub since: Timestamp,
    /// What happened, what was done, what to do.
    pub text: String,
}

impl Status {
    /// Puts together what the engine, the meter's source, the configuration and the journal know.
    pub fn new(inputs: &StatusInputs<'_>) -> Self {
        let snapshot = inputs.snapshot;
        Self {
            state: snapshot.state.to_owned(),
            mode: inputs.mode,
            reason: snapshot.reason.clone(),
            time: (inputs.time_of)(inputs.now),
            phases: snapshot.phases.clone(),
            meter: MeterStatus {
                state: snapshot.meter.state,
                age_s: snapshot
                    .meter
                    .last
                    .map(|last| seconds(inputs.now.since_ms(last))),
                period_s: snapshot.meter.period_ms.map(seconds),
                protocol: inputs.meter.protocol.clone(),
                meter_id: inputs.meter.meter_id.clone(),
                model: inputs.meter.model.clone(),
                source: inputs.meter.source.clone(),
                serial: inputs.meter.serial.clone(),
                text: inputs.meter.text.clone(),
                rejected: inputs.meter.rejected.clone(),
            },
            loads: snapshot
                .loads
                .iter()
                .enumerate()
                .filter_map(|(index, load)| load_status(load, index, inputs))
                .collect(),
            alarms: inputs.alarms.iter().map(AlarmStatus::from).collect(),
            version: inputs.version.to_owned(),
            demo: inputs.demo,
            highest_background: snapshot.highest_background,
        }
    }
}

impl From<&Alarm> for AlarmStatus {
    fn from(alarm: &Alarm) -> Self {
        Self {
            id: alarm.id,
            code: alarm.code.clone(),
            load: alarm.load.clone(),
            since: alarm.since,
            text: alarm.text.clone(),
        }
    }
}

/// A load that is configured no more is left out.
fn load_status(load: &LoadSnapshot, index: usize, inputs: &StatusInputs<'_>) -> Option<LoadStatus> {
    let wishes = load.wishes.iter().map(|wish| {
        let (kind, limit_a) = match wish.kind {
            WishKind::Pause => ("pause", None),
            WishKind::Limit(most) => ("limit", Some(most)),
            WishKind::Boost => ("boost", None),
        };
        WishStatus {
            kind,
            until: (inputs.time_of)(wish.until),
            limit_a,
        }
    });
    let wishes = wishes.collect();
    match &load.detail {
        LoadDetail::Charger {
            status,
            setpoint,
            measured,
            acknowledged,
            lease_until,
            following,
            ..
        } => {
            let is = |charger: &&Charger| charger.id == load.id;
            let chargers = &inputs.config.chargers;
            // Where it mostly stands: this is made after each step, and a site may have hundreds.
            let charger: &Charger = chargers
                .get(index)
                .filter(is)
                .or_else(|| chargers.iter().find(is))?;
            Some(LoadStatus::Charger(ChargerLoad {
                id: load.id.clone(),
                name: charger.name.clone(),
                connected: load.connected,
                status: *status,
                setpoint_a: *setpoint,
                measured_a: measured.clone(),
                acknowledged_a: *acknowledged,
                max_current_a: charger.max_current_a,
                priority: charger.priority,
                lease_s: charger.lease_s,
                // One that has run out holds nothing any more.
                lease_until: lease_until
                    .filter(|until| *until > inputs.now)
                    .map(inputs.time_of),
                following: *following,
                reason: load.reason.clone(),
                wishes,
            }))
        }
        LoadDetail::SlowLoad { on, power, .. } => {
            let slow_load: &SlowLoad = inputs
                .config
                .slow_loads
                .iter()
                .find(|slow_load| slow_load.id == load.id)?;
            Some(LoadStatus::SlowLoad(SlowLoadStatus {
                id: load.id.clone(),
                name: slow_load.name.clone(),
                connected: load.connected,
                on: *on,
                power_w: *power,
                priority: slow_load.priority,
                reason: load.reason.clone(),
                wishes,
            }))
        }
    }
}

fn seconds(ms: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let ms = ms as f64;
    ms / 1000.0
}
