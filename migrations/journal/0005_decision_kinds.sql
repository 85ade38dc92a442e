-- Decisions by what can be asked for: a load, the code of a reason, a state, renewals. '' in `load` and `code` stands for all, so that each
-- question is a few kinds, none of which has a decision of another: a page is the newest of each, however seldom it is and whatever is combined.
CREATE TABLE decision_kind (
    id      INTEGER PRIMARY KEY,
    load    TEXT NOT NULL,
    code    TEXT NOT NULL,
    state   TEXT NOT NULL,
    renewal INTEGER NOT NULL,
    UNIQUE (load, code, state, renewal)
) STRICT;

CREATE TABLE decision_listed (
    kind     INTEGER NOT NULL,
    decision INTEGER NOT NULL,
    PRIMARY KEY (kind, decision)
) STRICT, WITHOUT ROWID;

-- Decisions with a smaller number were there before the list, and are put into it a piece at a time, the newest first. No row: all are listed.
CREATE TABLE decision_unlisted (before INTEGER NOT NULL) STRICT;

INSERT INTO decision_unlisted (before) SELECT id + 1 FROM decision ORDER BY id DESC LIMIT 1;

-- The kinds are found by the code too.
DROP INDEX decision_reason;
DROP INDEX action_reason;
