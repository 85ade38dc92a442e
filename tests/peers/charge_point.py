"""A charge point with a car, made with the library `ocpp` (PyPI) as an independent peer.

It connects to a central system as OCPP 1.6J asks (subprotocol, Basic authentication, boot, status,
transaction), keeps the charging profiles that it is given and obeys them by its own clock, also while the
connection is down. What it draws is written to standard output, one JSON object per line and change:

    {"t": 12.345, "connected": true, "status": "Charging", "limit_a": 10.0, "current_a": [10.0, 10.0, 10.0],
     "profiles": 2, "transaction": 42, "energy_wh": 3.1}

`t` is CLOCK_MONOTONIC in seconds. Lines on standard input: `plug`, `unplug`, `full` (the car takes no
more), `quit`. It says {"event": "refused", "status": 401} when the handshake is refused.
"""

import argparse
import asyncio
import base64
import contextlib
import json
import sys
import time
from datetime import datetime, timezone

import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint as Base
from ocpp.v16 import call, call_result

STEP_S = 0.1
RAMP_A_PER_S = 20.0
RECONNECT_S = 0.5
VOLTAGE = 230.0


def utc_now():
    return datetime.now(timezone.utc)


def stamp():
    return utc_now().strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def say(**line):
    print(json.dumps(line), flush=True)


class Profiles:
    """The profiles of one connector, by the rules of OCPP 1.6, chapter 3.13."""

    def __init__(self):
        self.items = []

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
        self.items = [i for i in self.items if i[1]["charging_profile_purpose"] != "TxProfile"]

    def limit(self, purpose, now, transaction, started):
        """The limit of the highest stack level that has one now: amperes and phases, or None."""
        found = []
        for connector, profile in self.items:
            if profile["charging_profile_purpose"] != purpose:
                continue
            bound_to = profile.get("transaction_id")
            if purpose == "TxProfile" and (transaction is None or bound_to not in (None, transaction)):
                continue
            value = self.limit_of(profile, now, started)
            if value is not None:
                found.append(((profile["stack_level"], connector), value))
        return max(found)[1] if found else None

    @staticmethod
    def limit_of(profile, now, started):
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
            if period["start_period"] <= elapsed:
                current = period
        if current is None:
            return None
        phases = int(current.get("number_phases") or 3)
        limit = float(current["limit"])
        if schedule["charging_rate_unit"] == "W":
            limit = limit / VOLTAGE / phases
        return limit, phases


class Outlet:
    """The power side: connector, cable, car and energy register. Lives on without a connection."""

    def __init__(self, options):
        self.options = options
        self.profiles = Profiles()
        self.plugged = not options.unplugged
        self.full = False
        self.transaction = None
        self.started = None
        self.draw = 0.0
        self.phases = options.phases
        self.energy_wh = 0.0
        self.connected = False
        self.status = "Available"
        self.changed = asyncio.Event()
        self.said = None

    def limit(self):
        now = utc_now()
        limit, phases = float(self.options.max), self.options.phases
        chosen = self.profiles.limit("TxProfile", now, self.transaction, self.started)
        if chosen is None:
            chosen = self.profiles.limit("TxDefaultProfile", now, self.transaction, self.started)
        for value in (chosen, self.profiles.limit("ChargePointMaxProfile", now, self.transaction, self.started)):
            if value is not None:
                limit, phases = min(limit, value[0]), min(phases, value[1])
        return limit, phases

    def step(self, seconds):
        limit, phases = self.limit()
        if self.options.deaf:
            limit, phases = float(self.options.max), self.options.phases
        may = limit >= self.options.min and self.transaction is not None and not self.full
        wanted = min(limit, self.options.car) if may else 0.0
        if wanted > self.draw:
            self.draw = min(wanted, max(self.draw, self.options.min) + RAMP_A_PER_S * seconds)
        else:
            self.draw = wanted
        self.phases = phases
        self.energy_wh += self.draw * self.phases * VOLTAGE * seconds / 3600.0
        if not self.plugged:
            status = "Available"
        elif self.transaction is None:
            status = "Preparing"
        elif self.full:
            status = "SuspendedEV"
        elif self.draw > 0:
            status = "Charging"
        else:
            status = "SuspendedEVSE"
        if status != self.status:
            self.status = status
            self.changed.set()
        self.tell(limit)

    def current(self):
        live = [self.draw if phase < self.phases else 0.0 for phase in range(self.options.phases)]
        return [round(value, 2) for value in live]

    def tell(self, limit):
        line = {
            "connected": self.connected,
            "status": self.status,
            "limit_a": round(limit, 2),
            "current_a": self.current(),
            "profiles": len(self.profiles.items),
            "transaction": self.transaction,
        }
        if line != self.said:
            self.said = line
            say(t=round(time.monotonic(), 3), energy_wh=round(self.energy_wh, 3), **line)


class ChargePoint(Base):
    """The protocol side, new with every connection."""

    def __init__(self, outlet, connection, options):
        super().__init__(options.id, connection, response_timeout=10)
        self.outlet = outlet
        self.options = options
        self.interval_s = options.sample
        self.wake = asyncio.Event()

    @on("SetChargingProfile")
    def set_charging_profile(self, connector_id, cs_charging_profiles):
        profile = cs_charging_profiles
        if connector_id not in (0, 1):
            return call_result.SetChargingProfile(status="Rejected")
        purpose = profile["charging_profile_purpose"]
        if purpose == "TxProfile" and self.outlet.transaction is None:
            return call_result.SetChargingProfile(status="Rejected")
        if purpose == "ChargePointMaxProfile" and connector_id != 0:
            return call_result.SetChargingProfile(status="Rejected")
        first = profile["charging_schedule"]["charging_schedule_period"][0]
        if first["start_period"] != 0 or profile["stack_level"] > 8:
            return call_result.SetChargingProfile(status="Rejected")
        self.outlet.profiles.install(connector_id, profile)
        return call_result.SetChargingProfile(status="Accepted")

    @on("ClearChargingProfile")
    def clear_charging_profile(self, id=None, connector_id=None, charging_profile_purpose=None, stack_level=None):
        cleared = self.outlet.profiles.clear(id, connector_id, charging_profile_purpose, stack_level)
        return call_result.ClearChargingProfile(status="Accepted" if cleared else "Unknown")

    @on("GetCompositeSchedule")
    def get_composite_schedule(self, connector_id, duration, charging_rate_unit=None):
        limit, _ = self.outlet.limit()
        return call_result.GetCompositeSchedule(
            status="Accepted",
            connector_id=connector_id,
            schedule_start=stamp(),
            charging_schedule={
                "charging_rate_unit": "A",
                "duration": duration,
                "charging_schedule_period": [{"start_period": 0, "limit": round(limit, 1)}],
            },
        )

    def configuration(self):
        return {
            "AuthorizeRemoteTxRequests": ("false", False),
            "ChargeProfileMaxStackLevel": ("8", True),
            "ChargingScheduleAllowedChargingRateUnit": ("Current,Power", True),
            "ChargingScheduleMaxPeriods": ("16", True),
            "ConnectorSwitch3to1PhaseSupported": ("false", True),
            "HeartbeatInterval": ("300", False),
            "MaxChargingProfilesInstalled": ("10", True),
            "MeterValueSampleInterval": (str(self.interval_s), False),
            "MeterValuesSampledData": ("Current.Import,Current.Offered,Energy.Active.Import.Register", False),
            "NumberOfConnectors": ("1", True),
            "SupportedFeatureProfiles": ("Core,SmartCharging,RemoteTrigger", True),
            "WebSocketPingInterval": ("10", False),
        }

    @on("GetConfiguration")
    def get_configuration(self, key=None):
        known = self.configuration()
        asked = key or list(known)
        return call_result.GetConfiguration(
            configuration_key=[
                {"key": name, "value": known[name][0], "readonly": known[name][1]} for name in asked if name in known
            ],
            unknown_key=[name for name in asked if name not in known],
        )

    @on("ChangeConfiguration")
    def change_configuration(self, key, value):
        known = self.configuration()
        if key not in known:
            return call_result.ChangeConfiguration(status="NotSupported")
        if known[key][1]:
            return call_result.ChangeConfiguration(status="Rejected")
        if key == "MeterValueSampleInterval":
            # A real one takes what it is told, within its bounds; the tests' bound is short.
            self.interval_s = max(1, min(int(value), self.options.sample))
        return call_result.ChangeConfiguration(status="Accepted")

    @on("TriggerMessage")
    def trigger_message(self, requested_message, connector_id=None):
        if requested_message == "MeterValues":
            self.wake.set()
        elif requested_message == "StatusNotification":
            self.outlet.changed.set()
        elif requested_message == "BootNotification":
            asyncio.get_running_loop().create_task(self.boot())
        else:
            return call_result.TriggerMessage(status="NotImplemented")
        return call_result.TriggerMessage(status="Accepted")

    @on("ChangeAvailability")
    def change_availability(self, connector_id, type):
        return call_result.ChangeAvailability(status="Accepted")

    async def boot(self):
        while True:
            answer = await self.call(
                call.BootNotification(charge_point_model="Peer-1", charge_point_vendor="Tests", firmware_version="1.0")
            )
            if answer is not None and answer.status == "Accepted":
                return
            await asyncio.sleep(1)

    async def status(self):
        await self.call(
            call.StatusNotification(
                connector_id=1, error_code="NoError", status=self.outlet.status, timestamp=stamp()
            )
        )

    async def statuses(self):
        while True:
            await self.outlet.changed.wait()
            self.outlet.changed.clear()
            await self.status()

    async def transactions(self):
        while True:
            outlet = self.outlet
            if outlet.plugged and outlet.transaction is None:
                answer = await self.call(
                    call.StartTransaction(
                        connector_id=1, id_tag="CAR", meter_start=int(outlet.energy_wh), timestamp=stamp()
                    )
                )
                if answer is not None and answer.id_tag_info["status"] == "Accepted":
                    outlet.transaction = answer.transaction_id
                    outlet.started = utc_now()
            elif not outlet.plugged and outlet.transaction is not None:
                await self.call(
                    call.StopTransaction(
                        transaction_id=outlet.transaction, meter_stop=int(outlet.energy_wh), timestamp=stamp()
                    )
                )
                outlet.transaction = None
                outlet.started = None
                outlet.profiles.end_transaction()
            await asyncio.sleep(STEP_S)

    async def meter_values(self):
        while True:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.wake.wait(), self.interval_s)
            self.wake.clear()
            limit, _ = self.outlet.limit()
            sampled = [
                {"measurand": "Current.Import", "phase": f"L{phase + 1}", "unit": "A", "value": f"{value:.2f}"}
                for phase, value in enumerate(self.outlet.current())
            ]
            sampled.append({"measurand": "Current.Offered", "unit": "A", "value": f"{limit:.1f}"})
            sampled.append(
                {"measurand": "Energy.Active.Import.Register", "unit": "Wh", "value": f"{self.outlet.energy_wh:.0f}"}
            )
            await self.call(
                call.MeterValues(
                    connector_id=1,
                    transaction_id=self.outlet.transaction,
                    meter_value=[{"timestamp": stamp(), "sampled_value": sampled}],
                )
            )


async def power(outlet):
    before = time.monotonic()
    while True:
        await asyncio.sleep(STEP_S)
        now = time.monotonic()
        outlet.step(now - before)
        before = now


async def talk(outlet, options):
    """Connects again and again; the boot is told once, as after a power-up."""
    headers = {}
    if options.password is not None:
        secret = base64.b64encode(f"{options.id}:{options.password}".encode()).decode()
        headers["Authorization"] = f"Basic {secret}"
    booted = False
    while True:
        try:
            async with websockets.connect(
                f"{options.url}/{options.id}",
                subprotocols=["ocpp1.6"],
                additional_headers=headers,
                ping_interval=5,
                ping_timeout=5,
            ) as connection:
                point = ChargePoint(outlet, connection, options)
                outlet.connected = True
                jobs = [asyncio.create_task(point.start())]
                try:
                    if not booted:
                        await first_of(jobs[0], point.boot())
                        booted = True
                    await first_of(jobs[0], point.status())
                    jobs += [
                        asyncio.create_task(job())
                        for job in (point.statuses, point.transactions, point.meter_values)
                    ]
                    await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for job in jobs:
                        job.cancel()
                    await asyncio.gather(*jobs, return_exceptions=True)
        except websockets.exceptions.InvalidStatus as refused:
            say(event="refused", status=refused.response.status_code)
        except (OSError, websockets.exceptions.WebSocketException, asyncio.TimeoutError):
            pass
        outlet.connected = False
        await asyncio.sleep(RECONNECT_S)


async def first_of(reader, work):
    """Does the work unless the connection ends before."""
    task = asyncio.ensure_future(work)
    done, _ = await asyncio.wait({reader, task}, return_when=asyncio.FIRST_COMPLETED)
    if task not in done:
        task.cancel()
        raise websockets.exceptions.ConnectionClosedError(None, None)
    task.result()


async def commands(outlet):
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while True:
        line = await reader.readline()
        if not line or line.strip() == b"quit":
            return
        if line.strip() == b"plug":
            outlet.plugged, outlet.full = True, False
        elif line.strip() == b"unplug":
            outlet.plugged = False
        elif line.strip() == b"full":
            outlet.full = True


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True, help="ws://host:port, without the identity")
    parser.add_argument("--id", required=True)
    parser.add_argument("--password")
    parser.add_argument("--phases", type=int, default=3)
    parser.add_argument("--min", type=float, default=6.0, help="least current of the charger, in amperes")
    parser.add_argument("--max", type=float, default=16.0, help="most that the charger offers, in amperes")
    parser.add_argument("--car", type=float, default=32.0, help="most that the car takes, in amperes")
    parser.add_argument("--sample", type=int, default=1, help="seconds between meter values")
    parser.add_argument("--unplugged", action="store_true", help="without a car at first")
    parser.add_argument("--deaf", action="store_true", help="accepts profiles and does not follow them")
    options = parser.parse_args()
    outlet = Outlet(options)
    jobs = [asyncio.create_task(job) for job in (power(outlet), talk(outlet, options), commands(outlet))]
    done, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
    for job in done:
        job.result()


asyncio.run(main())
