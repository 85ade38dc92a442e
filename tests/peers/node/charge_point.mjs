// A charge point with a car, made with the npm package `ocpp-rpc` in strict mode: it judges every message of both
// directions by the official schemas of OCPP 1.6.
//
//   node charge_point.mjs --url ws://host:port --id IDENTITY --password PASSWORD
//
// Its lines are those of charge_point.py. Each message that breaks a schema is told as {"event": "violation", ...}, and
// {"event": "messages", "judged": 42} tells how many were judged so far. It keeps one profile for each stack level of
// TxDefaultProfile and takes no other purpose.

import { parseArgs } from "node:util";
import { RPCClient, createRPCError } from "ocpp-rpc";

const { values: options } = parseArgs({
  options: {
    url: { type: "string" },
    id: { type: "string" },
    password: { type: "string" },
    phases: { type: "string", default: "3" },
  },
});
const PHASES = Number(options.phases);
const MAX_A = 16;
const MIN_A = 6;
const RAMP_A_PER_S = 20;
const STEP_MS = 100;
const SAMPLE_MS = 1000;
const TOLD_EACH = 10;

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const stamp = () => new Date().toISOString();

// --- the power side: it lives on without a connection ------------------------------------------------------------

const profiles = new Map();
let transaction = null;
let connected = false;
let draw = 0;
let status = "Preparing";
let energyWh = 0;
let said = "";

function limitOf(schedule) {
  const elapsed = (Date.now() - Date.parse(schedule.startSchedule)) / 1000;
  if (!(elapsed >= 0) || elapsed >= (schedule.duration ?? Infinity)) return null;
  const period = schedule.chargingSchedulePeriod.findLast((period) => period.startPeriod <= elapsed);
  return period ? period.limit : null;
}

function limit() {
  const levels = [...profiles.keys()].sort((a, b) => b - a);
  const limits = levels.map((level) => limitOf(profiles.get(level).chargingSchedule));
  return Math.min(MAX_A, limits.find((limit) => limit !== null) ?? MAX_A);
}

function step() {
  const now = limit();
  const wanted = transaction !== null && now >= MIN_A ? now : 0;
  draw = wanted > draw ? Math.min(wanted, Math.max(draw, MIN_A) + (RAMP_A_PER_S * STEP_MS) / 1000) : wanted;
  energyWh += (draw * PHASES * 230 * STEP_MS) / 3_600_000;
  status = transaction === null ? "Preparing" : draw > 0 ? "Charging" : "SuspendedEVSE";
  const line = { connected, status, limit_a: now, current_a: Array(PHASES).fill(draw), transaction };
  const text = JSON.stringify(line);
  if (text !== said) {
    said = text;
    say({ t: Number(process.hrtime.bigint() / 1_000_000n) / 1000, ...line });
  }
}

// --- the protocol side --------------------------------------------------------------------------------------------

const client = new RPCClient({
  endpoint: options.url,
  identity: options.id,
  password: options.password,
  protocols: ["ocpp1.6"],
  strictMode: true,
});
let judged = 0;

client.on("strictValidationFailure", ({ method, isCall, outbound, error }) =>
  say({ event: "violation", method, call: isCall, ours: !outbound, why: String(error.message), details: error.details }),
);
client.on("message", ({ outbound }) => {
  judged += 1;
  if (judged % TOLD_EACH === 0) say({ event: "messages", judged, outbound });
});

const configuration = {
  NumberOfConnectors: "1",
  ChargeProfileMaxStackLevel: "8",
  ChargingScheduleAllowedChargingRateUnit: "Current",
  ChargingScheduleMaxPeriods: "8",
  MaxChargingProfilesInstalled: "8",
};
const handlers = {
  GetConfiguration: ({ key }) => {
    const asked = key?.length ? key : Object.keys(configuration);
    const known = asked.filter((name) => name in configuration);
    return {
      configurationKey: known.map((name) => ({ key: name, readonly: true, value: configuration[name] })),
      unknownKey: asked.filter((name) => !(name in configuration)),
    };
  },
  ChangeConfiguration: () => ({ status: "NotSupported" }),
  TriggerMessage: () => ({ status: "NotImplemented" }),
  SetChargingProfile: ({ connectorId, csChargingProfiles: profile }) => {
    const schedule = profile.chargingSchedule;
    const taken =
      connectorId <= 1 &&
      profile.chargingProfilePurpose === "TxDefaultProfile" &&
      profile.chargingProfileKind === "Absolute" &&
      schedule.chargingRateUnit === "A";
    if (taken) profiles.set(profile.stackLevel, profile);
    say({ event: "profile", taken, level: profile.stackLevel, limit_a: schedule.chargingSchedulePeriod[0].limit });
    return { status: taken ? "Accepted" : "Rejected" };
  },
  ClearChargingProfile: () => ({ status: "Unknown" }),
  GetCompositeSchedule: ({ connectorId, duration }) => ({
    status: "Accepted",
    connectorId,
    scheduleStart: stamp(),
    chargingSchedule: {
      duration,
      chargingRateUnit: "A",
      chargingSchedulePeriod: [{ startPeriod: 0, limit: limit() }],
    },
  }),
};
client.handle(({ method, params }) => {
  const handler = handlers[method];
  if (!handler) throw createRPCError("NotImplemented");
  return handler(params);
});

const tellStatus = () =>
  client.call("StatusNotification", { connectorId: 1, errorCode: "NoError", status, timestamp: stamp() });

async function values() {
  const phases = Array.from({ length: PHASES }, (_, phase) => ({
    measurand: "Current.Import",
    unit: "A",
    phase: `L${phase + 1}`,
    value: draw.toFixed(1),
  }));
  const energy = { measurand: "Energy.Active.Import.Register", unit: "Wh", value: energyWh.toFixed(0) };
  await client.call("MeterValues", {
    connectorId: 1,
    transactionId: transaction,
    meterValue: [{ timestamp: stamp(), sampledValue: [...phases, energy] }],
  });
}

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function live() {
  await client.connect();
  connected = true;
  let boot;
  while (boot?.status !== "Accepted") {
    if (boot) await wait(1000);
    boot = await client.call("BootNotification", { chargePointVendor: "Tests", chargePointModel: "Node-1" });
  }
  await tellStatus();
  const start = await client.call("StartTransaction", {
    connectorId: 1,
    idTag: "CAR",
    meterStart: 0,
    timestamp: stamp(),
  });
  transaction = start.transactionId;
  let told = null;
  for (;;) {
    if (status !== told) {
      told = status;
      await tellStatus();
    }
    await values();
    await wait(SAMPLE_MS);
  }
}

client.on("disconnect", () => {
  connected = false;
});
setInterval(step, STEP_MS);
// Without the controller the car goes on charging, by what was set.
live().catch((error) => say({ event: "ended", why: String(error) }));
process.stdin.on("end", () => process.exit(0)).resume();
