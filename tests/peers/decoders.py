"""Decodes telegrams with libraries that others wrote, and says where they and Headroom differ, and why.

    HEADROOM_BIN=target/release/headroom decoders.py [FOLDER…]

Each FOLDER (HEADROOM_CORPUS if none is named) holds captured telegrams and an `index.json` that lists them. What each
library makes of a file is compared, field by field, with the lines of `headroom decode`. Every difference must be one
of `known_differences.toml`, which says who is right and why; where the index says what was expected, it must agree.

Exit code 0: no difference that nobody explained in a current, voltage, power or energy. 1: there are some; they
are at the end.
"""

import argparse
import datetime
import difflib
import fnmatch
import importlib.metadata
import json
import logging
import os
import pathlib
import subprocess
import sys
import tomllib

from dsmr_parser import telegram_specifications as dsmr
from dsmr_parser.clients.telegram_buffer import EncryptedTelegramBuffer, TelegramBuffer
from dsmr_parser.exceptions import DecryptionError, InvalidChecksumError, ParseError
from dsmr_parser.parsers import TelegramParser
from han.autodecoder import AutoDecoder
from han.dlde import ModeDReader
from han.hdlc import HdlcFrameReader
from smllib import SmlStreamReader
from smllib.errors import CrcError

TOTALS = ("import_w", "export_w", "import_var", "export_var", "energy_import_kwh", "energy_export_kwh")
OF_A_PHASE = ("current_a", "voltage_v", "import_w", "export_w")
LINES = ("l1", "l2", "l3")
# Values that a decision may rest on. The clock is compared too, but no difference in it fails the check.
MATTERS = (*TOTALS, "power_w", *(f"{line}.{field}" for line in LINES for field in (*OF_A_PHASE, "power_w")))
# Numbers are decimal text or integers with a power of ten: what is left over is the libraries' arithmetic.
ARITHMETIC = 1e-6
KNOWN = pathlib.Path(__file__).with_name("known_differences.toml")


# --- what the libraries make of bytes: a list of telegrams as flat fields ------------------------------------------


class Refused(Exception):
    """The library does not give anything, and this is why."""


def amshan(entry, raw):
    """HDLC frames of Aidon, Kaifa and Kamstrup, and P1."""
    reader = HdlcFrameReader(False) if entry["protocol"] == "hdlc" else ModeDReader()
    try:
        messages = [message for message in reader.read(raw) if message.is_valid]
    except (ValueError, IndexError) as error:
        raise Refused(str(error)) from error
    if not messages:
        raise Refused("no valid frame")
    decoder = AutoDecoder()
    try:
        decoded = [decoder.decode_message(message) for message in messages]
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise Refused(f"{type(error).__name__}: {error}") from error
    if all(telegram is None for telegram in decoded):
        raise Refused("none of its decoders takes the contents")
    return [amshan_fields(telegram) for telegram in decoded if telegram is not None]


def amshan_fields(telegram):
    names = {
        "import_w": "active_power_import",
        "export_w": "active_power_export",
        "import_var": "reactive_power_import",
        "export_var": "reactive_power_export",
    }
    for line in LINES:
        names[f"{line}.current_a"] = f"current_{line}"
        names[f"{line}.voltage_v"] = f"voltage_{line}"
        names[f"{line}.import_w"] = f"active_power_import_{line}"
        names[f"{line}.export_w"] = f"active_power_export_{line}"
    fields = {field: number(telegram.get(name)) for field, name in names.items()}
    for field, total, register in (
        ("energy_import_kwh", "active_power_import_total", "1.8"),
        ("energy_export_kwh", "active_power_export_total", "2.8"),
    ):
        tariffs = [number(telegram.get(f"{register}.{tariff}")) for tariff in range(1, 5)]
        wh = first(number(telegram.get(total)), total_of(tariffs))
        fields[field] = None if wh is None else wh / 1000
    clock = telegram.get("meter_datetime")
    fields["meter_time"] = clock.replace(tzinfo=None).isoformat() if isinstance(clock, datetime.datetime) else None
    return present(fields)


DSMR_SPECIFICATIONS = {
    "NL DSMR 2.2": dsmr.V2_2,
    "NL DSMR 3": dsmr.V3,
    "NL DSMR 4": dsmr.V4,
    "BE": dsmr.BELGIUM_FLUVIUS,
    "LU encrypted": dsmr.MSN,
    "LU/AT encrypted P1": dsmr.SAGEMCOM_T210_D_R,
    "AT P1": {**dsmr.SAGEMCOM_T210_D_R, "general_global_cipher": False},
    "SE P1": dsmr.SWEDEN,
    "SE/FI P1": dsmr.SWEDEN,
    "FI P1": dsmr.SWEDEN,
    "DK P1": dsmr.SWEDEN,
    "HU P1": dsmr.EON_HUNGARY,
    # The families of our own encoder.
    "p1 nl 2": dsmr.V2_2,
    "p1 nl 4": dsmr.V4,
    "p1 be": dsmr.BELGIUM_FLUVIUS,
    "p1 lu": {**dsmr.MSN, "general_global_cipher": False},
    "p1 lu ciphered": dsmr.MSN,
    "p1 se": dsmr.SWEDEN,
    "p1 dk": dsmr.SWEDEN,
    "p1 lt": dsmr.SWEDEN,
    "p1 hu": dsmr.EON_HUNGARY,
    "p1 at": {**dsmr.SAGEMCOM_T210_D_R, "general_global_cipher": False},
    "p1 at ciphered": dsmr.SAGEMCOM_T210_D_R,
    "p1 at ciphered without tag": dsmr.SAGEMCOM_T210_D_R,
}
# Into W, var, Wh, V and A; other units are one of these already.
UNITS = {"kW": 1000, "kWh": 1000, "kvar": 1000, "kVAr": 1000, "kVar": 1000, "kV": 1000, "kA": 1000}


def dsmr_parser(entry, raw):
    """P1, by a specification that its user chooses."""
    specification = DSMR_SPECIFICATIONS.get(entry["family"], dsmr.V5)
    parser = TelegramParser(specification)
    keys = {}
    if specification.get("general_global_cipher"):
        buffer = EncryptedTelegramBuffer()
        buffer.append(raw)
        keys = {"encryption_key": entry["key"], "authentication_key": entry["auth_key"]}
    else:
        buffer = TelegramBuffer()
        buffer.append(raw.decode("latin-1"))
    telegrams, refused = [], "no whole telegram"
    for text in buffer.get_all():
        try:
            telegrams.append(dsmr_fields(parser.parse(text, **keys)))
        except (ParseError, InvalidChecksumError, DecryptionError) as error:
            refused = f"{type(error).__name__}: {error}"
        except (ValueError, TypeError) as error:
            refused = f"fails: {type(error).__name__}: {error}"
    if not telegrams:
        raise Refused(refused)
    return telegrams


def dsmr_fields(telegram):
    def of(name):
        value = getattr(telegram, name, None)
        if value is None or not hasattr(value, "value") or value.value is None:
            return None
        return number(value.value) * UNITS.get(value.unit, 1)

    fields = {
        "import_w": of("CURRENT_ELECTRICITY_USAGE"),
        "export_w": of("CURRENT_ELECTRICITY_DELIVERY"),
        "import_var": of("CURRENT_REACTIVE_IMPORTED"),
        "export_var": of("CURRENT_REACTIVE_EXPORTED"),
    }
    for number_, line in enumerate(LINES, 1):
        fields[f"{line}.current_a"] = of(f"INSTANTANEOUS_CURRENT_L{number_}")
        fields[f"{line}.voltage_v"] = of(f"INSTANTANEOUS_VOLTAGE_L{number_}")
        fields[f"{line}.import_w"] = of(f"INSTANTANEOUS_ACTIVE_POWER_L{number_}_POSITIVE")
        fields[f"{line}.export_w"] = of(f"INSTANTANEOUS_ACTIVE_POWER_L{number_}_NEGATIVE")
    for field, total, tariffs in (
        ("energy_import_kwh", "ELECTRICITY_IMPORTED_TOTAL", "ELECTRICITY_USED_TARIFF_"),
        ("energy_export_kwh", "ELECTRICITY_EXPORTED_TOTAL", "ELECTRICITY_DELIVERED_TARIFF_"),
    ):
        wh = first(of(total), total_of([of(f"{tariffs}{tariff}") for tariff in (1, 2)]))
        fields[field] = None if wh is None else wh / 1000
    clock = getattr(telegram, "P1_MESSAGE_TIMESTAMP", None)
    if clock is not None and clock.value is not None:
        fields["meter_time"] = clock.value.astimezone(datetime.UTC).isoformat()
    return present(fields)


SML_FIELDS = {
    "0100100700ff": "power_w",
    "0100010800ff": "energy_import_kwh",
    "0100020800ff": "energy_export_kwh",
    **{f"0100{code}0700ff": f"l{n}.current_a" for n, code in enumerate(("1f", "33", "47"), 1)},
    **{f"0100{code}0700ff": f"l{n}.voltage_v" for n, code in enumerate(("20", "34", "48"), 1)},
    **{f"0100{code}0700ff": f"l{n}.power_w" for n, code in enumerate(("24", "38", "4c"), 1)},
}


def smllib(entry, raw):
    """SML."""
    # Its user chooses the checksum.
    reader = SmlStreamReader(crc="kermit" if "kermit" in entry["family"] else "x25")
    reader.add(raw)
    telegrams, refused = [], "no whole frame"
    while True:
        try:
            frame = reader.get_frame()
            if frame is None:
                break
            messages = frame.parse_frame()
        except (CrcError, ValueError) as error:
            refused = type(error).__name__
            continue
        for message in messages:
            for value in getattr(message.message_body, "val_list", None) or []:
                field = SML_FIELDS.get(str(value.obis))
                if field is None or not isinstance(value.value, int):
                    continue
                if not telegrams or telegrams[-1][0] is not frame:
                    telegrams.append((frame, {}))
                scaled = value.get_value()
                telegrams[-1][1][field] = scaled / 1000 if field.endswith("_kwh") else scaled
    if not telegrams:
        raise Refused(refused)
    return [fields for _, fields in telegrams]


LIBRARIES = {"amshan": amshan, "dsmr-parser": dsmr_parser, "smllib": smllib}
READS = {"amshan": ("hdlc", "p1"), "dsmr-parser": ("p1",), "smllib": ("sml",)}


def number(value):
    return None if value is None or isinstance(value, (str, datetime.datetime)) else float(value)


def first(*values):
    return next((value for value in values if value is not None), None)


def total_of(values):
    values = [value for value in values if value is not None]
    return sum(values) if values else None


def present(fields):
    return {field: value for field, value in fields.items() if value is not None}


# --- what Headroom makes of them -----------------------------------------------------------------------------------


def headroom(program, path, entry):
    arguments = [program, "decode"]
    for option, field in (("--key", "key"), ("--auth-key", "auth_key")):
        if entry[field]:
            arguments += [option, entry[field]]
    if path.suffix == ".hex":
        arguments.append("--hex")
    outcome = subprocess.run([*arguments, path], capture_output=True, text=True, timeout=60, check=False)
    if outcome.returncode not in (0, 2):
        raise SystemExit(f"{path}: headroom decode ended with {outcome.returncode}: {outcome.stderr}")
    return [json.loads(line) for line in outcome.stdout.splitlines()]


def flat(telegram, library):
    """A line of `headroom decode`, or an expected one, as flat fields. A field that is not there was not decided."""
    fields = {field: telegram[field] for field in TOTALS if field in telegram}
    for phase in telegram.get("phases", []):
        for field in OF_A_PHASE:
            if field in phase:
                fields[f"{phase['phase']}.{field}"] = phase[field]
    if "meter_time" in telegram:
        fields["meter_time"] = clock_for(library, telegram["meter_time"])
    if library == "smllib":
        # It gives the registers of SML, where power has a sign.
        for place in ("", "l1.", "l2.", "l3."):
            drawn, fed_in = fields.pop(f"{place}import_w", None), fields.pop(f"{place}export_w", None)
            if drawn is not None or fed_in is not None:
                fields[f"{place}power_w"] = (drawn or 0) - (fed_in or 0)
    return fields


def clock_for(library, clock):
    """The clock as the library gives it: dsmr-parser as an instant, amshan by its face."""
    if clock is None:
        return None
    instant = datetime.datetime.fromisoformat(clock)
    if library == "dsmr-parser" and instant.tzinfo:
        return instant.astimezone(datetime.UTC).isoformat()
    return instant.replace(tzinfo=None).isoformat()


# --- the comparison ------------------------------------------------------------------------------------------------


def same(theirs, ours):
    if isinstance(theirs, (int, float)) and isinstance(ours, (int, float)):
        return abs(theirs - ours) <= ARITHMETIC * max(1, abs(theirs), abs(ours))
    return theirs == ours


def pairs(theirs, ours):
    """Telegrams of both that are the same one, in order; None where one of them has no such telegram."""
    if len(theirs) == len(ours):
        return list(zip(theirs, ours))

    def key(fields):
        return tuple(fields.get(field) for field in ("meter_time", "import_w", "export_w", "l1.current_a"))

    matcher = difflib.SequenceMatcher(None, [key(one) for one in theirs], [key(one) for one in ours], autojunk=False)
    together, at_theirs, at_ours = [], 0, 0
    for block in matcher.get_matching_blocks():
        together += [(one, None) for one in theirs[at_theirs : block.a]]
        together += [(None, one) for one in ours[at_ours : block.b]]
        together += zip(theirs[block.a : block.a + block.size], ours[block.b : block.b + block.size])
        at_theirs, at_ours = block.a + block.size, block.b + block.size
    return together


def differences(theirs, ours):
    """Kind, field, their value, our value and place of what is not the same."""
    for place, (one, other) in enumerate(pairs(theirs, ours)):
        if one is None:
            yield "they refuse", "*", None, "a telegram", place
        elif other is None:
            yield "we refuse", "*", "a telegram", None, place
        else:
            for field in (*MATTERS, "meter_time"):
                their, our = one.get(field), other.get(field)
                if same(their, our):
                    continue
                kind = "they lack" if their is None else "we lack" if our is None else "differs"
                yield kind, field, their, our, place


RIGHT = {"headroom": "Headroom is right", "library": "they are right", "open": "open"}


class Known:
    """The reviewed list of differences."""

    def __init__(self):
        with KNOWN.open("rb") as file:
            self.rules = tomllib.load(file)["difference"]
        for rule in self.rules:
            assert rule["right"] in RIGHT, rule
        self.used = set()
        self.files = set()

    def unseen(self):
        """Rules for files that were compared, and whose difference did not occur."""
        return [
            rule
            for at, rule in enumerate(self.rules)
            if at not in self.used
            and any(fnmatch.fnmatchcase(file, pattern) for pattern in rule["files"] for file in self.files)
        ]

    def find(self, library, file, kind, field):
        for at, rule in enumerate(self.rules):
            if (
                rule["library"] == library
                and kind == rule["kind"]
                and any(fnmatch.fnmatchcase(file, pattern) for pattern in rule["files"])
                and any(fnmatch.fnmatchcase(field, pattern) for pattern in rule.get("fields", ["*"]))
            ):
                self.used.add(at)
                return rule
        return None


def compare(library, entry, theirs, ours, expected, known):
    """Lines of the table, and what nobody explained."""
    file, lines, unexplained = entry["file"], {}, []
    for kind, field, their, our, place in differences(theirs, ours):
        rule = known.find(library, file, kind, field)
        wanted = expected[place].get(field, "?") if len(expected) == len(ours) and place < len(expected) else "?"
        corpus = "?"
        if wanted != "?":
            corpus = "ours" if same(wanted, our) else "theirs" if same(wanted, their) else "neither"
        text = {
            "they refuse": "a telegram that they do not give",
            "we refuse": "a telegram that Headroom does not give",
            "they lack": f"{field} is missing there (here {our})",
            "we lack": f"{field} is missing here (theirs {their})",
            "differs": f"{field}: theirs {their}, ours {our}",
        }[kind]
        if corpus == "theirs" and not (rule and rule["right"] == "library"):
            unexplained.append(f"{file}: {library}: {text}: the index says that they are right")
        elif rule is None and field != "meter_time":
            unexplained.append(f"{file}: {library}: {text}")
        why = rule["why"] if rule else "NOT EXPLAINED"
        right = RIGHT[rule["right"]] if rule else ""
        # The same difference in many fields or telegrams of a file is one line.
        lines.setdefault((kind, right, why), []).append((field, text, corpus))
    return lines, unexplained


def main():
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    corpus = os.environ.get("HEADROOM_CORPUS", "../shared/telegrams")
    options.add_argument("folder", type=pathlib.Path, nargs="*", default=[pathlib.Path(corpus)])
    options = options.parse_args()
    program = pathlib.Path(os.environ.get("HEADROOM_BIN", "target/release/headroom"))
    if not program.is_file():
        raise SystemExit(f"there is no program {program}: name it with HEADROOM_BIN")
    logging.disable(logging.CRITICAL)
    known, unexplained = Known(), []
    versions = {library: importlib.metadata.version(library) for library in LIBRARIES}
    print("compared with", ", ".join(f"{library} {version}" for library, version in versions.items()))
    counts = {library: dict.fromkeys(("agrees", "differs", "refuses", "not for it"), 0) for library in LIBRARIES}
    for folder in options.folder:
        print(f"\n{'file':40} {'library':12} result")
        for entry in json.loads((folder / "index.json").read_text("utf-8")):
            unexplained += one_file(program, folder / entry["file"], entry, known, counts)
    print()
    for library, count in counts.items():
        print(f"{library:12}", ", ".join(f"{verdict} {number_}" for verdict, number_ in count.items()))
    for rule in known.unseen():
        print(f"no longer seen: {rule['library']}, {', '.join(rule['files'])}, {rule['kind']}: {rule['why']}")
    if unexplained:
        print("\nnobody explained:")
        print("\n".join(unexplained))
    return 1 if unexplained else 0


def one_file(program, path, entry, known, counts):
    raw = path.read_bytes()
    if path.suffix == ".hex":
        raw = bytes.fromhex(raw.decode("ascii"))
    if entry["protocol"] == "p1" and raw[-1:].isalnum():
        # The libraries wait for the end of the line, which this capture lacks.
        raw += b"\r\n"
    if entry["protocol"] == "p1" and entry["key"] is None and any(byte > 0x7F for byte in raw):
        # The libraries' user opens such a port with seven data bits, and they never see the parity.
        raw = bytes(byte & 0x7F for byte in raw)
    known.files.add(entry["file"])
    decoded, unexplained = headroom(program, path, entry), []
    for library, decode in LIBRARIES.items():
        if entry["protocol"] not in READS[library]:
            counts[library]["not for it"] += 1
            continue
        ours = [flat(telegram, library) for telegram in decoded]
        expected = [flat(telegram, library) for telegram in entry["expected"]]
        try:
            theirs, refusal = decode(entry, raw), ""
        except Refused as error:
            theirs, refusal = [], str(error)
        lines, more = compare(library, entry, theirs, ours, expected, known)
        unexplained += more
        verdict = "differs" if lines else "agrees"
        if not theirs and ours:
            verdict = "refuses"
        counts[library][verdict] += 1
        told = f"refuses: {refusal}" if verdict == "refuses" else f"{verdict}, {len(theirs)} of {len(ours)} telegrams"
        if not theirs and not ours:
            told = "agrees: no telegram"
        print(f"{entry['file']:40} {library:12} {told}")
        for (kind, right, why), found in lines.items():
            fields = sorted({field for field, _, _ in found})
            verdicts = sorted({corpus for _, _, corpus in found if corpus != "?"})
            sample = found[0][1] if len(fields) == 1 or kind == "differs" else f"{kind}: {', '.join(fields)}"
            times = f" ({len(found)} ×)" if len(found) > len(fields) else ""
            index = f"; the index says: {', '.join(verdicts)}" if verdicts else ""
            print(f"{'':40} {'':12}   {sample}{times}\n{'':40} {'':12}     {right or '?'}{index}: {why}")
    return unexplained


if __name__ == "__main__":
    sys.exit(main())
