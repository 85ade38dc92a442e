"""A meter with Modbus registers, served by pymodbus over TCP or on a serial port.

    modbus_meter.py METER --unit 1 (--port 1502 | --serial /dev/pts/3) [--framer rtu]

METER names a table below. Requests for other units are not heard. Each line of standard input sets values, or whether requests are answered:

    {"volts": [230.1, 229.9, 231.0], "amps": [7.25, 12.5, 3.1], "watts": [1668, -2873, 0], "total": -1205.5,
     "var": 310.5, "imported": 4321.5, "exported": 12.2}
    {"mute": 1}     the next request gets no answer

A value of null is what the meter sends for a value that it does not have. A line is answered by "ok".
"""

import argparse
import asyncio
import json
import sys

from pymodbus.client import ModbusTcpClient
from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

KIND = ModbusTcpClient.DATATYPE
INPUT, HOLDING = 4, 3
# By the makers' lists of registers: (address, kind, word order, steps per unit, what stands for nothing).
FLOAT = (KIND.FLOAT32, "big", 1, float("nan"))


def eastron():
    table = {"total": (0x34, *FLOAT), "var": (0x3C, *FLOAT), "imported": (0x48, *FLOAT), "exported": (0x4A, *FLOAT)}
    for line in range(3):
        table["volts", line] = (0x00 + 2 * line, *FLOAT)
        table["amps", line] = (0x06 + 2 * line, *FLOAT)
        table["watts", line] = (0x0C + 2 * line, *FLOAT)
    return table


def gavazzi():
    def low_first(steps):
        return (KIND.INT32, "little", steps, 0x7FFFFFFF)

    table = {
        "total": (0x28, *low_first(10)),
        "var": (0x2C, *low_first(10)),
        "imported": (0x34, *low_first(10)),
        "exported": (0x4E, *low_first(10)),
    }
    for line in range(3):
        table["volts", line] = (0x00 + 2 * line, *low_first(10))
        table["amps", line] = (0x0C + 2 * line, *low_first(1000))
        table["watts", line] = (0x12 + 2 * line, *low_first(10))
    return table


def abb():
    def unsigned(steps):
        return (KIND.UINT32, "big", steps, 0xFFFFFFFF)

    def signed(steps):
        return (KIND.INT32, "big", steps, 0x7FFFFFFF)

    def long(steps):
        return (KIND.UINT64, "big", steps, 0xFFFFFFFFFFFFFFFF)

    table = {
        "total": (0x5B14, *signed(100)),
        "var": (0x5B1C, *signed(100)),
        "imported": (0x5000, *long(100)),
        "exported": (0x5004, *long(100)),
    }
    for line in range(3):
        table["volts", line] = (0x5B00 + 2 * line, *unsigned(10))
        table["amps", line] = (0x5B0C + 2 * line, *unsigned(100))
        table["watts", line] = (0x5B16 + 2 * line, *signed(100))
    return table


# The function that reads it, the registers that it has (from, count), and the most it gives in one answer.
METERS = {
    "sdm630": (INPUT, [(0x00, 0x58), (0xC8, 0x0C)], 80, eastron()),
    "sdm72": (INPUT, [(0x00, 0x58)], 60, eastron()),
    "em24_e1": (INPUT, [(0x00, 0x50)], 50, gavazzi()),
    "em340": (INPUT, [(0x00, 0x50)], 50, gavazzi()),
    "abb_b23": (HOLDING, [(0x5000, 0x10), (0x5B00, 0x44)], 125, abb()),
}


class Meter:
    def __init__(self, name):
        self.function, self.ranges, self.most, self.table = METERS[name]
        self.words = {}
        self.mute = 0

    def set(self, line):
        self.mute = line.pop("mute", self.mute)
        for name, value in line.items():
            if isinstance(value, list):
                for index, one in enumerate(value):
                    self.put((name, index), one)
            else:
                self.put(name, value)

    def put(self, name, value):
        address, kind, order, steps, nothing = self.table[name]
        if value is None:
            value = nothing
        elif kind != KIND.FLOAT32:
            value = round(value * steps)
        words = ModbusTcpClient.convert_to_registers(value, kind, word_order=order)
        self.words.update({address + index: word for index, word in enumerate(words)})

    async def asked(self, function, start, address, count, registers, _):
        if self.mute:
            self.mute -= 1
            # As long as the other end waits, and a little more.
            await asyncio.sleep(1.2)
        if function != self.function:
            return ExcCodes.ILLEGAL_FUNCTION
        if count > self.most:
            return ExcCodes.ILLEGAL_VALUE
        for index in range(address, address + count):
            registers[index - start] = self.words.get(index, 0)
        return None

    def device(self, unit):
        data = [SimData(start, count=count, values=0, datatype=DataType.REGISTERS) for start, count in self.ranges]
        return SimDevice(id=unit, simdata=data, action=self.asked)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("meter", choices=METERS)
    parser.add_argument("--unit", type=int, default=1)
    parser.add_argument("--port", type=int)
    parser.add_argument("--serial")
    parser.add_argument("--framer", default="socket", choices=["socket", "rtu"])
    options = parser.parse_args()
    meter = Meter(options.meter)
    device = meter.device(options.unit)
    unit_at = 6 if options.framer == "socket" and options.port else 0

    def heard(sending, packet):
        return packet if sending or packet[unit_at : unit_at + 1] == bytes([options.unit]) else b""

    if options.serial:
        server = ModbusSerialServer(
            device, framer=FramerType.RTU, port=options.serial, baudrate=9600, trace_packet=heard
        )
    else:
        address = ("127.0.0.1", options.port)
        framer = FramerType(options.framer)
        server = ModbusTcpServer(device, framer=framer, address=address, trace_packet=heard)
    await server.serve_forever(background=True)
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        meter.set(json.loads(line))
        print("ok", flush=True)


asyncio.run(main())
