-- What the tests of the chargers have found; the newest of a charger is its report.
CREATE TABLE charger_report (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    charger  TEXT NOT NULL,
    ended_ms INTEGER NOT NULL,
    result   TEXT NOT NULL,
    body     TEXT NOT NULL
) STRICT;

CREATE INDEX charger_report_charger ON charger_report (charger, id);
