"""Announces devices by mDNS, as they do themselves, with the library that Home Assistant uses.

    announce.py '[{"type": "_shelly._tcp", "name": "shelly1-0123", "address": "192.0.2.11", "properties": {"gen": "2"}}, …]'

All are on port 80. It says `{"event": "announced"}`, and takes them back when standard input ends.
"""

import asyncio
import json
import socket
import sys

from zeroconf import IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf


def service(device):
    kind = device["type"] + ".local."
    return AsyncServiceInfo(
        kind,
        f"{device['name']}.{kind}",
        addresses=[socket.inet_aton(device["address"])],
        port=80,
        properties=device["properties"],
        server=f"{device['name']}.local.",
    )


async def main():
    announcer = AsyncZeroconf(ip_version=IPVersion.V4Only)
    registrations = [await announcer.async_register_service(service(device)) for device in json.loads(sys.argv[1])]
    await asyncio.gather(*registrations)
    print(json.dumps({"event": "announced"}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await announcer.async_unregister_all_services()
    await announcer.async_close()


asyncio.run(main())
