// A house for the test of the wizard: the real service on a fresh data directory, a meter on a pseudo-terminal, and a
// charge point that others wrote, whose current the meter sees. Loopback only; everything is ended by its own process.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const VOLT = 230;
const PERIOD_MS = 1000;
/** A start on a busy machine. */
const START_MS = 30_000;

/** A binary that is there, or `null`: the check builds the release, a developer has the debug build. */
export function binary() {
  const candidates = [process.env.HEADROOM_BIN, join(root, "target/release/headroom"), join(root, "target/debug/headroom")];
  return candidates.find((path) => path !== undefined && existsSync(path)) ?? null;
}

/** A Python with the library of the charge point, or `null`. */
export function python() {
  const candidates = [process.env.HEADROOM_PYTHON, join(root, "target/tools/venv/bin/python")];
  return candidates.find((path) => path !== undefined && existsSync(path)) ?? null;
}

export async function freePort() {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

function within(promise, ms, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${ms / 1000} s`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Whoever ends the test early ends these with it. */
const children = new Set();
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => process.exit(1));
process.once("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

function start(command, args, options) {
  const child = spawn(command, args, options);
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

async function end(child, signal = "SIGTERM") {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, "exit");
}

/** CRC-16/ARC, as P1 asks: over everything from the slash to the exclamation mark. */
function crc(text) {
  let value = 0;
  for (const byte of Buffer.from(text, "latin1")) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit += 1) value = (value & 1) === 1 ? (value >> 1) ^ 0xa001 : value >> 1;
  }
  return value.toString(16).toUpperCase().padStart(4, "0");
}

/** `threeWire`: a meter without a neutral, which tells neither voltage nor current of L2. */
function telegram(currents, second, threeWire) {
  const two = (number) => String(number).padStart(2, "0");
  const kilowatt = (ampere) => ((ampere * VOLT) / 1000).toFixed(3).padStart(6, "0");
  const sum = currents.reduce((a, b) => a + b, 0);
  const volts = (line) => (VOLT + ((second * 7 + line * 3) % 11) / 10).toFixed(1);
  const lines = [
    "/HRT5\\2HEADROOM-TEST",
    "",
    "1-3:0.2.8(50)",
    `0-0:1.0.0(260115${two(12 + Math.floor(second / 3600))}${two(Math.floor(second / 60) % 60)}${two(second % 60)}W)`,
    "0-0:96.1.1(4530303330303030303030303030303030)",
    `1-0:1.7.0(${kilowatt(sum)}*kW)`,
    "1-0:2.7.0(00.000*kW)",
    ...currents.flatMap((ampere, line) =>
      threeWire && line === 1
        ? ["1-0:52.7.0(000.0*V)", "1-0:51.7.0(000.0*A)"]
        : [
            `1-0:${32 + 20 * line}.7.0(${volts(line)}*V)`,
            `1-0:${31 + 20 * line}.7.0(${ampere.toFixed(1).padStart(5, "0")}*A)`,
            `1-0:${21 + 20 * line}.7.0(${kilowatt(ampere)}*kW)`,
          ],
    ),
    "!",
  ];
  const body = lines.join("\r\n");
  return `${body}${crc(body)}\r\n`;
}

/** A meter that sends once a second: the house, and what the cars draw. */
export async function startMeter(path) {
  const house = [2, 1, 3];
  const cars = [];
  let second = 0;
  let threeWire = false;
  const pty = start("socat", ["-u", "STDIN", `PTY,link=${path},rawer,wait-slave`], { stdio: ["pipe", "ignore", "inherit"] });
  // Without a reader the terminal is not there; what is not taken is of no use later.
  pty.stdin.on("error", () => undefined);
  const timer = setInterval(() => {
    second += 1;
    const sum = house.map((own, line) => own + cars.reduce((all, car) => all + (car()[line] ?? 0), 0));
    pty.stdin.write(telegram(sum, second, threeWire), "latin1");
  }, PERIOD_MS);
  return {
    source: `serial:${path}`,
    add: (car) => cars.push(car),
    threeWire: (is) => {
      threeWire = is;
    },
    end: async () => {
      clearInterval(timer);
      await end(pty);
    },
  };
}

/** The service. It may be killed and started again on the same data, at the same addresses. */
export async function startService(program, data) {
  const [http, ocpp] = [await freePort(), await freePort()];
  const args = ["run", "--data", data, "--listen", `127.0.0.1:${http}`, "--ocpp-listen", `127.0.0.1:${ocpp}`];
  let child = null;
  const begin = async () => {
    child = start(program, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, HEADROOM_LOG_FORMAT: "text" } });
    const log = [];
    child.stderr.on("data", (text) => {
      log.push(String(text));
      if (log.length > 200) log.shift();
    });
    const said = new Promise((resolve, reject) => {
      const lines = createInterface({ input: child.stdout });
      lines.on("line", (line) => {
        if (line.startsWith("Headroom http")) resolve(line);
      });
      child.once("exit", (code) => reject(new Error(`the service ended (${code}): ${log.join("")}`)));
    });
    return within(said, START_MS, "the start of the service");
  };
  const first = await begin();
  return {
    url: `http://127.0.0.1:${http}/`,
    ocpp: `ws://127.0.0.1:${ocpp}`,
    code: /setup-code (\S+)/.exec(first)?.[1] ?? null,
    kill: () => end(child, "SIGKILL"),
    start: begin,
    end: () => end(child),
  };
}

/** A charge point with a car (`tests/peers/charge_point.py`). It keeps its profiles and connects again by itself. */
export function startChargePoint(program, url, id, password) {
  const script = join(root, "tests/peers/charge_point.py");
  const child = start(program, [script, "--url", url, "--id", id, "--password", password, "--phases", "1"], { stdio: ["pipe", "pipe", "inherit"] });
  let current = [0];
  createInterface({ input: child.stdout }).on("line", (line) => {
    try {
      const now = JSON.parse(line);
      if (Array.isArray(now.current_a)) current = now.current_a;
    } catch {
      // Not one of its lines.
    }
  });
  return {
    /** What its only terminal draws. */
    draw: () => current,
    end: () => end(child, "SIGKILL"),
  };
}
