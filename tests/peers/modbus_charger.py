"""A charger served by pymodbus over TCP, with a car that draws what it may.

    modbus_charger.py --port 1502 --unit 1 [--model alfen|keba] [--validity 60] [--safe 6] [--car 16] [--keeps] [--no-failsafe]

An Alfen NG9xx holds a limit for as long as its validity; then it falls to its safe current by itself. A KEBA P30 has a fail-safe that
is written to it, and counts the time since any word. With `--keeps` neither falls, whatever it says. Each change is a line on standard
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
READ_HOLDING, WRITE_SINGLE, WRITE_MULTIPLE = 3, 6, 16
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
        if self.options.keeps:
            return min(MOST_A, self.limit)
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


class Keba(Charger):
    """A fail-safe of 0 s is none. Every word winds it up."""

    def __init__(self, options):
        super().__init__(options)
        self.enabled, self.failsafe_a, self.failsafe_s = False, 0.0, 0
        self.heard = time.monotonic()
        self.fallen = False

    def left(self):
        if self.failsafe_s == 0 or self.options.keeps:
            return 1.0
        return max(0.0, self.heard + self.failsafe_s - time.monotonic())

    def applied(self):
        if self.left() == 0:
            # It stays so until it is told again.
            self.fallen = True
        if self.fallen:
            return min(MOST_A, self.failsafe_a)
        return min(MOST_A, self.limit) if self.enabled else 0.0

    def registers(self):
        state = 3 if self.draw > 0 else 5
        milli = round(self.draw * 1000)
        table = {
            1000: state, 1004: 7, 1008: milli, 1010: milli, 1012: milli, 1036: round(self.energy_wh * 10),
            1100: round(self.applied() * 1000), 1600: round(self.failsafe_a * 1000), 1602: self.failsafe_s,
        }
        return {first + index: word for first, value in table.items() for index, word in enumerate(words(value, KIND.UINT32))}

    async def asked(self, function, start, address, count, registers, values):
        if self.mute:
            await asyncio.sleep(3600)
        self.applied()
        self.heard = time.monotonic()
        if function == WRITE_SINGLE:
            if values is None:
                # The server reads back what it has written.
                return None
            value = list(values)[0]
            self.writes += 1
            if self.options.no_failsafe and address in (5016, 5018, 5020):
                return ExcCodes.ILLEGAL_ADDRESS
            if address == 5004:
                self.limit, self.fallen = value / 1000, False
            elif address == 5014:
                self.enabled, self.fallen = value == 1, False
            elif address == 5016:
                self.failsafe_a = value / 1000
            elif address == 5018:
                self.failsafe_s = value
            elif address != 5020:
                return ExcCodes.ILLEGAL_ADDRESS
            return None
        if function != READ_HOLDING or count != 2:
            return ExcCodes.ILLEGAL_FUNCTION
        table = self.registers()
        for index in range(address, address + count):
            registers[index - start] = table.get(index, 0)
        return None


MODELS = {"alfen": (Charger, [(300, 100), (1200, 16)]), "keba": (Keba, [(1000, 110), (1600, 4), (5000, 30)])}


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--unit", type=int, default=1)
    parser.add_argument("--validity", type=float, default=60.0)
    parser.add_argument("--safe", type=float, default=6.0)
    parser.add_argument("--car", type=float, default=16.0)
    parser.add_argument("--model", choices=["alfen", "keba"], default="alfen")
    parser.add_argument("--keeps", action="store_true")
    parser.add_argument("--no-failsafe", action="store_true")
    options = parser.parse_args()
    make, blocks = MODELS[options.model]
    charger = make(options)
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
