-- Energy of a quarter of an hour, in milliwatt-hours; `load` is '' for what the house took from the net. `part` grows within a run each
-- time the clock goes back, so that a row that is written again replaces none but itself.
CREATE TABLE energy (
    slot_ms INTEGER NOT NULL,
    load    TEXT NOT NULL,
    run     INTEGER NOT NULL,
    part    INTEGER NOT NULL,
    mwh     INTEGER NOT NULL,
    PRIMARY KEY (slot_ms, load, run, part)
) STRICT, WITHOUT ROWID;

-- What a load would have taken besides, by what it lost it to; '' where a reason has no line, circuit or other load.
CREATE TABLE curtailed (
    slot_ms INTEGER NOT NULL,
    load    TEXT NOT NULL,
    run     INTEGER NOT NULL,
    part    INTEGER NOT NULL,
    code    TEXT NOT NULL,
    phase   TEXT NOT NULL,
    circuit TEXT NOT NULL,
    other   TEXT NOT NULL,
    mwh     INTEGER NOT NULL,
    PRIMARY KEY (slot_ms, load, run, part, code, phase, circuit, other)
) STRICT, WITHOUT ROWID;

-- Thinned readings: sums and maxima of `samples` readings within `step_ms`. All of a row have the same values (`has`, a bit for each in the
-- order of the columns, bit 0: l1_ma), so that sums stay exact however often they are thinned. `circuit` is '' for the main meter.
CREATE TABLE reading_mean (
    step_ms      INTEGER NOT NULL,
    time_ms      INTEGER NOT NULL,
    circuit      TEXT NOT NULL,
    has          INTEGER NOT NULL,
    phases       INTEGER NOT NULL,
    samples      INTEGER NOT NULL,
    l1_ma        INTEGER,
    l1_max_ma    INTEGER,
    l1_mv        INTEGER,
    l1_w         INTEGER,
    l2_ma        INTEGER,
    l2_max_ma    INTEGER,
    l2_mv        INTEGER,
    l2_w         INTEGER,
    l3_ma        INTEGER,
    l3_max_ma    INTEGER,
    l3_mv        INTEGER,
    l3_w         INTEGER,
    power_w      INTEGER,
    reactive_var INTEGER,
    PRIMARY KEY (step_ms, time_ms, circuit, has, phases)
) STRICT, WITHOUT ROWID;
