//! Every call: who may, what it takes, what it answers. One row each.

/// A call. `None` of the role is everybody; a body that begins with `?` may be left out; an answer `[X]` is a page of them.
pub(super) struct Call {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) role: Option<&'static str>,
    pub(super) body: &'static str,
    pub(super) status: u16,
    pub(super) answer: &'static str,
    pub(super) query: &'static [&'static str],
    pub(super) what: &'static str,
}

const VIEWER: Option<&str> = Some("viewer");
const USER: Option<&str> = Some("user");
const INSTALLER: Option<&str> = Some("installer");
const PAGE: &[&str] = &["limit", "cursor"];

macro_rules! calls {
    ($($method:ident $path:literal $role:ident $body:literal => $status:literal $answer:literal $query:expr, $what:literal;)+) => {
        pub(super) const CALLS: &[Call] = &[$(Call {
            method: stringify!($method),
            path: $path,
            role: $role,
            body: $body,
            status: $status,
            answer: $answer,
            query: $query,
            what: $what,
        }),+];
    };
}

calls! {
    post "/api/v1/setup" None "SetUp" => 201 "LoggedIn" &[], "Make the first installer, with the code that Headroom prints when it starts";
    post "/api/v1/login" None "LogIn" => 200 "LoggedIn" &[], "Begin a session";
    get "/api/v1/session" VIEWER "" => 200 "Session" &[], "Who asks";
    post "/api/v1/logout" VIEWER "" => 204 "" &[], "End the session";
    get "/api/v1/openapi.json" VIEWER "" => 200 "application/json" &[], "This document";
    get "/api/v1/status" VIEWER "" => 200 "Status" &[], "The house as it is";
    get "/api/v1/site" VIEWER "" => 200 "Site" &[], "Main fuse, mode, grid, circuits, tuning";
    put "/api/v1/site" INSTALLER "Site" => 200 "Site" &[], "Replace it";
    get "/api/v1/meter" VIEWER "" => 200 "MeterView" &[], "Where the meter is read";
    put "/api/v1/meter" INSTALLER "Meter" => 200 "MeterView" &[], "Replace it; a key that is left out stays with its source";
    get "/api/v1/meter/candidates" VIEWER "" => 200 "[MeterCandidate]" PAGE, "Where a meter may be";
    get "/api/v1/chargers" VIEWER "" => 200 "[Charger]" PAGE, "The chargers";
    post "/api/v1/chargers" INSTALLER "NewCharger" => 201 "Charger" &[], "Add one";
    get "/api/v1/chargers/unmatched" VIEWER "" => 200 "[Unmatched]" PAGE, "Charge points that connected and are not adopted";
    get "/api/v1/chargers/{id}" VIEWER "" => 200 "Charger" &[], "One charger";
    patch "/api/v1/chargers/{id}" INSTALLER "ChargerChange" => 200 "Charger" &[], "Change the fields named";
    delete "/api/v1/chargers/{id}" INSTALLER "" => 204 "" &[], "Remove it";
    post "/api/v1/chargers/{id}/test" INSTALLER "?TestWanted" => 201 "ChargerTest" &[], "Begin the follow test and the cut test";
    delete "/api/v1/chargers/{id}/test" INSTALLER "" => 204 "" &[], "End the test that runs";
    get "/api/v1/chargers/{id}/report" VIEWER "" => 200 "TestReport" &[], "What the last test has found";
    get "/api/v1/reports" VIEWER "" => 200 "[TestReport]" PAGE, "What the last test of each charger has found";
    post "/api/v1/chargers/{id}/availability" INSTALLER "Availability" => 201 "OperationAnswer" &[], "Take it into use or out of it";
    post "/api/v1/chargers/{id}/reset" INSTALLER "?Reset" => 201 "OperationAnswer" &[], "Restart it";
    post "/api/v1/chargers/{id}/start" USER "?StartSession" => 201 "OperationAnswer" &[], "Begin a session";
    post "/api/v1/chargers/{id}/stop" USER "?Nothing" => 201 "OperationAnswer" &[], "End the session";
    get "/api/v1/slow-loads" VIEWER "" => 200 "[SlowLoad]" PAGE, "The slow loads";
    post "/api/v1/slow-loads" INSTALLER "NewSlowLoad" => 201 "SlowLoad" &[], "Add one";
    get "/api/v1/slow-loads/{id}" VIEWER "" => 200 "SlowLoad" &[], "One slow load";
    patch "/api/v1/slow-loads/{id}" INSTALLER "SlowLoadChange" => 200 "SlowLoad" &[], "Change the fields named";
    delete "/api/v1/slow-loads/{id}" INSTALLER "" => 204 "" &[], "Remove it";
    get "/api/v1/discovery" VIEWER "" => 200 "[Discovered]" PAGE, "What announces itself in the network; begins to search";
    get "/api/v1/priorities" VIEWER "" => 200 "Priorities" &[], "Who is served first";
    put "/api/v1/priorities" USER "Priorities" => 200 "Priorities" &[], "The first list is served first and cut last";
    post "/api/v1/loads/{id}/pause" USER "For" => 201 "Wish" &[], "Nothing for this load";
    post "/api/v1/loads/{id}/resume" USER "?Nothing" => 201 "Wish" &[], "The end of all wishes for it";
    post "/api/v1/loads/{id}/boost" USER "For" => 201 "Wish" &[], "This load before all others";
    post "/api/v1/loads/{id}/limit" USER "LimitFor" => 201 "Wish" &[], "No more than this for it";
    get "/api/v1/decisions" VIEWER "" => 200 "[Decision]" &["load", "state", "from", "to", "code", "renewals", "limit", "cursor"], "Newest first";
    get "/api/v1/decisions/{id}" VIEWER "" => 200 "Decision" &[], "One with its inputs";
    get "/api/v1/decisions.csv" VIEWER "" => 200 "text/csv" &["load", "state", "from", "to", "code", "renewals", "limit", "cursor"], "The same as a file";
    get "/api/v1/decisions.jsonl" VIEWER "" => 200 "application/jsonl" &["load", "state", "from", "to", "code", "renewals", "limit", "cursor"], "The same, one JSON object a line";
    get "/api/v1/decisions.parquet" VIEWER "" => 200 "application/vnd.apache.parquet" &["load", "state", "from", "to", "code", "renewals", "limit", "cursor"], "The same as a table with types";
    get "/api/v1/readings" VIEWER "" => 200 "[TimelinePoint]" &["from", "to", "step_s", "limit", "cursor"], "The main meter over time";
    get "/api/v1/energy" VIEWER "" => 200 "[EnergyDay]" &["from", "to", "limit", "cursor"], "What each load received and lost, per day";
    get "/api/v1/energy.csv" VIEWER "" => 200 "text/csv" &["from", "to"], "The same as a file";
    get "/api/v1/alarms" VIEWER "" => 200 "[Alarm]" PAGE, "What was wrong and is, newest first";
    get "/api/v1/config/versions" VIEWER "" => 200 "[ConfigVersion]" PAGE, "Who changed what";
    post "/api/v1/config/versions/{n}/restore" INSTALLER "?Nothing" => 201 "ConfigVersion" &[], "Put a version in force again";
    post "/api/v1/what-if" VIEWER "?WhatIfWanted" => 201 "WhatIf" &[], "What would have been with another configuration";
    get "/api/v1/events" VIEWER "" => 200 "text/event-stream" &[], "The status, decisions, readings, alarms and tests as they come";
    get "/api/v1/diagnostics" VIEWER "" => 200 "Diagnostics" &[], "What somebody who helps needs to know";
    post "/api/v1/backup" INSTALLER "" => 201 "application/x-tar" &[], "Everything in one file, with all secrets";
    post "/api/v1/restore" INSTALLER "application/x-tar" => 201 "Restored" &[], "Put such a file in force";
    get "/api/v1/users" INSTALLER "" => 200 "[User]" PAGE, "People";
    post "/api/v1/users" INSTALLER "NewUser" => 201 "User" &[], "Add one";
    delete "/api/v1/users/{name}" INSTALLER "" => 204 "" &[], "Remove one";
    get "/api/v1/tokens" INSTALLER "" => 200 "[Token]" PAGE, "Programs";
    post "/api/v1/tokens" INSTALLER "NewToken" => 201 "TokenSecret" &[], "Add one; its secret is told once";
    delete "/api/v1/tokens/{name}" INSTALLER "" => 204 "" &[], "Remove one";
    get "/api/v1/notifications" INSTALLER "" => 200 "NotificationsView" &[], "Where alarms are sent";
    put "/api/v1/notifications" INSTALLER "Notifications" => 200 "NotificationsView" &[], "Replace it; a secret that is left out stays with its place";
    post "/api/v1/notifications/test" INSTALLER "NotificationTest" => 201 "NotificationTested" &[], "Send a test message";
    get "/api/v1/demo" VIEWER "" => 200 "DemoState" &[], "The switches of the demo";
    patch "/api/v1/demo" USER "DemoChange" => 200 "DemoState" &[], "Turn some of them";
    post "/api/v1/demo/cars" USER "?Nothing" => 201 "DemoState" &[], "One more car";
    get "/api/v1/tls" VIEWER "" => 200 "TlsView" &[], "Whether the page is served over TLS";
    put "/api/v1/tls" INSTALLER "TlsSettings" => 200 "TlsView" &[], "Turn it on or off, at once";
    get "/ca.crt" None "" => 200 "application/x-x509-ca-cert" &[], "The certificate of the house's own authority";
    get "/healthz" None "" => 200 "text/plain" &[], "Whether the loop lives";
    get "/readyz" None "" => 200 "text/plain" &[], "Whether databases and listeners are up";
    get "/metrics" VIEWER "" => 200 "text/plain" &[], "For Prometheus";
}
