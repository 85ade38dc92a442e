-- One start of the program. Command and sequence numbers count within a run.
CREATE TABLE run (
    id         INTEGER PRIMARY KEY,
    started_ms INTEGER NOT NULL,
    version    TEXT NOT NULL
) STRICT;

-- Every reading, as the engine got it. `phases` is how many lines the reading has, `present` which of them are there (bit 0: L1).
CREATE TABLE reading (
    id           INTEGER PRIMARY KEY,
    run          INTEGER NOT NULL,
    seq          INTEGER NOT NULL,
    t_ms         INTEGER NOT NULL,
    time_ms      INTEGER NOT NULL,
    circuit      TEXT,
    phases       INTEGER NOT NULL,
    present      INTEGER NOT NULL,
    l1_ma        INTEGER,
    l2_ma        INTEGER,
    l3_ma        INTEGER,
    l1_mv        INTEGER,
    l2_mv        INTEGER,
    l3_mv        INTEGER,
    l1_w         INTEGER,
    l2_w         INTEGER,
    l3_w         INTEGER,
    power_w      INTEGER,
    reactive_var INTEGER
) STRICT;

CREATE INDEX reading_time ON reading (time_ms);
CREATE INDEX reading_run ON reading (run, seq);

-- Every other input of the engine, as JSON. Readings and events share one sequence.
CREATE TABLE event (
    run     INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    t_ms    INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX event_time ON event (time_ms);

-- One step of the engine that acted or changed state. `seq` is the input that led to it.
CREATE TABLE decision (
    id           INTEGER PRIMARY KEY,
    run          INTEGER NOT NULL,
    seq          INTEGER NOT NULL,
    time_ms      INTEGER NOT NULL,
    t_ms         INTEGER NOT NULL,
    state        TEXT NOT NULL,
    reason_code  TEXT NOT NULL,
    reason       TEXT NOT NULL,
    renewal_only INTEGER NOT NULL,
    inputs       TEXT NOT NULL
) STRICT;

CREATE INDEX decision_time ON decision (time_ms);
CREATE INDEX decision_renewal ON decision (time_ms) WHERE renewal_only = 1;

CREATE TABLE action (
    run             INTEGER NOT NULL,
    command         INTEGER NOT NULL,
    decision        INTEGER NOT NULL,
    load            TEXT NOT NULL,
    reason_code     TEXT NOT NULL,
    renewal         INTEGER NOT NULL,
    body            TEXT NOT NULL,
    outcome         TEXT NOT NULL DEFAULT 'pending',
    sent_ms         INTEGER,
    acknowledged_ms INTEGER,
    seen_ms         INTEGER,
    PRIMARY KEY (run, command)
) STRICT, WITHOUT ROWID;

CREATE INDEX action_decision ON action (decision);

CREATE TABLE alarm (
    id       INTEGER PRIMARY KEY,
    run      INTEGER NOT NULL,
    code     TEXT NOT NULL,
    load     TEXT,
    since_ms INTEGER NOT NULL,
    until_ms INTEGER,
    text     TEXT NOT NULL
) STRICT;
