"""A charge point with a car, made with the library `ocpp` (PyPI) as an independent peer.

It connects to a central system as OCPP 1.6J asks (subprotocol, Basic authentication, boot, status,
transaction), keeps the charging profiles that it is given and obeys them by its own clock, also while the
connection is down. What it draws is written to standard output, one JSON object per line and change:

    {"t": 12.345, "connected": true, "status": "Charging", "limit_a": 10.0, "current_a": [10.0, 10.0, 10.0],
     "profiles": 2, "transaction": 42, "energy_wh": 3.1}

`t` is CLOCK_MONOTONIC in seconds. Lines on standard input: `plug`, `unplug`, `full` (the car takes no
more), `mute` (it says and answers nothing any more, and its connection stays), `speak` (it answers again), `quit`. It says {"event": "refused", "status": 401} when the handshake is refused.

With --manner it has a peculiarity of charge points in the field; MANNERS lists them.
"""

import argparse
import asyncio
import base64
import contextlib
import json
import time
from collections import deque

import websockets
from charging_profiles import VOLTAGE
from ocpp.routing import on
from ocpp.v16 import ChargePoint as Base
from ocpp.v16 import call, call_result
from outlet import RECONNECT_S, STEP_S, Outlet, commands, first_of, power, say, tls

MANNERS = {
    "w-only": "takes limits in watts only",
    "a-only": "takes limits in amperes only",
    "stack-0": "takes stack level 0 only",
    "one-profile": "refuses to hold a second profile",
    "next-session": "applies a default profile to the next transaction only",
    "slow": "answers after three seconds",
    "late": "sends values that are ten seconds old",
    "clock-fast": "its clock is five minutes fast",
    "clock-slow": "its clock is five minutes slow",
    "local-time": "writes local time without a zone",
    "no-subprotocol": "offers no subprotocol",
    "no-boot": "never sends a boot notification",
    "boot-storm": "boots each second for ten seconds",
    "early-call": "breaks the connection on a call before its boot",
    "reconnect": "breaks and makes the connection each five seconds",
    "half-open": "leaves a dead connection behind each ten seconds",
    "transaction-1": "says transaction -1 in its meter values",
    "phase-n": "calls its only phase N",
    "keeps-limit": "does not fall back when its limit has run out",
    "kilowatts": "tells power and voltage, no current",
    "numbers": "sends values as JSON numbers",
    "strings": "sends numbers as texts",
    "two-connectors": "has a second connector with a car",
    "three-to-one": "changes between three phases and one",
    "rejects": "rejects every profile",
    "unknown": "does not know SetChargingProfile",
}
SLOW_S = 3.0
LATE_S = 10.0
STORM_S = 10
EARLY_BOOT_S = 3.0
LINK_S = {"reconnect": 5.0, "half-open": 10.0}


class ChargePoint(Base):
    """The protocol side, new with every connection."""

    def __init__(self, outlet, connection, options):
        super().__init__(options.id, connection, response_timeout=10)
        self.outlet = outlet
        self.options = options
        self.manner = options.manner
        self.interval_s = options.sample
        self.wake = asyncio.Event()
        self.booted = False
        self.values = deque(maxlen=100)
        if "unknown" in self.manner:
            del self.route_map["SetChargingProfile"]

    async def call(self, payload, *more, **named):
        if self.outlet.mute:
            await asyncio.Event().wait()
        if "strings" in self.manner:
            # A number that is a text breaks the schema.
            named["skip_schema_validation"] = True
            for name in ("connector_id", "transaction_id", "meter_start", "meter_stop"):
                if getattr(payload, name, None) is not None:
                    setattr(payload, name, str(getattr(payload, name)))
        return await super().call(payload, *more, **named)

    async def route_message(self, raw_msg):
        if self.outlet.mute:
            return
        call_of_theirs = json.loads(raw_msg)[0] == 2
        if call_of_theirs and "early-call" in self.manner and not self.booted:
            raise websockets.exceptions.ConnectionClosedError(None, None)
        if call_of_theirs and "slow" in self.manner:
            await asyncio.sleep(SLOW_S)
        await super().route_message(raw_msg)

    def takes(self, connector_id, profile):
        purpose = profile["charging_profile_purpose"]
        schedule = profile["charging_schedule"]
        unit = schedule["charging_rate_unit"]
        others = [
            item
            for item in self.outlet.profiles.items
            if item[1]["charging_profile_id"] != profile["charging_profile_id"]
        ]
        return (
            "rejects" not in self.manner
            and connector_id in (0, 1)
            and (purpose != "TxProfile" or self.outlet.transaction is not None)
            and (purpose != "ChargePointMaxProfile" or connector_id == 0)
            and schedule["charging_schedule_period"][0]["start_period"] == 0
            and profile["stack_level"] <= self.max_stack()
            and not ("w-only" in self.manner and unit != "W")
            and not ("a-only" in self.manner and unit != "A")
            and not ("one-profile" in self.manner and others)
        )

    def max_stack(self):
        return 0 if "stack-0" in self.manner else 8

    @on("SetChargingProfile")
    def set_charging_profile(self, connector_id, cs_charging_profiles):
        if not self.takes(connector_id, cs_charging_profiles):
            return call_result.SetChargingProfile(status="Rejected")
        self.outlet.profiles.install(connector_id, cs_charging_profiles)
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
            schedule_start=self.outlet.clock.stamp(),
            charging_schedule={
                "charging_rate_unit": "A",
                "duration": duration,
                "charging_schedule_period": [{"start_period": 0, "limit": round(limit, 1)}],
            },
        )

    def configuration(self):
        units = "Power" if "w-only" in self.manner else "Current" if "a-only" in self.manner else "Current,Power"
        connectors = "2" if "two-connectors" in self.manner else "1"
        switches = "true" if "three-to-one" in self.manner else "false"
        return {
            "AuthorizeRemoteTxRequests": ("false", False),
            "ChargeProfileMaxStackLevel": (str(self.max_stack()), True),
            "ChargingScheduleAllowedChargingRateUnit": (units, True),
            "ChargingScheduleMaxPeriods": ("16", True),
            "ConnectorSwitch3to1PhaseSupported": (switches, True),
            "HeartbeatInterval": ("300", False),
            "MaxChargingProfilesInstalled": ("10", True),
            "MeterValueSampleInterval": (str(self.interval_s), False),
            "MeterValuesSampledData": ("Current.Import,Current.Offered,Energy.Active.Import.Register", False),
            "NumberOfConnectors": (connectors, True),
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
        say(event="asked", what="availability", value=type)
        return call_result.ChangeAvailability(status="Accepted")

    @on("Reset")
    def reset(self, type):
        say(event="asked", what="reset", value=type)
        return call_result.Reset(status="Accepted")

    @on("RemoteStartTransaction")
    def remote_start(self, id_tag, connector_id=None, **_):
        say(event="asked", what="start", value=id_tag)
        return call_result.RemoteStartTransaction(status="Rejected")

    @on("RemoteStopTransaction")
    def remote_stop(self, transaction_id):
        say(event="asked", what="stop", value=transaction_id)
        return call_result.RemoteStopTransaction(status="Accepted")

    async def boot(self):
        if "early-call" in self.manner:
            await asyncio.sleep(EARLY_BOOT_S)
        self.booted = True
        for _ in range(STORM_S if "boot-storm" in self.manner else 0):
            await self.boot_once()
            await asyncio.sleep(1)
        # What the last boots of a storm are answered with does not keep it from charging.
        while "boot-storm" not in self.manner and not await self.boot_once():
            await asyncio.sleep(1)

    async def boot_once(self):
        answer = await self.call(
            call.BootNotification(charge_point_model="Peer-1", charge_point_vendor="Tests", firmware_version="1.0")
        )
        return answer is not None and answer.status == "Accepted"

    async def status(self):
        states = [(1, self.outlet.status)]
        if "two-connectors" in self.manner:
            states.append((2, "Charging"))
        for connector, state in states:
            await self.call(
                call.StatusNotification(
                    connector_id=connector, error_code="NoError", status=state, timestamp=self.outlet.clock.stamp()
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
                        connector_id=1, id_tag="CAR", meter_start=int(outlet.energy_wh), timestamp=outlet.clock.stamp()
                    )
                )
                if answer is not None and answer.id_tag_info["status"] == "Accepted":
                    outlet.begin(answer.transaction_id)
            elif not outlet.plugged and outlet.transaction is not None:
                await self.call(
                    call.StopTransaction(
                        transaction_id=outlet.transaction, meter_stop=int(outlet.energy_wh), timestamp=outlet.clock.stamp()
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
            self.values.append((time.monotonic(), self.sampled()))
            at, sampled = self.values[-1]
            if "late" in self.manner:
                old = [item for item in self.values if item[0] <= time.monotonic() - LATE_S]
                at, sampled = old[-1] if old else self.values[0]
            wrong = -1 if "transaction-1" in self.manner else None
            await self.say_values(1, wrong or self.outlet.transaction, at, sampled)
            if "two-connectors" in self.manner:
                other = [{"measurand": "Current.Import", "unit": "A", "value": "31.0"}]
                await self.say_values(2, 4711, at, other)

    async def say_values(self, connector, transaction, at, sampled):
        stamp = self.outlet.clock.stamp(time.monotonic() - at)
        await self.call(
            call.MeterValues(
                connector_id=connector,
                transaction_id=transaction,
                meter_value=[{"timestamp": stamp, "sampled_value": sampled}],
            ),
            # A value that is a number is no valid value.
            skip_schema_validation="numbers" in self.manner,
        )

    def sampled(self):
        """What it says of its currents, its limit and its energy."""

        def sample(measurand, unit, value, **more):
            number = "numbers" in self.manner
            return {"measurand": measurand, "unit": unit, "value": value if number else f"{value:.2f}", **more}

        sampled = []
        for phase, value in enumerate(self.outlet.current()):
            name = "N" if "phase-n" in self.manner else f"L{phase + 1}"
            if "kilowatts" in self.manner:
                sampled.append(sample("Power.Active.Import", "kW", value * VOLTAGE / 1000, phase=name))
                sampled.append(sample("Voltage", "V", VOLTAGE, phase=name))
            else:
                sampled.append(sample("Current.Import", "A", value, phase=name))
        if not self.manner:
            sampled.append(sample("Current.Offered", "A", round(self.outlet.limit()[0], 1)))
        sampled.append(sample("Energy.Active.Import.Register", "Wh", round(self.outlet.energy_wh)))
        return sampled


async def talk(outlet, options):
    """Connects again and again; the boot is told once, as after a power-up."""
    headers = {}
    if options.password is not None:
        secret = base64.b64encode(f"{options.id}:{options.password}".encode()).decode()
        headers["Authorization"] = f"Basic {secret}"
    booted = "no-boot" in options.manner
    protocols = None if "no-subprotocol" in options.manner else ["ocpp1.6"]
    lasts = [LINK_S[manner] for manner in options.manner if manner in LINK_S]
    left_behind = []
    while True:
        connection = None
        try:
            connection = await websockets.connect(
                f"{options.url}/{options.id}",
                subprotocols=protocols,
                additional_headers=headers,
                ssl=tls(options),
                ping_interval=5,
                ping_timeout=5,
            )
            point = ChargePoint(outlet, connection, options)
            point.booted = booted
            outlet.connected = True
            jobs = [asyncio.create_task(point.start())]
            if lasts:
                jobs.append(asyncio.create_task(asyncio.sleep(lasts[0])))
            try:
                if not booted:
                    await first_of(jobs[0], point.boot())
                    booted = "early-call" not in options.manner
                await first_of(jobs[0], point.status())
                jobs += [
                    asyncio.create_task(job()) for job in (point.statuses, point.transactions, point.meter_values)
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
        if connection is not None and "half-open" in options.manner:
            # Nobody closes it, and nobody reads from it.
            connection.transport.pause_reading()
            left_behind.append(connection)
        elif connection is not None:
            connection.transport.abort()
        await asyncio.sleep(RECONNECT_S)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True, help="ws://host:port, without the identity")
    parser.add_argument("--id", required=True)
    parser.add_argument("--password")
    parser.add_argument("--ca", help="the authority that it trusts, for wss://")
    parser.add_argument("--phases", type=int, default=3)
    parser.add_argument("--min", type=float, default=6.0, help="least current of the charger, in amperes")
    parser.add_argument("--max", type=float, default=16.0, help="most that the charger offers, in amperes")
    parser.add_argument("--car", type=float, default=32.0, help="most that the car takes, in amperes")
    parser.add_argument("--sample", type=int, default=1, help="seconds between meter values")
    parser.add_argument("--unplugged", action="store_true", help="without a car at first")
    parser.add_argument("--deaf", action="store_true", help="accepts profiles and does not follow them")
    parser.add_argument("--manner", action="append", default=[], choices=MANNERS, help="a peculiarity")
    options = parser.parse_args()
    outlet = Outlet(options)
    jobs = [asyncio.create_task(job) for job in (power(outlet), talk(outlet, options), commands(outlet))]
    done, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
    for job in done:
        job.result()


if __name__ == "__main__":
    asyncio.run(main())
