-- The whole engine as JSON, as it stood after input `seq`: where a replay begins. `decision` is the highest number of a decision given so
-- far, `version` the program's.
CREATE TABLE checkpoint (
    run      INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    t_ms     INTEGER NOT NULL,
    time_ms  INTEGER NOT NULL,
    decision INTEGER NOT NULL,
    version  TEXT NOT NULL,
    body     TEXT NOT NULL,
    PRIMARY KEY (run, seq)
) STRICT;

CREATE INDEX checkpoint_time ON checkpoint (time_ms);
