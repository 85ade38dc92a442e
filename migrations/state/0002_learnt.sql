-- What the program found out by itself and would find out again, more slowly.
CREATE TABLE learnt (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
