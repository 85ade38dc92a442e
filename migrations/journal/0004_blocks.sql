-- Inputs that are an hour old stand in blocks: some hundred readings and events of one run, in order, in a dense form
-- (`controller/store/src/journal/block.rs`). `first_ms` and `last_ms` are the least and the most time of day in it.
CREATE TABLE input_block (
    id        INTEGER PRIMARY KEY,
    run       INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq  INTEGER NOT NULL,
    first_ms  INTEGER NOT NULL,
    last_ms   INTEGER NOT NULL,
    body      BLOB NOT NULL
) STRICT;

CREATE INDEX input_block_time ON input_block (last_ms, first_ms);
CREATE INDEX input_block_end ON input_block (run, last_seq);

-- The inputs of a decision in the same dense form; `inputs` is empty then.
ALTER TABLE decision ADD COLUMN packed BLOB;

-- For those who look for a reason that is seldom.
CREATE INDEX decision_reason ON decision (reason_code, id);
CREATE INDEX action_reason ON action (reason_code, decision);
