/** What each kind of driver asks for, so that one form serves all of them. The names are those of the API. */
import type { Driver, DriverKind } from "../api/loads";
import type { LoadStatus } from "../api/types";
import { type Key, t } from "../i18n";

export type LoadKind = LoadStatus["kind"];

export interface DriverField {
  name: string;
  type: "text" | "number" | "password" | "auth" | "params" | "profile";
  initial?: string;
}

export const DRIVER_KINDS: Readonly<Record<LoadKind, readonly DriverKind[]>> = {
  charger: ["ocpp", "http", "modbus", "mqtt"],
  slow_load: ["shelly_gen2", "http", "modbus", "mqtt"],
};

export const DRIVER_FIELDS: Readonly<Record<DriverKind, readonly DriverField[]>> = {
  ocpp: [
    { name: "charge_point_id", type: "text" },
    { name: "connector", type: "number", initial: "1" },
    { name: "auth", type: "auth", initial: "basic" },
    { name: "password", type: "password" },
  ],
  shelly_gen2: [
    { name: "host", type: "text" },
    { name: "channel", type: "number", initial: "0" },
    { name: "password", type: "password" },
  ],
  http: [
    { name: "profile", type: "profile" },
    { name: "host", type: "text" },
    { name: "params", type: "params" },
    { name: "password", type: "password" },
  ],
  modbus: [
    { name: "profile", type: "profile" },
    { name: "address", type: "text" },
    { name: "unit", type: "number", initial: "1" },
  ],
  mqtt: [
    { name: "profile", type: "profile" },
    { name: "broker", type: "text" },
    { name: "topic", type: "text" },
  ],
};

/** Offered while one types; the service knows them all, and names those it has when one is not among them. */
export const PROFILES: Readonly<Record<LoadKind, Readonly<Partial<Record<DriverKind, readonly string[]>>>>> = {
  charger: {
    http: ["go-e-v2", "go-e-v1", "openevse", "smartevse", "warp", "peblar", "home-assistant-charger"],
    modbus: ["alfen", "keba", "phoenix_charx_1"],
    mqtt: ["go_e", "openevse"],
  },
  slow_load: {
    http: ["shelly-gen1", "tasmota", "home-assistant-switch"],
    modbus: ["relay_coil_0", "relay_holding_0"],
    mqtt: ["tasmota", "tasmota_timer", "shelly_gen2", "shelly_gen1", "zigbee2mqtt", "zigbee2mqtt_timed"],
  },
};

export type DriverDraft = Readonly<Record<string, string>>;

const paramsText = (params: Readonly<Record<string, string>>): string =>
  Object.entries(params)
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");

/** `name=value, name=value`; a part without `=` is a name with nothing. */
function paramsOf(text: string): Record<string, string> {
  const pairs = text.split(",").map((part) => part.trim()).filter((part) => part !== "");
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      return at < 0 ? [pair, ""] : [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    }),
  );
}

/** What a form shows of a driver that is stored; passwords never come. */
export function draftOfDriver(driver: Driver): DriverDraft {
  const stored = driver as unknown as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    DRIVER_FIELDS[driver.kind].map(({ name, type }) => {
      if (type === "password") return [name, ""];
      if (type === "params" && driver.kind === "http") return [name, paramsText(driver.params ?? {})];
      const value = stored[name];
      return [name, value === undefined || value === null ? "" : String(value)];
    }),
  );
}

export const emptyDriver = (kind: DriverKind): DriverDraft =>
  Object.fromEntries(DRIVER_FIELDS[kind].map(({ name, initial = "" }) => [name, initial]));

/** The name in a draft of the wish to have the stored password forgotten; `yes`, or not there. */
export const FORGET = "forget_password";

/** The driver as the API takes it. A password that is left empty stays as it is stored, unless it is to be forgotten. */
export function bodyOfDriver(kind: DriverKind, draft: DriverDraft): Record<string, unknown> {
  const body: Record<string, unknown> = { kind };
  for (const { name, type } of DRIVER_FIELDS[kind]) {
    const text = (draft[name] ?? "").trim();
    if (type === "number") {
      // What is no number goes as it was written: the service says at its field what is wrong with it.
      const value = Number(text);
      body[name] = text !== "" && Number.isFinite(value) ? value : text;
    } else if (type === "params") body[name] = paramsOf(text);
    else if (type !== "password" || text !== "") body[name] = text;
    else if (draft[FORGET] === "yes") body[name] = null;
  }
  return body;
}

/** How a load is reached and where, in a line. */
export function whereOf(driver: Driver | null): string {
  if (driver === null) return t("loads.no_driver");
  const kind = t(`driver.${driver.kind}` as Key);
  switch (driver.kind) {
    case "ocpp":
      return `${kind} · ${driver.charge_point_id}`;
    case "shelly_gen2":
      return `${kind} · ${driver.host}`;
    case "http":
      return `${kind} · ${driver.profile} · ${driver.host}`;
    case "modbus":
      return `${kind} · ${driver.profile} · ${driver.address}`;
    case "mqtt":
      return `${kind} · ${driver.profile} · ${driver.topic}`;
  }
}
