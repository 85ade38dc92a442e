"""Home Assistant itself, headless on loopback, with a charger made of its helpers and a car that follows them.

    home_assistant.py --port 18123 --config DIR [--zeroconf]

The limit is `input_number.limit`, the switch `input_boolean.charge`, the currents `input_number.l1` to `l3`. It is set up by the API
that its own page uses. When it is ready it says `{"event": "ready", "token": …}` with a long-lived token; each change of the car is a
line on standard output. Lines of standard input: `unplug`, `plug`, `quit`. With --zeroconf it looks for devices in the network, and
announces itself there; `found`: says which devices it offers to set up; `confirm NAME`: sets up one of them; `state ENTITY`: says what it is.
"""

import argparse
import asyncio
import ctypes
import json
import pathlib
import sys
import time

import aiohttp

CONFIGURATION = """
homeassistant:
  name: Test house
  latitude: 0
  longitude: 0
  unit_system: metric
  time_zone: UTC
http:
  server_host: 127.0.0.1
  server_port: {port}
api:
config:
{zeroconf}
input_number:
  limit: {{min: 0, max: 32, step: 1, initial: 16, unit_of_measurement: A}}
  l1: {{min: 0, max: 40, step: 0.01, initial: 0, unit_of_measurement: A}}
  l2: {{min: 0, max: 40, step: 0.01, initial: 0, unit_of_measurement: A}}
  l3: {{min: 0, max: 40, step: 0.01, initial: 0, unit_of_measurement: A}}
input_boolean:
  charge: {{initial: false}}
"""
CLIENT = "http://127.0.0.1/"
START_S = 180
LEAST_A, MOST_A = 6.0, 16.0
STEP_S = 0.25


def say(**line):
    print(json.dumps(line), flush=True)


class House:
    def __init__(self, session, base):
        self.session, self.base, self.token = session, base, None
        self.plugged = True

    async def ask(self, method, path, body=None, form=None):
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with self.session.request(method, self.base + path, json=body, data=form, headers=headers) as answer:
            if answer.status >= 400:
                raise RuntimeError(f"{method} {path}: {answer.status} {await answer.text()}")
            return await answer.json()

    async def wait(self):
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            try:
                return await self.ask("GET", "/api/onboarding")
            except (aiohttp.ClientError, RuntimeError):
                await asyncio.sleep(0.5)
        raise RuntimeError("Home Assistant does not come up")

    async def call(self, **command):
        """One command of its websocket."""
        async with self.session.ws_connect(self.base + "/api/websocket") as line:
            await line.receive_json()
            await line.send_json({"type": "auth", "access_token": self.token})
            await line.receive_json()
            await line.send_json({"id": 1, **command})
            return (await line.receive_json())["result"]

    async def set_up(self):
        await self.wait()
        owner = {"client_id": CLIENT, "name": "owner", "username": "owner", "password": "a password of a test", "language": "en"}
        code = (await self.ask("POST", "/api/onboarding/users", owner))["auth_code"]
        form = {"client_id": CLIENT, "grant_type": "authorization_code", "code": code}
        self.token = (await self.ask("POST", "/auth/token", form=form))["access_token"]
        # Until it is all done it sets devices up without asking.
        for step in ("core_config", "analytics"):
            await self.ask("POST", f"/api/onboarding/{step}", {})
        await self.ask("POST", "/api/onboarding/integration", {"client_id": CLIENT, "redirect_uri": CLIENT})
        self.token = await self.call(type="auth/long_lived_access_token", client_name="headroom", lifespan=1)
        while (await self.ask("GET", "/api/config"))["state"] != "RUNNING":
            await asyncio.sleep(0.2)

    async def state(self, entity):
        return (await self.ask("GET", f"/api/states/{entity}"))["state"]

    async def found(self):
        """What announced itself (mDNS) and can be set up, by the name that was announced."""
        devices = {}
        for flow in await self.call(type="config_entries/flow/progress"):
            key = flow["context"].get("discovery_key") or {}
            if key.get("domain") == "zeroconf":
                kind, name = key["key"]
                devices[name.removesuffix("." + kind)] = flow
        return devices

    async def confirm(self, name):
        flow = (await self.found())[name]["flow_id"]
        return (await self.ask("POST", f"/api/config/config_entries/flow/{flow}", {}))["type"]

    async def obey(self, line):
        what, _, argument = line.partition(" ")
        if what in ("plug", "unplug"):
            self.plugged = what == "plug"
        elif what == "found":
            devices = [
                {"name": name, "handler": flow["handler"], "url": flow["context"].get("configuration_url")}
                for name, flow in (await self.found()).items()
            ]
            say(event="found", devices=devices)
        elif what == "confirm":
            say(event="confirmed", name=argument, result=await self.confirm(argument))
        elif what == "state":
            say(event="state", entity=argument, state=await self.state(argument))

    async def drive(self):
        draw, said = None, None
        while True:
            limit = float(await self.state("input_number.limit"))
            on = await self.state("input_boolean.charge") == "on"
            wanted = min(limit, MOST_A) if on and self.plugged and limit >= LEAST_A else 0.0
            if wanted != draw:
                draw = wanted
                for line in ("l1", "l2", "l3"):
                    await self.ask("POST", "/api/services/input_number/set_value", {"entity_id": f"input_number.{line}", "value": draw})
            line = {"limit_a": limit, "on": on, "current_a": [draw] * 3}
            if line != said:
                said = line
                say(t=round(time.monotonic(), 3), **line)
            await asyncio.sleep(STEP_S)


def end_with_me():
    """Whoever kills this script ends Home Assistant too (prctl: PR_SET_PDEATHSIG, SIGKILL)."""
    ctypes.CDLL(None).prctl(1, 9)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--config", type=pathlib.Path, required=True)
    parser.add_argument("--zeroconf", action="store_true")
    options = parser.parse_args()
    options.config.mkdir(parents=True, exist_ok=True)
    (options.config / "configuration.yaml").write_text(CONFIGURATION.format(port=options.port, zeroconf="zeroconf:" if options.zeroconf else ""))
    log = (options.config / "output.log").open("w")
    begun = time.monotonic()
    # What it installs at a start is not needed: it stays as it is.
    command = [sys.executable, "-m", "homeassistant", "-c", str(options.config), "--skip-pip"]
    program = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=end_with_me)
    try:
        async with aiohttp.ClientSession() as session:
            house = House(session, f"http://127.0.0.1:{options.port}")
            await house.set_up()
            say(event="ready", token=house.token, after_s=round(time.monotonic() - begun, 1))
            driving = asyncio.ensure_future(house.drive())
            loop = asyncio.get_running_loop()
            while (line := (await loop.run_in_executor(None, sys.stdin.readline)).strip()) not in ("", "quit"):
                await house.obey(line)
            driving.cancel()
    finally:
        program.kill()
        await program.wait()


asyncio.run(main())
