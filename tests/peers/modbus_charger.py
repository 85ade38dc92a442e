"""A charger with the registers of an Alfen NG9xx, served by pymodbus over TCP, with a car that draws what it may.

    modbus_charger.py --port 1502 --unit 1 [--validity 60] [--safe 6] [--car 16]

A limit holds for as long as its validity; then the charger falls to its safe current by itself. Each change is a line on standard
output. Lines of standard input: `mute` answers nothing any more, `quit` ends.
"""

import argparse
import asyncio
import json
import sys
import time

from pymodbus.client import ModbusTcpClient
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

KIND = ModbusTcpClient.DATATYPE
READ_HOLDING, WRITE_MULTIPLE = 3, 16
MAX_CURRENT = 1210
LEAST_A, MOST_A = 6.0, 16.0
RAMP_A_PER_S = 20.0
STEP_S = 0.1


def words(value, kind):
    return ModbusTcpClient.convert_to_registers(value, kind)


class Charger:
    def __init__(self, options):
        self.options = options
        self.limit, self.until = 0.0, 0.0
        self.draw = 0.0
        self.energy_wh = 1000.0
        self.writes = 0
        self.mute = False
        self.said = None

    def left(self):
        return max(0.0, self.until - time.monotonic())

    def applied(self):
        return min(MOST_A, self.limit if self.left() > 0 else self.options.safe)

    def step(self, seconds):
        applied = self.applied()
        wanted = min(applied, self.options.car) if applied >= LEAST_A else 0.0
        if wanted > self.draw:
            self.draw = min(wanted, max(self.draw, LEAST_A) + RAMP_A_PER_S * seconds)
        else:
            self.draw = wanted
        self.energy_wh += 3 * 230 * self.draw * seconds / 3600
        line = {"limit_a": round(applied, 2), "current_a": [round(self.draw, 2)] * 3, "valid": self.left() > 0}
        if line != self.said:
            self.said = line
            print(json.dumps({"t": round(time.monotonic(), 3), "writes": self.writes, **line}), flush=True)

    def registers(self):
        state = "C2" if self.draw > 0 else "B1"
        table = {
            **{306 + 2 * line: words(230.0, KIND.FLOAT32) for line in range(3)},
            **{320 + 2 * line: words(self.draw, KIND.FLOAT32) for line in range(3)},
            344: words(3 * 230 * self.draw, KIND.FLOAT32),
            374: words(self.energy_wh, KIND.FLOAT64),
            1200: [1],
            1201: words(state.ljust(10, "\0"), KIND.STRING),
            1206: words(self.applied(), KIND.FLOAT32),
            1208: words(round(self.left()), KIND.UINT32),
            1210: words(self.limit, KIND.FLOAT32),
            1212: words(self.options.safe, KIND.FLOAT32),
            1214: [int(self.left() > 0)],
            1215: [3],
        }
        return {first + index: word for first, several in table.items() for index, word in enumerate(several)}

    async def asked(self, function, start, address, count, registers, values):
        if self.mute:
            await asyncio.sleep(3600)
        if function == WRITE_MULTIPLE:
            if (address, count) != (MAX_CURRENT, 2):
                return ExcCodes.ILLEGAL_ADDRESS
            self.limit = ModbusTcpClient.convert_from_registers(list(values), KIND.FLOAT32)
            self.until = time.monotonic() + self.options.validity
            self.writes += 1
            return None
        if function != READ_HOLDING:
            return ExcCodes.ILLEGAL_FUNCTION
        table = self.registers()
        for index in range(address, address + count):
            registers[index - start] = table.get(index, 0)
        return None


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--unit", type=int, default=1)
    parser.add_argument("--validity", type=float, default=60.0)
    parser.add_argument("--safe", type=float, default=6.0)
    parser.add_argument("--car", type=float, default=16.0)
    options = parser.parse_args()
    charger = Charger(options)
    blocks = [(300, 100), (1200, 16)]
    data = [SimData(start, count=count, values=0, datatype=DataType.REGISTERS) for start, count in blocks]
    device = SimDevice(id=options.unit, simdata=data, action=charger.asked)
    server = ModbusTcpServer(device, address=("127.0.0.1", options.port))
    await server.serve_forever(background=True)
    print("ready", flush=True)

    async def power():
        before = time.monotonic()
        while True:
            await asyncio.sleep(STEP_S)
            now = time.monotonic()
            charger.step(now - before)
            before = now

    task = asyncio.ensure_future(power())
    loop = asyncio.get_running_loop()
    while (line := (await loop.run_in_executor(None, sys.stdin.readline)).strip()) not in ("", "quit"):
        charger.mute = line == "mute"
    task.cancel()


asyncio.run(main())
