//! The shapes of the API for its document. Some live in crates that must not know of it (the core depends on three crates
//! alone), so all are written here, and the test [`super`] holds them against what the handlers really answer.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::{OpenApi, ToSchema};

/// RFC 3339, UTC.
#[derive(Serialize, ToSchema)]
#[schema(value_type = String, format = DateTime)]
struct Time(String);

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $word:ident),+ $(,)? })+) => { $(
        $(#[$doc])*
        #[derive(Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        enum $name { $($(#[$attr])* $word),+ }
    )+ };
}

macro_rules! shapes {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $field:ident : $of:ty),* $(,)? })+) => { $(
        $(#[$doc])*
        #[derive(Serialize, ToSchema)]
        struct $name { $($(#[$attr])* $field: $of),* }
    )+ };
}

words! {
    Role { Viewer, User, Installer }
    Mode { Observe, Control }
    Grid { #[serde(rename = "tn_3ph")] Tn3ph, #[serde(rename = "it_3ph")] It3ph, #[serde(rename = "tn_1ph")] Tn1ph }
    Characteristic { Gg, B, C, D, Linky, None }
    Curve { Standard, Band }
    Phase { L1, L2, L3 }
    LeaseProof { Claimed, None, Proven }
    Source { Measured, Rebuilt, WorstCase }
    Outcome { Pending, Accepted, Rejected, Timeout }
    ChargerStatus {
        Available, Preparing, Charging, SuspendedEv, SuspendedEvse, Finishing, Reserved, Unavailable, Faulted, Unknown,
    }
    ActionType { SetLimit, Switch }
    LoadWishKind { Pause, Limit, Boost }
    WishKind { Pause, Limit, Boost, Resume }
    TestState { Running, Passed, Failed, Aborted }
    StepKind { Limit, Pause, Resume, Cut }
    EmailTls { Starttls, Tls, None }
    Channel { Webhook, Ntfy, Email }
    TlsMode { Off, SelfSigned }
}

/// A rating for all lines, or one for each.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum Rating {
    All(f64),
    Each(Vec<f64>),
}

/// How a device is reached: `kind` says which fields there are.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Driver {
    Ocpp {
        charge_point_id: String,
        #[schema(default = 1, minimum = 1, maximum = 100)]
        connector: Option<u32>,
        auth: Option<String>,
        /// Written, and told once when it was made.
        password: Option<String>,
        password_set: Option<bool>,
    },
    ShellyGen2 {
        host: String,
        channel: Option<u32>,
        password: Option<String>,
        password_set: Option<bool>,
    },
    Http {
        profile: String,
        host: String,
        params: Option<BTreeMap<String, String>>,
        password: Option<String>,
        password_set: Option<bool>,
    },
    Modbus {
        profile: String,
        address: String,
        unit: Option<u8>,
    },
    Mqtt {
        profile: String,
        broker: String,
        topic: String,
    },
}

/// A load, by its `kind`.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum LoadStatus {
    Charger(ChargerLoad),
    SlowLoad(SlowLoadStatus),
}

shapes! {
    /// RFC 9457.
    Problem {
        r#type: String, title: String, status: u16,
        /// Stable: `docs/errors` has a section for each.
        code: String,
        /// What happened, what stayed safe, what to do.
        detail: String,
        errors: Option<Vec<FieldError>>,
    }
    FieldError { field: String, code: String, message: String }
    Reason {
        code: String, phase: Option<Phase>, circuit: Option<String>, load: Option<String>, until_ms: Option<u64>, text: String,
    }
    PhaseState {
        phase: Phase, measured_a: Option<f64>, background_a: Option<f64>, headroom_a: Option<f64>, limit_a: f64,
        thermal: Option<f64>, source: Source,
    }
    MeterStatus {
        state: String, age_s: Option<f64>, period_s: Option<f64>, protocol: Option<String>, meter_id: Option<String>,
        model: Option<String>, source: Option<String>, serial: Option<String>, text: Option<String>,
        rejected: BTreeMap<String, u64>,
    }
    ChargerLoad {
        id: String, name: String, connected: Option<bool>, status: ChargerStatus, setpoint_a: Option<f64>,
        measured_a: Option<Vec<Option<f64>>>, acknowledged_a: Option<f64>, max_current_a: f64, priority: u32, lease_s: u32,
        lease_until: Option<Time>, following: Option<bool>, reason: Reason,
        wishes: Vec<LoadWish>,
    }
    SlowLoadStatus {
        id: String, name: String, connected: Option<bool>, on: Option<bool>, power_w: Option<f64>, priority: u32, reason: Reason,
        wishes: Vec<LoadWish>,
    }
    /// What somebody wants of a load, until its end.
    LoadWish {
        kind: LoadWishKind, until: Time,
        /// Only of a limit.
        limit_a: Option<f64>,
    }
    AlarmStatus { id: i64, code: String, load: Option<String>, since: Time, text: String }
    Status {
        state: String, mode: Mode, reason: Reason, time: Time, phases: Vec<PhaseState>, meter: MeterStatus,
        loads: Vec<LoadStatus>, alarms: Vec<AlarmStatus>, version: String, demo: Option<bool>,
    }
    MainFuse {
        #[schema(inline)]
        rating_a: Rating,
        characteristic: Option<Characteristic>, curve: Option<Curve>,
        #[schema(minimum = 0, maximum = 70)]
        ambient_c: Option<u8>,
    }
    Circuit {
        id: String, parent: Option<String>,
        #[schema(inline)]
        rating_a: Rating,
        meter: Option<String>, characteristic: Option<Characteristic>, curve: Option<Curve>,
    }
    Tuning {
        raise_after_s: Option<u32>, restart_after_s: Option<u32>, hold_s: Option<u32>, stale_after_s: Option<u32>,
        lost_after_s: Option<u32>, frozen_after_s: Option<u32>,
    }
    Site {
        name: Option<String>, time_zone: Option<String>, mode: Option<Mode>, grid: Option<Grid>, main_fuse: Option<MainFuse>,
        margin_a: Option<f64>, nominal_voltage_v: Option<f64>, largest_step_a: Option<f64>, max_power_w: Option<f64>,
        circuits: Option<Vec<Circuit>>, public_view: Option<bool>, tuning: Option<Tuning>,
    }
    Meter { source: Option<String>, key: Option<String>, auth_key: Option<String>, ct_ratio: Option<f64> }
    MeterView {
        source: Option<String>, key_set: bool, ct_ratio: Option<f64>, pinned: Option<bool>, stored_source: Option<String>,
    }
    MeterCandidate { source: String, in_use: bool, text: Option<String> }
    Charger {
        id: String, name: String, driver: Option<Driver>, circuit: Option<String>, max_current_a: f64, min_current_a: f64,
        phases: Option<Vec<Phase>>, phase_switching: bool, safe_current_a: f64, lease_s: u32, lease: LeaseProof, priority: u32,
        accept_risk: Option<bool>,
    }
    NewCharger {
        id: Option<String>, name: Option<String>, driver: Driver, circuit: Option<String>, max_current_a: Option<f64>,
        min_current_a: Option<f64>, phases: Option<Vec<Phase>>, phase_switching: Option<bool>, safe_current_a: Option<f64>,
        lease_s: Option<u32>, lease: Option<LeaseProof>, priority: Option<u32>, accept_risk: Option<bool>,
    }
    /// The fields to change; of a driver of the same kind too.
    ChargerChange {
        name: Option<String>, driver: Option<Value>, circuit: Option<String>, max_current_a: Option<f64>,
        min_current_a: Option<f64>, phases: Option<Vec<Phase>>, phase_switching: Option<bool>, safe_current_a: Option<f64>,
        lease_s: Option<u32>, lease: Option<LeaseProof>, priority: Option<u32>, accept_risk: Option<bool>,
    }
    SlowLoad {
        id: String, name: String, driver: Option<Driver>, rated_w: f64, phases: Option<Vec<Phase>>, circuit: Option<String>,
        min_on_s: u32, min_off_s: u32, max_off_s: u32, priority: u32,
    }
    NewSlowLoad {
        id: Option<String>, name: Option<String>, driver: Driver, rated_w: f64, phases: Option<Vec<Phase>>,
        circuit: Option<String>, min_on_s: Option<u32>, min_off_s: Option<u32>, max_off_s: Option<u32>, priority: Option<u32>,
    }
    /// The fields to change; of a driver of the same kind too.
    SlowLoadChange {
        name: Option<String>, driver: Option<Value>, rated_w: Option<f64>, phases: Option<Vec<Phase>>, circuit: Option<String>,
        min_on_s: Option<u32>, min_off_s: Option<u32>, max_off_s: Option<u32>, priority: Option<u32>,
    }
    Unmatched {
        charge_point_id: String, vendor: Option<String>, model: Option<String>, firmware: Option<String>, since: Time,
        remote: Option<String>, connected: bool,
    }
    Discovered {
        kind: String, name: String, host: String, host_name: Option<String>, driver: Option<Driver>, source: Option<String>,
        already_configured: bool,
    }
    Measured { told_a: Option<f64>, reported_a: Option<Vec<Option<f64>>>, lines_a: Vec<Option<f64>> }
    ChargerTest {
        charger: String, state: TestState, cut: bool, started: Time, ended: Option<Time>, step: u32, of: u32, kind: StepKind,
        text: String, measured: Measured,
    }
    TestWanted { cut: Option<bool> }
    /// `docs/api.md` has the parts of `follow`, `cut`, `limits` and of each step.
    TestReport {
        charger: String, started: Time, ended: Time, version: String, result: String, text: String,
        follow: Option<BTreeMap<String, Value>>, cut: Option<BTreeMap<String, Value>>, limits: BTreeMap<String, Value>,
        steps: Vec<BTreeMap<String, Value>>,
    }
    Priorities { order: Vec<Vec<String>> }
    For {
        #[schema(minimum = 1, maximum = 86400)]
        for_s: u32,
    }
    LimitFor {
        #[schema(minimum = 1, maximum = 86400)]
        for_s: u32,
        #[schema(minimum = 0)]
        limit_a: f64,
    }
    Wish { kind: WishKind, load: String, for_s: Option<u32>, limit_a: Option<f64> }
    Action {
        command: u64, r#type: ActionType, load: String, limit_a: Option<f64>, phases: Option<u8>, lease_s: Option<u32>,
        on: Option<bool>, renewal: bool, reason: Reason, outcome: Outcome, sent_at: Option<Time>, acknowledged_at: Option<Time>,
        seen_at: Option<Time>,
    }
    Decision {
        id: i64, time: Time, t_ms: u64, state: String, reason: Reason, actions: Vec<Action>,
        /// Only where one decision is asked for.
        inputs: Option<Value>,
    }
    LinePoint { phase: Phase, current_a: Option<f64>, max_a: Option<f64>, voltage_v: Option<f64>, power_w: Option<f64> }
    TimelinePoint { time: Time, phases: Vec<LinePoint>, power_w: Option<f64> }
    LostTo { code: String, phase: Option<Phase>, circuit: Option<String>, load: Option<String>, energy_kwh: f64 }
    EnergyDay {
        date: String, load: Option<String>, name: Option<String>, energy_kwh: f64, curtailed_kwh: f64, lost_to: Vec<LostTo>,
        text: String,
    }
    Alarm { id: i64, code: String, load: Option<String>, since: Time, until: Option<Time>, text: String }
    FieldChange { field: String, before: Option<Value>, after: Option<Value> }
    ConfigVersion {
        n: i64, at: Time, author: String, change: String, diff: Option<Vec<FieldChange>>,
        /// Of charge points that came back and had none, told once.
        passwords: Option<BTreeMap<String, String>>,
    }
    WhatIfWanted {
        from: Option<Time>, to: Option<Time>, site: Option<Value>, chargers: Option<Value>, slow_loads: Option<Value>,
        priorities: Option<Value>,
    }
    LoadEnergy { id: String, energy_kwh: f64, curtailed_kwh: f64 }
    PhaseSum { phase: Phase, highest_a: Option<f64>, over_s: f64, thermal: Option<f64>, thermal_margin: Option<f64> }
    WhatIfSide { energy_kwh: f64, curtailed_kwh: f64, commands: u64, loads: Vec<LoadEnergy>, phases: Vec<PhaseSum> }
    WhatIf {
        from: Time, to: Time, covered_s: u64, left_out_s: u64, notes: Vec<String>, recorded: WhatIfSide, same: WhatIfSide,
        changed: WhatIfSide,
    }
    SetUp {
        code: String,
        #[schema(min_length = 1, max_length = 64)]
        name: String,
        #[schema(min_length = 12, max_length = 128)]
        password: String,
    }
    LogIn { name: String, password: String }
    LoggedIn { role: Role, csrf: String }
    Session { role: Role, name: Option<String>, csrf: Option<String>, demo: bool }
    NewUser {
        #[schema(min_length = 1, max_length = 64)]
        name: String,
        #[schema(min_length = 12, max_length = 128)]
        password: String,
        role: Role,
    }
    User { name: String, role: Role, created: Time }
    NewToken {
        #[schema(min_length = 1, max_length = 64)]
        name: String,
        role: Role,
    }
    Token { id: i64, name: String, role: Role, created: Time }
    TokenSecret { id: i64, name: String, role: Role, secret: String }
    /// What somebody who helps needs to know. Its parts are in `docs/api.md`, and more may come.
    Diagnostics {
        time: Time, version: String, uptime_s: u64, system: BTreeMap<String, Value>, r#loop: BTreeMap<String, Value>,
        state: String, reason: String, site: BTreeMap<String, Value>, databases: Vec<BTreeMap<String, Value>>,
        journal: BTreeMap<String, Value>, meter: BTreeMap<String, Value>, chargers: Vec<BTreeMap<String, Value>>,
        relays: Vec<BTreeMap<String, Value>>, unmatched_charge_points: u64, ocpp_trace: Vec<OcppTraced>,
        meter_trace: Vec<MeterTraced>, ocpp_listen: Option<String>, alarms: Vec<BTreeMap<String, Value>>,
        in_clear: Vec<String>,
    }
    OcppTraced { charger: Option<String>, charge_point: String, time: Time, direction: String, message: String }
    MeterTraced { time: Time, telegram: String, valid: bool }
    Restored { made: Time, version: String, files: Vec<BTreeMap<String, Value>>, restarts_at: Time, text: String }
    HttpChannel {
        url: String,
        /// Left out: stays with its url; null: removed.
        token: Option<String>,
        token_set: Option<bool>,
    }
    EmailChannel {
        host: String, port: u16, tls: Option<EmailTls>, user: Option<String>, password: Option<String>,
        password_set: Option<bool>, from: String, to: Vec<String>,
    }
    Notifications {
        language: Option<String>, webhook: Option<HttpChannel>, ntfy: Option<HttpChannel>, email: Option<EmailChannel>,
    }
    HttpChannelView { url: String, token_set: bool }
    EmailChannelView {
        host: String, port: u16, tls: EmailTls, user: Option<String>, password_set: bool, from: String, to: Vec<String>,
    }
    NotificationsView {
        language: String, webhook: Option<HttpChannelView>, ntfy: Option<HttpChannelView>, email: Option<EmailChannelView>,
    }
    NotificationTest { channel: Channel }
    NotificationTested { channel: Channel, delivered: bool, text: String }
    DemoCharger { id: String, network: bool, car: bool }
    DemoState { oven: bool, meter_cable: bool, speed: f64, chargers: Vec<DemoCharger>, cars_max: u32 }
    DemoChargerChange { id: String, network: Option<bool>, car: Option<bool> }
    DemoChange {
        oven: Option<bool>, meter_cable: Option<bool>,
        #[schema(minimum = 1, maximum = 60)]
        speed: Option<f64>,
        chargers: Option<Vec<DemoChargerChange>>,
    }
    TlsSettings { mode: Option<TlsMode>, names: Option<Vec<String>> }
    TlsView { mode: TlsMode, names: Vec<String>, ca_fingerprint: Option<String>, not_after: Option<Time> }
    Availability { operative: bool }
    Reset { hard: Option<bool> }
    StartSession { id_tag: Option<String> }
    OperationAnswer { charger: String, outcome: String }
    Nothing {}
}

#[derive(OpenApi)]
#[openapi(components(schemas(
    Problem,
    Status,
    Site,
    Meter,
    MeterView,
    MeterCandidate,
    Charger,
    NewCharger,
    ChargerChange,
    SlowLoad,
    NewSlowLoad,
    SlowLoadChange,
    Unmatched,
    Discovered,
    ChargerTest,
    TestWanted,
    TestReport,
    Priorities,
    For,
    LimitFor,
    Wish,
    Decision,
    TimelinePoint,
    EnergyDay,
    Alarm,
    ConfigVersion,
    WhatIfWanted,
    WhatIf,
    SetUp,
    LogIn,
    LoggedIn,
    Session,
    NewUser,
    User,
    NewToken,
    Token,
    TokenSecret,
    Diagnostics,
    Restored,
    Notifications,
    NotificationsView,
    NotificationTest,
    NotificationTested,
    DemoState,
    DemoChange,
    TlsSettings,
    TlsView,
    Availability,
    Reset,
    StartSession,
    OperationAnswer,
    Nothing
)))]
struct Schemas;

/// What is written: nothing else may stand there. Everything else is read, and all of its fields are there.
const WRITTEN: &[&str] = &[
    "Site",
    "MainFuse",
    "Circuit",
    "Tuning",
    "Meter",
    "NewCharger",
    "ChargerChange",
    "NewSlowLoad",
    "SlowLoadChange",
    "TestWanted",
    "Priorities",
    "For",
    "LimitFor",
    "WhatIfWanted",
    "SetUp",
    "LogIn",
    "NewUser",
    "NewToken",
    "HttpChannel",
    "EmailChannel",
    "Notifications",
    "NotificationTest",
    "DemoChange",
    "DemoChargerChange",
    "TlsSettings",
    "Availability",
    "Reset",
    "StartSession",
    "Nothing",
];

/// Fields of what is read that are not always there.
const SELDOM: &[(&str, &[&str])] = &[
    ("Problem", &["errors"]),
    ("Status", &["demo"]),
    ("MeterView", &["pinned", "stored_source"]),
    ("Charger", &["accept_risk"]),
    ("Decision", &["inputs"]),
    ("Reason", &["phase", "circuit", "load", "until_ms"]),
    ("LoadWish", &["limit_a"]),
    ("Wish", &["for_s", "limit_a"]),
    ("Action", &["limit_a", "phases", "lease_s", "on"]),
    ("ConfigVersion", &["passwords"]),
];

/// The schemas by their names, as the document has them.
pub(super) fn schemas() -> Value {
    let document = serde_json::to_value(Schemas::openapi()).unwrap();
    let mut schemas = document["components"]["schemas"].clone();
    for (name, schema) in schemas.as_object_mut().unwrap() {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            continue;
        };
        let fields: Vec<String> = properties.keys().cloned().collect();
        if WRITTEN.contains(&name.as_str()) {
            schema["additionalProperties"] = false.into();
            continue;
        }
        let seldom = SELDOM.iter().find(|(it, _)| it == name);
        let seldom = seldom.map_or(&[][..], |it| it.1);
        let always = fields
            .into_iter()
            .filter(|it| !seldom.contains(&it.as_str()));
        schema["required"] = always.collect::<Vec<_>>().into();
    }
    schemas
}
