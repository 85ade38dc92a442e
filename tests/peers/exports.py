"""Reads the exports of decisions with pyarrow, and compares every value with the JSON lines and with the CSV.

    exports.py http://127.0.0.1:8080 journal.db

The service must be open on loopback, as the demo is. Old decisions are copied in the journal first, so that the table has
several row groups. Prints how much was compared; exit code 1 at the first difference.
"""

import csv
import datetime
import io
import json
import sqlite3
import sys
import urllib.request

import pyarrow
import pyarrow.parquet

COPIES = 30
TEXT = ["state", "reason_code", "reason", "load", "action_code", "action_reason", "outcome"]
TIMES = ["time", "sent_at", "acknowledged_at", "seen_at"]
TYPES = {
    "id": pyarrow.int64(), "command": pyarrow.int64(), "phases": pyarrow.int64(),
    "limit_a": pyarrow.float64(), "on": pyarrow.bool_(), "renewal": pyarrow.bool_(),
    **{name: pyarrow.string() for name in TEXT},
    **{name: pyarrow.timestamp("ms", tz="UTC") for name in TIMES},
}


def multiply(journal):
    """The same decisions again, under numbers below all others."""
    with sqlite3.connect(journal, timeout=20) as database:
        for copy in range(1, COPIES + 1):
            far = copy * 1_000_000
            database.execute(
                "INSERT INTO decision (id, run, seq, time_ms, t_ms, state, reason_code, reason, renewal_only, inputs, packed)"
                " SELECT id - ?1, run + ?1, seq, time_ms, t_ms, state, reason_code, reason, renewal_only, inputs, packed"
                " FROM decision WHERE id > 0", [far])
            database.execute(
                "INSERT INTO action (run, command, decision, load, reason_code, renewal, body, outcome, sent_ms,"
                " acknowledged_ms, seen_ms) SELECT run + ?1, command, decision - ?1, load, reason_code, renewal, body, outcome,"
                " sent_ms, acknowledged_ms, seen_ms FROM action WHERE decision > 0", [far])
        # They are not in the list of kinds, as those of an earlier schema are not: the service puts them there when it tidies.
        database.execute("INSERT INTO decision_unlisted (before) SELECT min(id) FROM decision WHERE id > 0")


def fetch(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.headers["content-type"], answer.read()


def moment(text):
    """RFC 3339 with milliseconds, always."""
    if text is None:
        return None
    assert len(text) == len("2026-01-15T12:00:00.000Z") and text[19] == ".", text
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def rows_of(lines):
    for line in lines.decode().splitlines():
        decision = json.loads(line)
        head = {
            "id": decision["id"], "time": moment(decision["time"]), "state": decision["state"],
            "reason_code": decision["reason"]["code"], "reason": decision["reason"]["text"],
        }
        for action in decision["actions"] or [None]:
            row = dict.fromkeys(TYPES) | head
            if action:
                row |= {
                    "command": action["command"], "load": action["load"], "limit_a": action.get("limit_a"), "on": action.get("on"),
                    "phases": action.get("phases"), "renewal": action["renewal"], "action_code": action["reason"]["code"],
                    "action_reason": action["reason"]["text"], "outcome": action["outcome"], "sent_at": moment(action["sent_at"]),
                    "acknowledged_at": moment(action["acknowledged_at"]), "seen_at": moment(action["seen_at"]),
                }
            yield row


def of_csv(row):
    def value(name, text):
        if text == "":
            return None
        if name in TIMES:
            return moment(text)
        if TYPES[name] == pyarrow.int64():
            return int(text)
        if TYPES[name] == pyarrow.bool_():
            return {"true": True, "false": False}[text]
        return float(text) if name == "limit_a" else text.removeprefix("'")
    return {name: value(name, text) for name, text in row.items()}


def compare(base, query):
    # What becomes of a command may be told between two answers: until nothing was.
    while True:
        lines = fetch(f"{base}/api/v1/decisions.jsonl{query}")[1]
        kind, table = fetch(f"{base}/api/v1/decisions.parquet{query}")
        text = fetch(f"{base}/api/v1/decisions.csv{query}")[1]
        if lines == fetch(f"{base}/api/v1/decisions.jsonl{query}")[1]:
            break
    assert kind == "application/vnd.apache.parquet", kind
    file = pyarrow.parquet.ParquetFile(io.BytesIO(table))
    schema = {field.name: field.type for field in file.schema_arrow}
    assert schema == TYPES, schema
    found = file.read().to_pylist()
    wanted = list(rows_of(lines))
    assert len(found) == len(wanted), (len(found), len(wanted))
    for one, other in zip(found, wanted):
        assert one == other, f"parquet has {one}\njson has {other}"
    table_of_text = [of_csv(row) for row in csv.DictReader(io.StringIO(text.decode(), newline=""))]
    assert table_of_text == wanted, "the CSV differs"
    groups = file.metadata.num_row_groups
    print(f"{query or 'all'}: {len(found)} rows in {groups} row groups, {len(table)} bytes, written by {file.metadata.created_by}")
    return len(found), groups


base, journal = sys.argv[1:]
multiply(journal)
# The clock of the demo may be fast: its own newest decision ends what is compared.
now = json.loads(fetch(f"{base}/api/v1/decisions?limit=1")[1])["items"][0]["time"]
rows, groups = compare(base, f"?renewals=true&to={now}")
assert groups > 1 and rows > 500, (rows, groups)
some, _ = compare(base, f"?load=ev1&to={now}")
assert 0 < some < rows, (some, rows)
none, _ = compare(base, "?load=nobody")
assert none == 0
