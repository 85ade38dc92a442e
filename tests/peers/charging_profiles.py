"""The charging profiles of one connector, by the rules of OCPP 1.6, chapter 3.13."""

from datetime import datetime

VOLTAGE = 230.0


def parse_time(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


class Profiles:
    """What was installed, and the limit that comes of it."""

    def __init__(self, forever=False):
        self.forever = forever
        self.items = []
        self.frozen = None
        # The number of phases in the profile that came last; None if it names none.
        self.told_phases = None

    def freeze(self):
        """From now on only what is installed now counts as a default: until the next transaction."""
        self.frozen = list(self.items)

    def install(self, connector, profile):
        def replaces(other_connector, other):
            same_id = other["charging_profile_id"] == profile["charging_profile_id"]
            same_place = (
                other_connector == connector
                and other["charging_profile_purpose"] == profile["charging_profile_purpose"]
                and other["stack_level"] == profile["stack_level"]
            )
            return same_id or same_place

        self.items = [item for item in self.items if not replaces(*item)]
        self.items.append((connector, profile))
        self.told_phases = profile["charging_schedule"]["charging_schedule_period"][0].get("number_phases")

    def clear(self, profile_id=None, connector=None, purpose=None, level=None):
        def meant(other_connector, other):
            return (
                profile_id in (None, other["charging_profile_id"])
                and connector in (None, other_connector)
                and purpose in (None, other["charging_profile_purpose"])
                and level in (None, other["stack_level"])
            )

        before = len(self.items)
        self.items = [item for item in self.items if not meant(*item)]
        return len(self.items) < before

    def end_transaction(self):
        self.frozen = None
        self.items = [i for i in self.items if i[1]["charging_profile_purpose"] != "TxProfile"]

    def limit(self, purpose, now, transaction, started):
        """The limit of the highest stack level that has one now: amperes and phases, or None."""
        found = []
        defaults = purpose == "TxDefaultProfile" and self.frozen is not None
        for connector, profile in self.frozen if defaults else self.items:
            if profile["charging_profile_purpose"] != purpose:
                continue
            bound_to = profile.get("transaction_id")
            if purpose == "TxProfile" and (transaction is None or bound_to not in (None, transaction)):
                continue
            value = self.limit_of(profile, now, started, self.forever)
            if value is not None:
                found.append(((profile["stack_level"], connector), value))
        return max(found)[1] if found else None

    @staticmethod
    def limit_of(profile, now, started, forever=False):
        if "valid_from" in profile and now < parse_time(profile["valid_from"]):
            return None
        if "valid_to" in profile and now >= parse_time(profile["valid_to"]):
            return None
        schedule = profile["charging_schedule"]
        if profile["charging_profile_kind"] == "Relative" or "start_schedule" not in schedule:
            if started is None:
                return None
            start = started
        else:
            start = parse_time(schedule["start_schedule"])
        elapsed = (now - start).total_seconds()
        if elapsed < 0 or ("duration" in schedule and elapsed >= schedule["duration"]):
            return None
        current = None
        for period in schedule["charging_schedule_period"]:
            # One that does not look at its schedule again keeps to the first period.
            if period["start_period"] <= elapsed and not (forever and current):
                current = period
        if current is None:
            return None
        phases = int(current.get("number_phases") or 3)
        limit = float(current["limit"])
        if schedule["charging_rate_unit"] == "W":
            limit = limit / VOLTAGE / phases
        return limit, phases
