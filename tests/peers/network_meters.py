"""Reads the test suite's network meters with the clients that their makers or Home Assistant use, one JSON line each.

    network_meters.py --homewizard HOST:PORT --shelly HOST:PORT

What no client judges, as of November 2026: the `data.json` of an amsreader, for which the Python package index has none;
`EM.GetStatus` of a Shelly, whose values aioshelly hands on as they are, unread, and over a websocket alone; and version 2
of HomeWizard, which python-homewizard-energy reads in those versions alone that ask for a newer Python than 3.11.
Those stand-ins are written after the makers' documents, and nothing but these tests reads them.
"""

import argparse
import asyncio
import json

import aiohttp
from aioshelly.common import get_info, is_firmware_supported
from aioshelly.const import DEVICES
from homewizard_energy import HomeWizardEnergy

PHASES = ("l1", "l2", "l3")


async def homewizard(session, host):
    client = HomeWizardEnergy(host, clientsession=session)
    device = await client.device()
    data = await client.data()

    def each(name):
        return [getattr(data, name.format(phase)) for phase in PHASES]

    return {
        "product_type": device.product_type,
        "current_a": each("active_current_{}_a"),
        "power_w": each("active_power_{}_w"),
        "voltage_v": each("active_voltage_{}_v"),
        "apparent_power_va": data.active_apparent_power_va,
        "meter_model": data.meter_model,
    }


async def shelly(session, host):
    address, port = host.split(":")
    info = await get_info(session, address, port=int(port))
    firmware = info["fw_id"]
    return {
        "model": info["model"],
        "name": DEVICES[info["model"]].name,
        "supported": is_firmware_supported(info["gen"], info["model"], firmware),
    }


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--homewizard", action="append", default=[])
    parser.add_argument("--shelly", action="append", default=[])
    arguments = parser.parse_args()
    async with aiohttp.ClientSession() as session:
        for host in arguments.homewizard:
            print(json.dumps(await homewizard(session, host)))
        for host in arguments.shelly:
            print(json.dumps(await shelly(session, host)))


asyncio.run(main())
