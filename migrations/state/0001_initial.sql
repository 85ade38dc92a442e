-- Every configuration that was ever in force, without its secrets; the newest is the present one.
CREATE TABLE config_version (
    n      INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms  INTEGER NOT NULL,
    author TEXT NOT NULL,
    change TEXT NOT NULL,
    body   TEXT NOT NULL
) STRICT;

-- Secrets of the present configuration, by the path of their field.
CREATE TABLE secret (
    field TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE user (
    name          TEXT PRIMARY KEY COLLATE NOCASE,
    role          TEXT NOT NULL CHECK (role IN ('viewer', 'user', 'installer')),
    password_hash TEXT NOT NULL,
    created_ms    INTEGER NOT NULL
) STRICT;

CREATE TABLE session (
    token_hash BLOB PRIMARY KEY,
    user       TEXT NOT NULL COLLATE NOCASE REFERENCES user (name) ON DELETE CASCADE,
    expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX session_user ON session (user);

CREATE TABLE token (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL UNIQUE,
    role        TEXT NOT NULL CHECK (role IN ('viewer', 'user', 'installer')),
    secret_hash BLOB NOT NULL UNIQUE,
    created_ms  INTEGER NOT NULL
) STRICT;

-- The code of the first set-up, until it is used.
CREATE TABLE setup_code (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    code TEXT NOT NULL
) STRICT;
