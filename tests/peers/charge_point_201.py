"""A charging station with a car that speaks OCPP 2.0.1 or 2.1, made with the library `ocpp` (PyPI).

The library refuses what breaks the official schemas, in both directions. The power side and the rules of
profiles are those of charge_point.py, whose lines it writes and whose commands it reads. It says
{"event": "connected", "subprotocol": "ocpp2.0.1"} with each connection.
"""

import argparse
import asyncio
import base64
import contextlib
import importlib
import sys
import uuid
from datetime import timedelta

import websockets
from ocpp.exceptions import NotImplementedError as NotImplementedHere
from ocpp.routing import on
from outlet import RECONNECT_S, STEP_S, Outlet, commands, first_of, power, say, tls

VERSION = "2.1" if "--ocpp21" in sys.argv else "2.0.1"
LIBRARY = importlib.import_module("ocpp.v21" if VERSION == "2.1" else "ocpp.v201")
call, call_result = LIBRARY.call, LIBRARY.call_result

PURPOSES = {"ChargingStationMaxProfile": "ChargePointMaxProfile"}
STATES = {
    "Preparing": "EVConnected",
    "Charging": "Charging",
    "SuspendedEV": "SuspendedEV",
    "SuspendedEVSE": "SuspendedEVSE",
}
EVSE = {"id": 1, "connector_id": 1}


def as_16(profile):
    """A profile in the shape of 1.6, whose rules are the same."""
    plain = dict(profile)
    plain["charging_profile_id"] = profile["id"]
    purpose = profile["charging_profile_purpose"]
    plain["charging_profile_purpose"] = PURPOSES.get(purpose, purpose)
    plain["charging_schedule"] = profile["charging_schedule"][0]
    plain["original"] = profile
    return plain


def sampled(measurand, value, unit, phase=None):
    sample = {"value": round(value, 2), "measurand": measurand, "unit_of_measure": {"unit": unit}}
    if phase is not None:
        sample["phase"] = phase
    return sample


class ChargePoint(LIBRARY.ChargePoint):
    """The protocol side, new with every connection."""

    def __init__(self, outlet, connection, options, variables):
        super().__init__(options.id, connection, response_timeout=10)
        self.outlet = outlet
        self.options = options
        self.variables = variables
        self.wake = asyncio.Event()
        self.seq_no = 0
        self.told_state = None
        self.booted = False

    async def _send(self, message):
        # What the central system sent was refused: it broke a schema, or is not known here.
        if message.startswith("[4,"):
            say(event="error", frame=message)
        await super()._send(message)

    # --- what the central system asks -------------------------------------------------------------------------

    @on("SetChargingProfile")
    def set_charging_profile(self, evse_id, charging_profile, **_):
        if self.options.no_profiles:
            raise NotImplementedHere(description="no smart charging here")
        profile = as_16(charging_profile)
        purpose = profile["charging_profile_purpose"]
        schedule = profile["charging_schedule"]
        no = None
        if evse_id not in (0, 1):
            no = "UnknownEVSE"
        elif purpose == "TxProfile" and profile.get("transaction_id") != self.outlet.transaction:
            no = "TxNotFound"
        elif purpose == "ChargePointMaxProfile" and evse_id != 0:
            no = "InvalidProfile"
        elif profile["charging_profile_kind"] == "Absolute" and "start_schedule" not in schedule:
            no = "ChargingProfileMissingRequiredStartSchedule"
        elif schedule["charging_schedule_period"][0]["start_period"] != 0:
            no = "ChargingProfileFirstStartScheduleIsNotZero"
        if no is not None:
            info = {"reason_code": "Error", "additional_info": no}
            return call_result.SetChargingProfile(status="Rejected", status_info=info)
        self.outlet.profiles.install(evse_id, profile)
        return call_result.SetChargingProfile(status="Accepted")

    @on("ClearChargingProfile")
    def clear_charging_profile(self, charging_profile_id=None, charging_profile_criteria=None, **_):
        criteria = charging_profile_criteria or {}
        cleared = self.outlet.profiles.clear(
            charging_profile_id,
            criteria.get("evse_id"),
            criteria.get("charging_profile_purpose"),
            criteria.get("stack_level"),
        )
        say(event="cleared", id=charging_profile_id, found=cleared)
        return call_result.ClearChargingProfile(status="Accepted" if cleared else "Unknown")

    @on("GetChargingProfiles")
    def get_charging_profiles(self, request_id, charging_profile, **_):
        if not self.outlet.profiles.items:
            return call_result.GetChargingProfiles(status="NoProfiles")
        asyncio.get_running_loop().create_task(self.report_profiles(request_id))
        return call_result.GetChargingProfiles(status="Accepted")

    async def report_profiles(self, request_id):
        items = list(self.outlet.profiles.items)
        for index, (evse_id, profile) in enumerate(items):
            await self.call(
                call.ReportChargingProfiles(
                    request_id=request_id,
                    charging_limit_source="CSO",
                    evse_id=evse_id,
                    charging_profile=[profile["original"]],
                    tbc=index + 1 < len(items),
                )
            )

    @on("GetCompositeSchedule")
    def get_composite_schedule(self, duration, evse_id, **_):
        now = self.outlet.clock.now()
        periods = []
        for second in range(duration):
            limit = round(self.limit_at(now + timedelta(seconds=second)), 1)
            if not periods or periods[-1]["limit"] != limit:
                periods.append({"start_period": second, "limit": limit})
        return call_result.GetCompositeSchedule(
            status="Accepted",
            schedule={
                "evse_id": evse_id,
                "duration": duration,
                "schedule_start": self.outlet.clock.stamp(),
                "charging_rate_unit": "A",
                "charging_schedule_period": periods,
            },
        )

    def limit_at(self, moment):
        outlet = self.outlet
        values = [
            outlet.profiles.limit(purpose, moment, outlet.transaction, outlet.started)
            for purpose in ("TxProfile", "TxDefaultProfile", "ChargePointMaxProfile")
        ]
        chosen = values[0] or values[1]
        return min(value[0] for value in (chosen, values[2], (float(self.options.max), 3)) if value is not None)

    @on("GetVariables")
    def get_variables(self, get_variable_data, **_):
        results = []
        for data in get_variable_data:
            known = self.variables.get((data["component"]["name"], data["variable"]["name"]))
            result = {"component": data["component"], "variable": data["variable"]}
            result["attribute_status"] = "UnknownVariable" if known is None else "Accepted"
            if known is not None:
                result["attribute_value"] = known[0]
            results.append(result)
        return call_result.GetVariables(get_variable_result=results)

    @on("SetVariables")
    def set_variables(self, set_variable_data, **_):
        results = []
        for data in set_variable_data:
            name = (data["component"]["name"], data["variable"]["name"])
            known = self.variables.get(name)
            status = "Accepted"
            if known is None:
                status = "UnknownVariable"
            elif not known[1]:
                status = "Rejected"
            else:
                known[0] = data["attribute_value"]
            say(event="variable", name=".".join(name), value=data["attribute_value"], status=status)
            results.append({"attribute_status": status, "component": data["component"], "variable": data["variable"]})
        return call_result.SetVariables(set_variable_result=results)

    @on("TriggerMessage")
    def trigger_message(self, requested_message, evse=None, **_):
        if requested_message == "BootNotification":
            return call_result.TriggerMessage(status="Rejected")
        if requested_message == "StatusNotification":
            self.outlet.changed.set()
        elif requested_message == "TransactionEvent":
            if self.outlet.transaction is None:
                return call_result.TriggerMessage(status="Rejected")
            self.wake.set()
        elif requested_message == "MeterValues":
            self.wake.set()
        else:
            return call_result.TriggerMessage(status="NotImplemented")
        return call_result.TriggerMessage(status="Accepted")

    @on("ChangeAvailability")
    def change_availability(self, operational_status, **_):
        say(event="asked", what="availability", value=operational_status)
        return call_result.ChangeAvailability(status="Accepted")

    @on("Reset")
    def reset(self, type, **_):
        say(event="asked", what="reset", value=type)
        return call_result.Reset(status="Accepted")

    @on("RequestStartTransaction")
    def request_start(self, id_token, **_):
        say(event="asked", what="start", value=id_token["id_token"])
        return call_result.RequestStartTransaction(status="Rejected")

    @on("RequestStopTransaction")
    def request_stop(self, transaction_id, **_):
        say(event="asked", what="stop", value=transaction_id)
        return call_result.RequestStopTransaction(status="Accepted")

    # --- what it says by itself -------------------------------------------------------------------------------

    async def boot(self):
        while True:
            station = {"model": "Peer-201", "vendor_name": "Tests", "firmware_version": "1.0"}
            answer = await self.call(call.BootNotification(charging_station=station, reason="PowerUp"))
            if answer is not None and answer.status == "Accepted":
                return
            await asyncio.sleep(1)

    async def status(self):
        state = "Available" if self.outlet.status == "Available" else "Occupied"
        at = self.outlet.clock.stamp()
        await self.call(call.StatusNotification(timestamp=at, connector_status=state, evse_id=1, connector_id=1))

    async def statuses(self):
        while True:
            await self.outlet.changed.wait()
            self.outlet.changed.clear()
            await self.status()
            self.wake.set()

    async def event(self, kind, reason, state):
        limit, _ = self.outlet.limit()
        values = [
            sampled("Current.Import", value, "A", f"L{phase + 1}") for phase, value in enumerate(self.outlet.current())
        ]
        values.append(sampled("Current.Offered", limit, "A"))
        values.append(sampled("Energy.Active.Import.Register", self.outlet.energy_wh, "Wh"))
        self.seq_no += 1
        await self.call(
            call.TransactionEvent(
                event_type=kind,
                timestamp=self.outlet.clock.stamp(),
                trigger_reason=reason,
                seq_no=self.seq_no,
                transaction_info={"transaction_id": self.outlet.transaction, "charging_state": state},
                evse=EVSE,
                meter_value=[{"timestamp": self.outlet.clock.stamp(), "sampled_value": values}],
            )
        )

    async def transactions(self):
        while True:
            outlet = self.outlet
            if outlet.plugged and outlet.transaction is None:
                outlet.begin(str(uuid.uuid4()))
                await self.event("Started", "CablePluggedIn", "EVConnected")
            elif not outlet.plugged and outlet.transaction is not None:
                await self.event("Ended", "EVDeparted", "Idle")
                outlet.transaction = None
                outlet.started = None
                outlet.profiles.end_transaction()
            await asyncio.sleep(STEP_S)

    async def meter_values(self):
        while True:
            interval = self.variables[("SampledDataCtrlr", "TxUpdatedInterval")][0]
            # A real one takes what it is told; the tests' bound is short.
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.wake.wait(), max(1, min(int(interval), self.options.sample)))
            self.wake.clear()
            if self.outlet.transaction is not None:
                state = STATES.get(self.outlet.status, "Idle")
                reason = "MeterValuePeriodic" if state == self.told_state else "ChargingStateChanged"
                self.told_state = state
                await self.event("Updated", reason, state)


def device_model(options):
    """Value and whether it may be written."""
    return {
        ("SmartChargingCtrlr", "Enabled"): ["true", True],
        ("SmartChargingCtrlr", "RateUnit"): ["A,W", False],
        ("SmartChargingCtrlr", "ProfileStackLevel"): ["10", False],
        ("SmartChargingCtrlr", "PeriodsPerSchedule"): ["16", False],
        ("SmartChargingCtrlr", "Phases3to1"): [str("three-to-one" in options.manner).lower(), False],
        ("SampledDataCtrlr", "TxUpdatedInterval"): ["900", True],
        ("SampledDataCtrlr", "TxUpdatedMeasurands"): ["Energy.Active.Import.Register", True],
        ("OCPPCommCtrlr", "WebSocketPingInterval"): ["10", True],
    }


async def talk(outlet, options, variables):
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
                subprotocols=[f"ocpp{VERSION}"],
                additional_headers=headers,
                ssl=tls(options),
                ping_interval=5,
                ping_timeout=5,
            ) as connection:
                say(event="connected", subprotocol=connection.subprotocol)
                point = ChargePoint(outlet, connection, options, variables)
                outlet.connected = True
                jobs = [asyncio.create_task(point.start())]
                try:
                    if not booted:
                        await first_of(jobs[0], point.boot())
                        booted = True
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
    parser.add_argument("--ocpp21", action="store_true", help="speaks OCPP 2.1")
    parser.add_argument("--no-profiles", action="store_true", help="does not know SetChargingProfile")
    parser.add_argument("--foreign", action="store_true", help="has a profile of another system above all others")
    parser.add_argument("--manner", action="append", default=[], choices=["clock-fast", "clock-slow", "three-to-one"])
    options = parser.parse_args()
    outlet = Outlet(options)
    if options.foreign:
        foreign = {
            "id": 900,
            "stack_level": 9,
            "charging_profile_purpose": "TxDefaultProfile",
            "charging_profile_kind": "Absolute",
            "charging_schedule": [
                {
                    "id": 1,
                    "start_schedule": "2020-01-01T00:00:00Z",
                    "charging_rate_unit": "A",
                    "charging_schedule_period": [{"start_period": 0, "limit": 6.0}],
                }
            ],
        }
        outlet.profiles.install(0, as_16(foreign))
    variables = device_model(options)
    work = (power(outlet), talk(outlet, options, variables), commands(outlet))
    done, _ = await asyncio.wait([asyncio.create_task(job) for job in work], return_when=asyncio.FIRST_COMPLETED)
    for job in done:
        job.result()


if __name__ == "__main__":
    asyncio.run(main())
