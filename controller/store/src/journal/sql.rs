//! Every statement on `journal.db`.

pub(super) const INSERT_RUN: &str =
    "INSERT OR IGNORE INTO run (id, started_ms, version) VALUES (?1, ?2, ?3)";
/// The highest numbers given so far: run, decision, alarm.
pub(super) const HIGHEST: &str = "SELECT coalesce((SELECT max(id) FROM run), 0), \
     coalesce((SELECT max(id) FROM decision), 0), coalesce((SELECT max(id) FROM alarm), 0)";

/// Readings, each a list of its columns: one reading that came, or all of a block.
pub(super) const INSERT_READINGS: &str = "INSERT INTO reading (run, seq, t_ms, time_ms, circuit, phases, \
     present, l1_ma, l1_mv, l1_w, l2_ma, l2_mv, l2_w, l3_ma, l3_mv, l3_w, power_w, reactive_var) \
     SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8, \
     value ->> 9, value ->> 10, value ->> 11, value ->> 12, value ->> 13, \
     value ->> 14, value ->> 15, value ->> 16, value ->> 17 FROM json_each(?1)";
pub(super) const INSERT_EVENT: &str =
    "INSERT OR REPLACE INTO event (run, seq, t_ms, time_ms, body) VALUES (?1, ?2, ?3, ?4, ?5)";
pub(super) const INSERT_DECISION: &str = "INSERT OR REPLACE INTO decision (id, run, seq, time_ms, t_ms, \
     state, reason_code, reason, renewal_only, inputs, packed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, '', ?10)";
pub(super) const INSERT_ACTION: &str = "INSERT OR REPLACE INTO action (run, command, decision, load, \
     reason_code, renewal, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
pub(super) const SET_SENT: &str = "UPDATE action SET sent_ms = ?3 WHERE run = ?1 AND command = ?2";
pub(super) const SET_OUTCOME: &str =
    "UPDATE action SET outcome = ?3, acknowledged_ms = ?4 WHERE run = ?1 AND command = ?2";
pub(super) const SET_SEEN: &str =
    "UPDATE action SET seen_ms = ?3 WHERE run = ?1 AND command = ?2 AND seen_ms IS NULL";
pub(super) const INSERT_ALARM: &str = "INSERT OR REPLACE INTO alarm (id, run, code, load, since_ms, \
     until_ms, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
pub(super) const INSERT_CHECKPOINT: &str = "INSERT OR REPLACE INTO checkpoint (run, seq, t_ms, time_ms, \
     decision, version, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
/// Alarms that a former process left open.
pub(super) const CLOSE_ALARMS: &str =
    "UPDATE alarm SET until_ms = ?2 WHERE until_ms IS NULL AND run < ?1";

/// The lowest and the highest number of a decision from `?1` to before `?2`.
pub(super) const DECISIONS_OF_TIME: &str = "SELECT min(id), max(id) FROM decision \
     WHERE time_ms >= coalesce(?1, -9223372036854775808) AND time_ms < coalesce(?2, 9223372036854775807)";
/// What decisions `?1` are of: `one` decision, the loads that it is `about` and the codes of its `reasons`, and all of them ('') each time.
macro_rules! with_kinds {
    ($statement:literal) => {
        concat!(
            "WITH one AS (SELECT id, state, renewal_only, reason_code, CASE WHEN json_valid(reason) THEN reason ELSE '{}' END AS reason \
             FROM decision WHERE id IN (SELECT value FROM json_each(?1))), \
             about AS (SELECT id, '' AS load FROM one UNION SELECT decision, load FROM action WHERE decision IN (SELECT id FROM one) \
             UNION SELECT id, reason ->> '$.load' FROM one WHERE reason ->> '$.load' IS NOT NULL \
             UNION SELECT one.id, would.value FROM one, json_each(one.reason, '$.would_be') AS would), \
             reasons AS (SELECT id, '' AS code FROM one UNION SELECT id, reason_code FROM one \
             UNION SELECT decision, reason_code FROM action WHERE decision IN (SELECT id FROM one)) ",
            $statement
        )
    };
}
pub(super) const INSERT_KINDS: &str = with_kinds!(
    "INSERT OR IGNORE INTO decision_kind (load, code, state, renewal) SELECT DISTINCT load, code, state, renewal_only \
     FROM one CROSS JOIN about USING (id) CROSS JOIN reasons USING (id)"
);
pub(super) const LIST: &str = with_kinds!(
    "INSERT OR IGNORE INTO decision_listed (kind, decision) SELECT kind.id, one.id FROM one CROSS JOIN about USING (id) \
     CROSS JOIN reasons USING (id) CROSS JOIN decision_kind AS kind ON kind.load = about.load AND kind.code = reasons.code \
     AND kind.state = one.state AND kind.renewal = one.renewal_only"
);
pub(super) const UNLIST: &str = with_kinds!(
    "DELETE FROM decision_listed WHERE (kind, decision) IN (SELECT kind.id, one.id FROM one CROSS JOIN about USING (id) \
     CROSS JOIN reasons USING (id) CROSS JOIN decision_kind AS kind ON kind.load = about.load AND kind.code = reasons.code \
     AND kind.state = one.state AND kind.renewal = one.renewal_only)"
);
/// Those whose reason cannot be read, and does not tell any more under which kinds they stand.
pub(super) const UNLIST_DAMAGED: &str = "DELETE FROM decision_listed WHERE (kind, decision) IN (SELECT kind.id, one.id \
     FROM decision AS one CROSS JOIN decision_kind AS kind \
     WHERE one.id IN (SELECT value FROM json_each(?1)) AND NOT json_valid(one.reason))";
/// The kinds of a load `?1` and a code `?2` ('': all), with renewals or without, in the state `?4` or one within it.
pub(super) const KINDS: &str = "SELECT id FROM decision_kind WHERE load = ?1 AND code = ?2 AND renewal <= ?3 \
     AND (?4 IS NULL OR state = ?4 OR substr(state, 1, length(?4) + 1) = ?4 || '.')";
/// Decisions of a kind from number `?2` to before `?3` in a time.
pub(super) const NEWEST_OF_KIND: &str = "SELECT decision FROM decision_listed WHERE kind = ?1 AND decision >= ?2 AND decision < ?3 \
     AND ((?4 IS NULL AND ?5 IS NULL) OR EXISTS (SELECT 1 FROM decision AS it WHERE it.id = decision_listed.decision \
     AND (?4 IS NULL OR it.time_ms >= ?4) AND (?5 IS NULL OR it.time_ms < ?5))) ORDER BY decision DESC LIMIT ?6";
pub(super) const UNLISTED_BEFORE: &str = "SELECT before FROM decision_unlisted";
pub(super) const UNLISTED: &str = "SELECT id FROM decision WHERE id < ?1 ORDER BY id DESC LIMIT ?2";
pub(super) const SET_UNLISTED: &str = "UPDATE decision_unlisted SET before = ?1";
pub(super) const ALL_LISTED: &str = "DELETE FROM decision_unlisted";
/// The same as [`NEWEST_OF_KIND`] for those that are not listed yet: one by one.
pub(super) const NEWEST_UNLISTED: &str = "SELECT id FROM decision \
     WHERE id >= ?1 AND id < ?2 AND (?3 IS NULL OR time_ms >= ?3) AND (?4 IS NULL OR time_ms < ?4) \
     AND (?5 OR renewal_only = 0) \
     AND (?6 IS NULL OR EXISTS (SELECT 1 FROM action WHERE decision = decision.id AND load = ?6) \
          OR json_extract(CASE WHEN json_valid(reason) THEN reason END, '$.load') = ?6 \
          OR EXISTS (SELECT 1 FROM json_each(CASE WHEN json_valid(reason) THEN reason END, '$.would_be') AS would WHERE would.value = ?6)) \
     AND (?7 IS NULL OR reason_code = ?7 OR EXISTS (SELECT 1 FROM action WHERE decision = decision.id AND reason_code = ?7)) \
     AND (?8 IS NULL OR state = ?8 OR substr(state, 1, length(?8) + 1) = ?8 || '.') \
     ORDER BY id DESC LIMIT ?9";
/// Decisions by their numbers, newest first.
pub(super) const DECISIONS: &str = "SELECT id, time_ms, t_ms, state, reason_code, reason, renewal_only FROM decision \
     WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id DESC";
pub(super) const DECISIONS_AFTER: &str = "SELECT id, time_ms, t_ms, state, reason_code, reason, renewal_only \
     FROM decision WHERE id > ?1 AND (?2 OR renewal_only = 0) ORDER BY id LIMIT ?3";
pub(super) const DECISION: &str = "SELECT id, time_ms, t_ms, state, reason_code, reason, renewal_only, inputs, packed FROM decision WHERE id = ?1";
pub(super) const ACTIONS: &str = "SELECT decision, body, outcome, sent_ms, acknowledged_ms, seen_ms \
     FROM action WHERE decision IN (SELECT value FROM json_each(?1)) ORDER BY run, command";

/// The main meter's readings in steps of `?3` milliseconds: from `?1` to before `?2`, `?4` steps at most. Sums, each
/// with its number of samples.
pub(super) const TIMELINE: &str = "SELECT (time_ms / ?3) * ?3 AS step, max(phases), sum(l1_ma), count(l1_ma), max(l1_ma), sum(l1_mv), \
     count(l1_mv), sum(l1_w), count(l1_w), sum(l2_ma), count(l2_ma), max(l2_ma), sum(l2_mv), count(l2_mv), \
     sum(l2_w), count(l2_w), sum(l3_ma), count(l3_ma), max(l3_ma), sum(l3_mv), count(l3_mv), sum(l3_w), \
     count(l3_w), sum(power_w), count(power_w) FROM reading WHERE time_ms >= ?1 AND time_ms < ?2 AND circuit IS \
     NULL GROUP BY step ORDER BY step LIMIT ?4";
/// The same of thinned ones; their steps stand there so that the key is of use.
pub(super) const TIMELINE_OF_MEANS: &str = "SELECT (time_ms / ?3) * ?3 AS step, max(phases), sum(l1_ma), coalesce(sum(samples) FILTER (WHERE l1_ma IS \
     NOT NULL), 0), max(l1_max_ma), sum(l1_mv), coalesce(sum(samples) FILTER (WHERE l1_mv IS NOT NULL), 0), \
     sum(l1_w), coalesce(sum(samples) FILTER (WHERE l1_w IS NOT NULL), 0), sum(l2_ma), coalesce(sum(samples) \
     FILTER (WHERE l2_ma IS NOT NULL), 0), max(l2_max_ma), sum(l2_mv), coalesce(sum(samples) FILTER (WHERE l2_mv \
     IS NOT NULL), 0), sum(l2_w), coalesce(sum(samples) FILTER (WHERE l2_w IS NOT NULL), 0), sum(l3_ma), \
     coalesce(sum(samples) FILTER (WHERE l3_ma IS NOT NULL), 0), max(l3_max_ma), sum(l3_mv), \
     coalesce(sum(samples) FILTER (WHERE l3_mv IS NOT NULL), 0), sum(l3_w), coalesce(sum(samples) FILTER (WHERE \
     l3_w IS NOT NULL), 0), sum(power_w), coalesce(sum(samples) FILTER (WHERE power_w IS NOT NULL), 0) FROM \
     reading_mean WHERE step_ms IN (10000, 60000, 900000) AND time_ms >= ?1 AND time_ms < ?2 AND circuit = '' \
     GROUP BY step ORDER BY step LIMIT ?4";

/// The time of the `?2`th reading before `?1`, or of the last one before it.
pub(super) const LAST_OF_OLD_READINGS: &str = "SELECT max(time_ms) FROM \
     (SELECT time_ms FROM reading WHERE time_ms < ?1 ORDER BY time_ms LIMIT ?2)";
/// Readings before `?1` in steps of `?2`.
pub(super) const THIN_READINGS: &str = "INSERT INTO reading_mean (step_ms, time_ms, circuit, has, phases, samples, l1_ma, l1_max_ma, l1_mv, l1_w, \
     l2_ma, l2_max_ma, l2_mv, l2_w, l3_ma, l3_max_ma, l3_mv, l3_w, power_w, reactive_var) SELECT ?2, (time_ms / \
     ?2) * ?2 AS step, coalesce(circuit, ''), (l1_ma IS NOT NULL) * 1 + (l1_mv IS NOT NULL) * 2 + (l1_w IS NOT \
     NULL) * 4 + (l2_ma IS NOT NULL) * 8 + (l2_mv IS NOT NULL) * 16 + (l2_w IS NOT NULL) * 32 + (l3_ma IS NOT \
     NULL) * 64 + (l3_mv IS NOT NULL) * 128 + (l3_w IS NOT NULL) * 256 + (power_w IS NOT NULL) * 512 + \
     (reactive_var IS NOT NULL) * 1024 AS bits, phases, count(*), sum(l1_ma), max(l1_ma), sum(l1_mv), sum(l1_w), \
     sum(l2_ma), max(l2_ma), sum(l2_mv), sum(l2_w), sum(l3_ma), max(l3_ma), sum(l3_mv), sum(l3_w), sum(power_w), \
     sum(reactive_var) FROM reading WHERE time_ms < ?1 GROUP BY step, circuit, bits, phases ON CONFLICT DO UPDATE \
     SET samples = samples + excluded.samples, l1_ma = l1_ma + excluded.l1_ma, l1_max_ma = max(l1_max_ma, \
     excluded.l1_max_ma), l1_mv = l1_mv + excluded.l1_mv, l1_w = l1_w + excluded.l1_w, l2_ma = l2_ma + \
     excluded.l2_ma, l2_max_ma = max(l2_max_ma, excluded.l2_max_ma), l2_mv = l2_mv + excluded.l2_mv, l2_w = l2_w \
     + excluded.l2_w, l3_ma = l3_ma + excluded.l3_ma, l3_max_ma = max(l3_max_ma, excluded.l3_max_ma), l3_mv = \
     l3_mv + excluded.l3_mv, l3_w = l3_w + excluded.l3_w, power_w = power_w + excluded.power_w, reactive_var = \
     reactive_var + excluded.reactive_var";
pub(super) const DELETE_READINGS: &str = "DELETE FROM reading WHERE time_ms < ?1";
pub(super) const LAST_OF_OLD_MEANS: &str = "SELECT max(time_ms) FROM (SELECT time_ms FROM reading_mean \
     WHERE step_ms = ?1 AND time_ms < ?2 ORDER BY time_ms LIMIT ?3)";
/// Thinned readings of step `?3` before `?1` in steps of `?2`.
pub(super) const THIN_MEANS: &str = "INSERT INTO reading_mean (step_ms, time_ms, circuit, has, phases, samples, l1_ma, l1_max_ma, l1_mv, l1_w, \
     l2_ma, l2_max_ma, l2_mv, l2_w, l3_ma, l3_max_ma, l3_mv, l3_w, power_w, reactive_var) SELECT ?2, (time_ms / \
     ?2) * ?2 AS step, circuit, has, phases, sum(samples), sum(l1_ma), max(l1_max_ma), sum(l1_mv), sum(l1_w), \
     sum(l2_ma), max(l2_max_ma), sum(l2_mv), sum(l2_w), sum(l3_ma), max(l3_max_ma), sum(l3_mv), sum(l3_w), \
     sum(power_w), sum(reactive_var) FROM reading_mean WHERE step_ms = ?3 AND time_ms < ?1 GROUP BY step, \
     circuit, has, phases ON CONFLICT DO UPDATE SET samples = samples + excluded.samples, l1_ma = l1_ma + \
     excluded.l1_ma, l1_max_ma = max(l1_max_ma, excluded.l1_max_ma), l1_mv = l1_mv + excluded.l1_mv, l1_w = l1_w \
     + excluded.l1_w, l2_ma = l2_ma + excluded.l2_ma, l2_max_ma = max(l2_max_ma, excluded.l2_max_ma), l2_mv = \
     l2_mv + excluded.l2_mv, l2_w = l2_w + excluded.l2_w, l3_ma = l3_ma + excluded.l3_ma, l3_max_ma = \
     max(l3_max_ma, excluded.l3_max_ma), l3_mv = l3_mv + excluded.l3_mv, l3_w = l3_w + excluded.l3_w, power_w = \
     power_w + excluded.power_w, reactive_var = reactive_var + excluded.reactive_var";
pub(super) const DELETE_MEANS: &str =
    "DELETE FROM reading_mean WHERE step_ms = ?1 AND time_ms < ?2";

/// A running slot is written again and again: the newest word counts.
pub(super) const INSERT_ENERGY: &str =
    "INSERT OR REPLACE INTO energy (slot_ms, load, run, part, mwh) VALUES (?1, ?2, ?3, ?4, ?5)";
pub(super) const INSERT_CURTAILED: &str = "INSERT OR REPLACE INTO curtailed (slot_ms, load, run, part, \
     code, phase, circuit, other, mwh) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
pub(super) const ENERGY: &str = "SELECT load, sum(mwh) FROM energy \
     WHERE slot_ms >= ?1 AND slot_ms < ?2 GROUP BY load ORDER BY load";
pub(super) const CURTAILED: &str = "SELECT load, code, phase, circuit, other, sum(mwh) AS lost FROM curtailed \
     WHERE slot_ms >= ?1 AND slot_ms < ?2 GROUP BY load, code, phase, circuit, other ORDER BY lost DESC, code, phase";
pub(super) const FIRST_ENERGY: &str = "SELECT min(slot_ms) FROM energy";

/// Inputs of a run in the order in which the engine got them, after number `?2`.
pub(super) const READINGS_OF_RUN: &str = "SELECT id, seq, t_ms, time_ms, circuit, phases, present, l1_ma, \
     l1_mv, l1_w, l2_ma, l2_mv, l2_w, l3_ma, l3_mv, l3_w, power_w, reactive_var FROM reading \
     WHERE run = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
pub(super) const EVENTS_OF_RUN: &str =
    "SELECT seq, t_ms, time_ms, body FROM event WHERE run = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
/// Blocks of a run that hold inputs after number `?2`, in their order.
pub(super) const BLOCKS_OF_RUN: &str = "SELECT first_seq, last_seq, first_ms, body FROM input_block \
     WHERE run = ?1 AND last_seq > ?2 ORDER BY last_seq LIMIT 1";
pub(super) const RUNS: &str = "SELECT id, started_ms, version FROM run ORDER BY id";
/// The last input of a run.
pub(super) const LAST_INPUT: &str = "SELECT max(coalesce((SELECT max(seq) FROM reading WHERE run = ?1), 0), \
     coalesce((SELECT max(seq) FROM event WHERE run = ?1), 0), \
     coalesce((SELECT max(last_seq) FROM input_block WHERE run = ?1), 0))";
/// What a run decided, after number `?2`.
pub(super) const DECISIONS_OF_RUN: &str = "SELECT id, seq, t_ms, time_ms, state, reason FROM decision \
     WHERE id > ?2 AND run = ?1 ORDER BY id LIMIT ?3";
pub(super) const ACTION_BODIES: &str = "SELECT decision, body FROM action \
     WHERE decision IN (SELECT value FROM json_each(?1)) ORDER BY run, command";
/// What a run decided from `?2` to before `?3`: how many, the last input that led to one, and from when until when.
pub(super) const DECIDED_SPAN: &str = "SELECT count(*), coalesce(max(seq), 0), coalesce(min(time_ms), 0), \
     coalesce(max(time_ms), 0) FROM decision WHERE run = ?1 \
     AND time_ms >= coalesce(?2, -9223372036854775808) AND time_ms < coalesce(?3, 9223372036854775807)";
pub(super) const CHECKPOINTS_OF_RUN: &str =
    "SELECT seq, t_ms, time_ms, decision, version FROM checkpoint WHERE run = ?1 ORDER BY seq";
pub(super) const CHECKPOINT: &str = "SELECT body FROM checkpoint WHERE run = ?1 AND seq = ?2";

pub(super) const ALARMS: &str = "SELECT id, code, load, since_ms, until_ms, text FROM alarm \
     WHERE id < ?1 ORDER BY id DESC LIMIT ?2";

/// The oldest input from `?1` to before `?2` that is a row.
pub(super) const OLDEST_INPUT: &str = "SELECT run, seq FROM (SELECT time_ms, run, seq FROM (SELECT time_ms, run, seq FROM reading \
     WHERE time_ms >= ?1 AND time_ms < ?2 ORDER BY time_ms, id LIMIT 1) UNION ALL SELECT time_ms, run, seq FROM (SELECT time_ms, run, \
     seq FROM event WHERE time_ms >= ?1 AND time_ms < ?2 ORDER BY time_ms, run, seq LIMIT 1)) ORDER BY time_ms, run, seq LIMIT 1";
/// The first input of a run that is a row, and its time.
pub(super) const FIRST_INPUT: &str = "SELECT seq, time_ms FROM (SELECT seq, time_ms FROM (SELECT seq, time_ms FROM reading \
     WHERE run = ?1 ORDER BY seq LIMIT 1) UNION ALL SELECT seq, time_ms FROM (SELECT seq, time_ms FROM event \
     WHERE run = ?1 ORDER BY seq LIMIT 1)) ORDER BY seq LIMIT 1";
/// The first block of a run behind an input.
pub(super) const NEXT_BLOCK: &str =
    "SELECT first_seq FROM input_block WHERE run = ?1 AND last_seq > ?2 ORDER BY last_seq LIMIT 1";
pub(super) const INSERT_BLOCK: &str = "INSERT INTO input_block (run, first_seq, last_seq, first_ms, \
     last_ms, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
pub(super) const DELETE_PACKED_READINGS: &str =
    "DELETE FROM reading WHERE id IN (SELECT value FROM json_each(?1))";
pub(super) const DELETE_PACKED_EVENTS: &str =
    "DELETE FROM event WHERE run = ?1 AND seq >= ?2 AND seq <= ?3";
pub(super) const OLDEST_BLOCK: &str =
    "SELECT id, run, first_ms, body FROM input_block WHERE last_ms < ?1 ORDER BY last_ms LIMIT 1";
pub(super) const DELETE_BLOCK: &str = "DELETE FROM input_block WHERE id = ?1";
/// Blocks with an input from a time to before `?4`, a page behind the one that ended with `?1`, `?2`, `?3`.
pub(super) const BLOCKS_OF_TIME: &str = "SELECT last_ms, first_ms, id, body FROM input_block \
     WHERE (last_ms, first_ms, id) > (?1, ?2, ?3) AND first_ms < ?4 ORDER BY last_ms, first_ms, id LIMIT ?5";

pub(super) const FORGET_EVENTS: &str = "DELETE FROM event WHERE (run, seq) IN \
     (SELECT run, seq FROM event WHERE time_ms < ?1 ORDER BY time_ms LIMIT ?2)";
pub(super) const FORGET_CHECKPOINTS: &str = "DELETE FROM checkpoint WHERE (run, seq) IN \
     (SELECT run, seq FROM checkpoint WHERE time_ms < ?1 ORDER BY time_ms LIMIT ?2)";
pub(super) const FORGET_ENERGY: &str = "DELETE FROM energy WHERE (slot_ms, load, run, part) IN \
     (SELECT slot_ms, load, run, part FROM energy WHERE slot_ms < ?1 ORDER BY slot_ms LIMIT ?2)";
pub(super) const FORGET_CURTAILED: &str = "DELETE FROM curtailed \
     WHERE (slot_ms, load, run, part, code, phase, circuit, other) IN \
     (SELECT slot_ms, load, run, part, code, phase, circuit, other FROM curtailed WHERE slot_ms < ?1 \
     ORDER BY slot_ms LIMIT ?2)";
/// Thinned readings of the coarsest step.
pub(super) const FORGET_MEANS: &str = "DELETE FROM reading_mean \
     WHERE (step_ms, time_ms, circuit, has, phases) IN (SELECT step_ms, time_ms, circuit, has, phases \
     FROM reading_mean WHERE step_ms = 900000 AND time_ms < ?1 ORDER BY time_ms LIMIT ?2)";
pub(super) const OLD_RENEWALS: &str =
    "SELECT id FROM decision WHERE renewal_only = 1 AND time_ms < ?1 ORDER BY time_ms LIMIT ?2";
pub(super) const OLD_DECISIONS: &str =
    "SELECT id FROM decision WHERE time_ms < ?1 ORDER BY time_ms LIMIT ?2";
pub(super) const FORGET_ACTIONS: &str =
    "DELETE FROM action WHERE decision IN (SELECT value FROM json_each(?1))";
pub(super) const FORGET_DECISIONS: &str =
    "DELETE FROM decision WHERE id IN (SELECT value FROM json_each(?1))";

#[cfg(test)]
pub(super) const ALL: &[&str] = &[
    INSERT_RUN,
    HIGHEST,
    INSERT_READINGS,
    INSERT_EVENT,
    INSERT_DECISION,
    INSERT_ACTION,
    SET_SENT,
    SET_OUTCOME,
    SET_SEEN,
    INSERT_ALARM,
    INSERT_CHECKPOINT,
    CLOSE_ALARMS,
    DECISIONS_OF_TIME,
    INSERT_KINDS,
    LIST,
    UNLIST,
    UNLIST_DAMAGED,
    KINDS,
    NEWEST_OF_KIND,
    UNLISTED_BEFORE,
    UNLISTED,
    SET_UNLISTED,
    ALL_LISTED,
    NEWEST_UNLISTED,
    DECISIONS,
    DECISIONS_AFTER,
    DECISION,
    ACTIONS,
    TIMELINE,
    TIMELINE_OF_MEANS,
    LAST_OF_OLD_READINGS,
    THIN_READINGS,
    DELETE_READINGS,
    LAST_OF_OLD_MEANS,
    THIN_MEANS,
    DELETE_MEANS,
    INSERT_ENERGY,
    INSERT_CURTAILED,
    ENERGY,
    CURTAILED,
    FIRST_ENERGY,
    READINGS_OF_RUN,
    EVENTS_OF_RUN,
    BLOCKS_OF_RUN,
    RUNS,
    LAST_INPUT,
    DECISIONS_OF_RUN,
    ACTION_BODIES,
    DECIDED_SPAN,
    CHECKPOINTS_OF_RUN,
    CHECKPOINT,
    ALARMS,
    OLDEST_INPUT,
    FIRST_INPUT,
    NEXT_BLOCK,
    INSERT_BLOCK,
    DELETE_PACKED_READINGS,
    DELETE_PACKED_EVENTS,
    OLDEST_BLOCK,
    DELETE_BLOCK,
    BLOCKS_OF_TIME,
    FORGET_EVENTS,
    FORGET_CHECKPOINTS,
    FORGET_ENERGY,
    FORGET_CURTAILED,
    FORGET_MEANS,
    OLD_RENEWALS,
    OLD_DECISIONS,
    FORGET_ACTIONS,
    FORGET_DECISIONS,
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
