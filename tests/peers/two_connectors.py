"""A charge point with two connectors and a car at each, made with the library `ocpp` (PyPI): one connection, one boot.

It speaks OCPP 1.6, or 2.0.1 with --ocpp201. Each connector obeys the profiles that were set for it or for the whole
charge point. The lines are those of charge_point.py with a "connector" in each; each profile that is set is told as
{"event": "profile", "connector": 1, "id": 2, "limit_a": 10.0}, and a boot as {"event": "boot"}.
"""

import argparse
import asyncio
import base64
import sys
import time
import uuid

import websockets
from charging_profiles import Profiles
from ocpp.routing import on
from outlet import RECONNECT_S, STEP_S, Outlet, first_of, say

IS_201 = "--ocpp201" in sys.argv
if IS_201:
    from ocpp.v201 import ChargePoint as Base
    from ocpp.v201 import call, call_result
else:
    from ocpp.v16 import ChargePoint as Base
    from ocpp.v16 import call, call_result

CONNECTORS = (1, 2)
SAMPLE_S = 1.0


class Shared(Profiles):
    """The profiles of one connector; an id is known once in the whole charge point, as the standard has it."""

    def limit(self, purpose, now, transaction, started):
        own = Profiles()
        own.items = [item for item in self.items if item[0] in (0, self.connector)]
        return own.limit(purpose, now, transaction, started)

    def __init__(self, connector, items):
        super().__init__()
        self.connector = connector
        self.all = items

    @property
    def items(self):
        return self.all[0] if hasattr(self, "all") else []

    @items.setter
    def items(self, items):
        if hasattr(self, "all"):
            self.all[0] = items


class Plug(Outlet):
    """One connector with its car."""

    def __init__(self, options, connector, items):
        super().__init__(options)
        self.connector = connector
        self.profiles = Shared(connector, items)

    def tell(self, limit):
        line = {
            "connector": self.connector,
            "connected": self.connected,
            "status": self.status,
            "limit_a": round(limit, 2),
            "current_a": self.current(),
            "transaction": self.transaction,
        }
        if line != self.said:
            self.said = line
            say(t=round(time.monotonic(), 3), energy_wh=round(self.energy_wh, 3), **line)


def plain(profile):
    """A profile of 2.0.1 in the shape of 1.6, whose rules are the same."""
    if not IS_201:
        return profile
    return {
        **profile,
        "charging_profile_id": profile["id"],
        "charging_schedule": profile["charging_schedule"][0],
    }


class ChargePoint(Base):
    """The protocol side, new with every connection."""

    def __init__(self, plugs, connection, options):
        super().__init__(options.id, connection, response_timeout=10)
        self.plugs = plugs

    def install(self, connector, profile):
        profile = plain(profile)
        periods = profile["charging_schedule"]["charging_schedule_period"]
        say(event="profile", connector=connector, id=profile["charging_profile_id"], limit_a=float(periods[0]["limit"]))
        self.plugs[0].profiles.install(connector, profile)
        return call_result.SetChargingProfile(status="Accepted")

    async def values(self, plug):
        sampled = [("Current.Import", amperes, f"L{phase + 1}") for phase, amperes in enumerate(plug.current())]
        if IS_201:
            values = [{"measurand": name, "value": value, "phase": phase} for name, value, phase in sampled]
            await self.event(plug, "Updated", "MeterValuePeriodic", values)
            return
        values = [
            {"measurand": name, "unit": "A", "value": f"{value:.2f}", "phase": phase} for name, value, phase in sampled
        ]
        await self.call(
            call.MeterValues(
                connector_id=plug.connector,
                transaction_id=plug.transaction,
                meter_value=[{"timestamp": plug.clock.stamp(), "sampled_value": values}],
            )
        )

    async def begin(self, plug):
        if IS_201:
            plug.begin(str(uuid.uuid4()))
            await self.event(plug, "Started", "CablePluggedIn", None)
            return
        answer = await self.call(
            call.StartTransaction(
                connector_id=plug.connector, id_tag="CAR", meter_start=0, timestamp=plug.clock.stamp()
            )
        )
        plug.begin(answer.transaction_id)

    async def event(self, plug, kind, reason, values):
        self.seq_no = getattr(self, "seq_no", 0) + 1
        stamp = plug.clock.stamp()
        more = {} if values is None else {"meter_value": [{"timestamp": stamp, "sampled_value": values}]}
        state = "Charging" if plug.status == "Charging" else "SuspendedEVSE"
        await self.call(
            call.TransactionEvent(
                event_type=kind,
                timestamp=stamp,
                trigger_reason=reason,
                seq_no=self.seq_no,
                transaction_info={"transaction_id": plug.transaction, "charging_state": state},
                evse={"id": plug.connector, "connector_id": 1},
                **more,
            )
        )

    async def status(self, plug):
        at = plug.clock.stamp()
        if IS_201:
            await self.call(
                call.StatusNotification(
                    timestamp=at, connector_status="Occupied", evse_id=plug.connector, connector_id=1
                )
            )
        else:
            await self.call(
                call.StatusNotification(
                    connector_id=plug.connector, error_code="NoError", status=plug.status, timestamp=at
                )
            )

    async def boot(self):
        say(event="boot")
        station = {"model": "Two", "vendor_name": "Tests"}
        while True:
            message = (
                call.BootNotification(charging_station=station, reason="PowerUp")
                if IS_201
                else call.BootNotification(charge_point_model="Two", charge_point_vendor="Tests")
            )
            answer = await self.call(message)
            if answer is not None and answer.status == "Accepted":
                return
            await asyncio.sleep(1)

    async def life(self):
        for plug in self.plugs:
            await self.status(plug)
            if plug.transaction is None:
                await self.begin(plug)
        while True:
            for plug in self.plugs:
                if plug.changed.is_set():
                    plug.changed.clear()
                    await self.status(plug)
                await self.values(plug)
            await asyncio.sleep(SAMPLE_S)

    @on("ClearChargingProfile")
    def clear_charging_profile(self, id=None, connector_id=None, charging_profile_purpose=None, stack_level=None, **more):
        number = more.get("charging_profile_id") or id
        cleared = self.plugs[0].profiles.clear(number, connector_id, charging_profile_purpose, stack_level)
        return call_result.ClearChargingProfile(status="Accepted" if cleared else "Unknown")

    if IS_201:

        @on("SetChargingProfile")
        def set_charging_profile(self, evse_id, charging_profile, **_):
            return self.install(evse_id, charging_profile)

    else:

        @on("SetChargingProfile")
        def set_charging_profile(self, connector_id, cs_charging_profiles):
            return self.install(connector_id, cs_charging_profiles)

        @on("GetConfiguration")
        def get_configuration(self, key=None):
            known = {"NumberOfConnectors": "2", "ChargeProfileMaxStackLevel": "8", "ChargingScheduleMaxPeriods": "8"}
            return call_result.GetConfiguration(
                configuration_key=[{"key": name, "value": value, "readonly": True} for name, value in known.items()]
            )


async def power(plugs):
    before = time.monotonic()
    while True:
        await asyncio.sleep(STEP_S)
        now = time.monotonic()
        for plug in plugs:
            plug.step(now - before)
        before = now


async def talk(plugs, options):
    secret = base64.b64encode(f"{options.id}:{options.password}".encode()).decode()
    booted = False
    while True:
        try:
            async with websockets.connect(
                f"{options.url}/{options.id}",
                subprotocols=["ocpp2.0.1" if IS_201 else "ocpp1.6"],
                additional_headers={"Authorization": f"Basic {secret}"},
            ) as connection:
                point = ChargePoint(plugs, connection, options)
                reader = asyncio.create_task(point.start())
                for plug in plugs:
                    plug.connected = True
                try:
                    if not booted:
                        await first_of(reader, point.boot())
                        booted = True
                    await first_of(reader, point.life())
                finally:
                    reader.cancel()
                    await asyncio.gather(reader, return_exceptions=True)
        except (OSError, websockets.exceptions.WebSocketException, asyncio.TimeoutError):
            pass
        for plug in plugs:
            plug.connected = False
        await asyncio.sleep(RECONNECT_S)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True, help="ws://host:port, without the identity")
    parser.add_argument("--id", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--ocpp201", action="store_true")
    options = parser.parse_args()
    options.unplugged = options.deaf = False
    options.phases, options.min, options.max, options.car = 3, 6.0, 16.0, 32.0
    items = [[]]
    plugs = [Plug(options, connector, items) for connector in CONNECTORS]
    work = (power(plugs), talk(plugs, options))
    done, _ = await asyncio.wait([asyncio.create_task(job) for job in work], return_when=asyncio.FIRST_COMPLETED)
    for job in done:
        job.result()


if __name__ == "__main__":
    asyncio.run(main())
