"""The power side of a charge point: connector, cable, car, clock and energy register.

It lives on without a connection. What the protocol side needs of it is the same for each version of OCPP.
"""

import asyncio
import json
import ssl
import sys
import time
from datetime import datetime, timedelta, timezone

import websockets
from charging_profiles import VOLTAGE, Profiles

STEP_S = 0.1
RAMP_A_PER_S = 20.0
RECONNECT_S = 0.5


def utc_now():
    return datetime.now(timezone.utc)


def stamp():
    return utc_now().strftime("%Y-%m-%dT%H:%M:%SZ")


def say(**line):
    print(json.dumps(line), flush=True)


class Clock:
    """Its own clock, which may be wrong."""

    def __init__(self, manners):
        minutes = 5 if "clock-fast" in manners else -5 if "clock-slow" in manners else 0
        self.offset = timedelta(minutes=minutes)
        self.local = "local-time" in manners

    def now(self):
        return utc_now() + self.offset

    def stamp(self, ago_s=0.0):
        at = self.now() - timedelta(seconds=ago_s)
        if self.local:
            return (at + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S")
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")


class Outlet:
    """The power side: connector, cable, car and energy register. Lives on without a connection."""

    def __init__(self, options):
        self.options = options
        self.manner = getattr(options, "manner", ())
        self.clock = Clock(self.manner)
        self.profiles = Profiles(forever="keeps-limit" in self.manner)
        self.plugged = not options.unplugged
        self.full = False
        self.mute = False
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
        now = self.clock.now()
        limit, phases = float(self.options.max), self.options.phases
        chosen = self.profiles.limit("TxProfile", now, self.transaction, self.started)
        if chosen is None:
            chosen = self.profiles.limit("TxDefaultProfile", now, self.transaction, self.started)
        for value in (chosen, self.profiles.limit("ChargePointMaxProfile", now, self.transaction, self.started)):
            if value is not None:
                limit, phases = min(limit, value[0]), min(phases, value[1])
        return limit, phases if "three-to-one" in self.manner else self.options.phases

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

    def begin(self, transaction):
        self.transaction = transaction
        self.started = self.clock.now()
        if "next-session" in self.manner:
            self.profiles.freeze()

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
            "told_phases": self.profiles.told_phases,
            "transaction": self.transaction,
        }
        if line != self.said:
            self.said = line
            say(t=round(time.monotonic(), 3), energy_wh=round(self.energy_wh, 3), **line)


def tls(options):
    """For wss:// alone: whom it trusts."""
    return ssl.create_default_context(cafile=options.ca) if options.url.startswith("wss:") else None


async def power(outlet):
    before = time.monotonic()
    while True:
        await asyncio.sleep(STEP_S)
        now = time.monotonic()
        outlet.step(now - before)
        before = now


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
        elif line.strip() == b"mute":
            outlet.mute = True
        elif line.strip() == b"speak":
            outlet.mute = False
