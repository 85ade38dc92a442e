"""Reads a journal as anybody can: by its schema, with the SQLite of Python.

For each input of the engine of one run, in order, one JSON line:

    {"event": {"t_ms": 1000, "type": "reading", …}, "state": "operating.normal", "actions": [{…}]}

`event` is a line for `headroom engine`; `state` and `actions` are what was recorded, null where the step
decided nothing.
"""

import json
import sqlite3
import sys


def reading(row):
    phases = []
    for line in range(row["phases"]):
        if not row["present"] >> line & 1:
            phases.append(None)
            continue
        name = f"l{line + 1}"
        milli = {"current_a": row[f"{name}_ma"], "voltage_v": row[f"{name}_mv"]}
        phase = {field: None if value is None else value / 1000 for field, value in milli.items()}
        phase["power_w"] = row[f"{name}_w"]
        phases.append(phase)
    return {
        "type": "reading",
        "phases": phases,
        "power_w": row["power_w"],
        "reactive_var": row["reactive_var"],
        "circuit": row["circuit"],
    }


def main():
    journal = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
    journal.row_factory = sqlite3.Row
    (run,) = journal.execute("SELECT max(id) FROM run").fetchone()
    inputs = {}
    for row in journal.execute("SELECT * FROM reading WHERE run = ?", (run,)):
        inputs[row["seq"]] = {"t_ms": row["t_ms"], **reading(row)}
    for row in journal.execute("SELECT * FROM event WHERE run = ?", (run,)):
        assert row["seq"] not in inputs, "one sequence for both"
        inputs[row["seq"]] = {"t_ms": row["t_ms"], **json.loads(row["body"])}
    actions = {}
    for row in journal.execute("SELECT * FROM action WHERE run = ? ORDER BY command", (run,)):
        actions.setdefault(row["decision"], []).append(json.loads(row["body"]))
    decisions = {
        row["seq"]: {"state": row["state"], "actions": actions.get(row["id"], [])}
        for row in journal.execute("SELECT * FROM decision WHERE run = ?", (run,))
    }
    expected = range(min(inputs), max(inputs) + 1)
    assert sorted(inputs) == list(expected), "no input is missing"
    for seq in expected:
        print(json.dumps({"event": inputs[seq], **decisions.get(seq, {"state": None, "actions": None})}))


main()
