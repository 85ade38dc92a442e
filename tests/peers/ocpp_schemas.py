"""Judges OCPP payloads by the official schemas, as the library `ocpp` (PyPI) carries them.

One JSON array per line on standard input: ["2.0.1", 2, "SetChargingProfile", {...}], with 2 for a call and 3
for its answer. Each violation is a line on standard output; then the exit code is 1. The last line counts.
"""

import json
import sys

from ocpp.messages import get_validator


def main():
    judged = violations = 0
    for line in sys.stdin:
        version, kind, action, payload = json.loads(line)
        judged += 1
        for error in get_validator(kind, action, version).iter_errors(payload):
            violations += 1
            where = "/".join(str(part) for part in error.absolute_path)
            print(f"{version} {action} {kind}: {where}: {error.message}")
    print(f"{judged} payloads, {violations} violations")
    return 1 if violations else 0


sys.exit(main())
