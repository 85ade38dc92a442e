//! Every statement on `state.db`.

pub(super) const NEWEST_VERSION: &str =
    "SELECT n, body FROM config_version ORDER BY n DESC LIMIT 1";
/// Versions before a number, newest first.
pub(super) const VERSIONS: &str = "SELECT n, at_ms, author, change, body FROM config_version WHERE n < ?1 \
     ORDER BY n DESC LIMIT ?2";
pub(super) const VERSION: &str = "SELECT body FROM config_version WHERE n = ?1";
pub(super) const SECRETS: &str = "SELECT field, value FROM secret";
pub(super) const INSERT_VERSION: &str =
    "INSERT INTO config_version (at_ms, author, change, body) VALUES (?1, ?2, ?3, ?4) RETURNING n";
/// Old versions beyond the number that is kept.
pub(super) const FORGET_VERSIONS: &str = "DELETE FROM config_version WHERE n <= ?1";
pub(super) const CLEAR_SECRETS: &str = "DELETE FROM secret";
pub(super) const INSERT_SECRET: &str = "INSERT INTO secret (field, value) VALUES (?1, ?2)";

pub(super) const COUNT_USERS: &str = "SELECT count(*) FROM user";
pub(super) const USERS: &str =
    "SELECT name, role, created_ms FROM user ORDER BY name COLLATE NOCASE";
pub(super) const INSERT_USER: &str =
    "INSERT INTO user (name, role, password_hash, created_ms) VALUES (?1, ?2, ?3, ?4)";
pub(super) const PASSWORD_OF: &str = "SELECT password_hash FROM user WHERE name = ?1";
pub(super) const SET_PASSWORD: &str = "UPDATE user SET password_hash = ?2 WHERE name = ?1";
pub(super) const DELETE_USER: &str = "DELETE FROM user WHERE name = ?1 RETURNING role";
pub(super) const COUNT_INSTALLERS: &str = "SELECT count(*) FROM user WHERE role = 'installer'";

pub(super) const INSERT_SESSION: &str =
    "INSERT INTO session (token_hash, user, expires_ms) VALUES (?1, ?2, ?3)";
pub(super) const SESSION: &str = "SELECT session.token_hash, user.name, user.role FROM session \
     JOIN user ON user.name = session.user WHERE session.token_hash = ?1 AND session.expires_ms > ?2";
pub(super) const DELETE_SESSION: &str = "DELETE FROM session WHERE token_hash = ?1";
pub(super) const DELETE_SESSIONS_OF: &str = "DELETE FROM session WHERE user = ?1";
/// The oldest sessions of a user beyond the number that is kept, and all that ran out.
pub(super) const FORGET_SESSIONS: &str = "DELETE FROM session WHERE expires_ms <= ?1 OR token_hash IN \
     (SELECT token_hash FROM session WHERE user = ?2 ORDER BY expires_ms DESC LIMIT -1 OFFSET ?3)";

pub(super) const COUNT_TOKENS: &str = "SELECT count(*) FROM token";
pub(super) const TOKENS: &str = "SELECT id, name, role, created_ms FROM token ORDER BY id";
pub(super) const INSERT_TOKEN: &str =
    "INSERT INTO token (name, role, secret_hash, created_ms) VALUES (?1, ?2, ?3, ?4) RETURNING id";
pub(super) const TOKEN_BY_HASH: &str =
    "SELECT secret_hash, id, name, role, created_ms FROM token WHERE secret_hash = ?1";
pub(super) const DELETE_TOKEN: &str = "DELETE FROM token WHERE name = ?1";

pub(super) const SETUP_CODE: &str = "SELECT code FROM setup_code WHERE only = 1";
pub(super) const INSERT_SETUP_CODE: &str = "INSERT INTO setup_code (only, code) VALUES (1, ?1)";
pub(super) const DELETE_SETUP_CODE: &str = "DELETE FROM setup_code";

pub(super) const LEARNT: &str = "SELECT value FROM learnt WHERE name = ?1";
pub(super) const LEARN: &str = "INSERT INTO learnt (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";

pub(super) const INSERT_REPORT: &str =
    "INSERT INTO charger_report (charger, ended_ms, result, body) VALUES (?1, ?2, ?3, ?4)";
/// The reports of a charger beyond the number that is kept.
pub(super) const FORGET_OLD_REPORTS: &str = "DELETE FROM charger_report WHERE charger = ?1 AND id NOT IN \
     (SELECT id FROM charger_report WHERE charger = ?1 ORDER BY id DESC LIMIT ?2)";
pub(super) const LAST_REPORT: &str =
    "SELECT body FROM charger_report WHERE charger = ?1 ORDER BY id DESC LIMIT 1";
pub(super) const LAST_REPORTS_BUT: &str = "SELECT body FROM charger_report WHERE id IN \
     (SELECT max(id) FROM charger_report WHERE result <> ?1 GROUP BY charger) ORDER BY charger";
pub(super) const FORGET_REPORTS: &str = "DELETE FROM charger_report WHERE charger = ?1";

#[cfg(test)]
pub(super) const ALL: &[&str] = &[
    NEWEST_VERSION,
    VERSIONS,
    VERSION,
    SECRETS,
    INSERT_VERSION,
    FORGET_VERSIONS,
    CLEAR_SECRETS,
    INSERT_SECRET,
    COUNT_USERS,
    USERS,
    INSERT_USER,
    PASSWORD_OF,
    SET_PASSWORD,
    DELETE_USER,
    COUNT_INSTALLERS,
    INSERT_SESSION,
    SESSION,
    DELETE_SESSION,
    DELETE_SESSIONS_OF,
    FORGET_SESSIONS,
    COUNT_TOKENS,
    TOKENS,
    INSERT_TOKEN,
    TOKEN_BY_HASH,
    DELETE_TOKEN,
    SETUP_CODE,
    INSERT_SETUP_CODE,
    DELETE_SETUP_CODE,
    LEARNT,
    LEARN,
    INSERT_REPORT,
    FORGET_OLD_REPORTS,
    LAST_REPORT,
    LAST_REPORTS_BUT,
    FORGET_REPORTS,
];

#[cfg(test)]
mod tests {
    /// A statement that is not in `ALL` would not be prepared by the test of this module's parent.
    #[test]
    fn every_statement_is_listed() {
        let source = include_str!("sql.rs");
        let constants = source.matches("pub(super) const ").count() - 1;
        assert_eq!(constants - 1, super::ALL.len());
    }
}
