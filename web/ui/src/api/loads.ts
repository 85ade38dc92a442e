/** Shapes of chargers, slow loads and what is found in the network, as `docs/chargers.md` and `docs/devices.md` say. */
import type { PhaseName } from "./types";

export interface OcppDriver {
  kind: "ocpp";
  charge_point_id: string;
  connector: number;
  auth: "basic" | "none";
  /** Goes in; comes back once, in the answer that made it. */
  password?: string;
  password_set?: boolean;
}

export interface ShellyDriver {
  kind: "shelly_gen2";
  host: string;
  channel: number;
  password?: string;
  password_set?: boolean;
}

export interface HttpDriver {
  kind: "http";
  profile: string;
  host: string;
  params: Record<string, string>;
  password?: string;
  password_set?: boolean;
}

export interface ModbusDriver {
  kind: "modbus";
  profile: string;
  address: string;
  unit: number;
}

export interface MqttDriver {
  kind: "mqtt";
  profile: string;
  broker: string;
  topic: string;
}

export type Driver = OcppDriver | ShellyDriver | HttpDriver | ModbusDriver | MqttDriver;
export type DriverKind = Driver["kind"];

interface LoadConfig {
  id: string;
  name: string;
  driver: Driver | null;
  circuit: string | null;
  phases: PhaseName[] | null;
  priority: number;
}

export type Lease = "claimed" | "proven" | "none";

export interface ChargerConfig extends LoadConfig {
  max_current_a: number;
  min_current_a: number;
  phase_switching: boolean;
  safe_current_a: number;
  lease_s: number;
  lease: Lease;
}

export interface SlowLoadConfig extends LoadConfig {
  rated_w: number;
  min_on_s: number;
  min_off_s: number;
  max_off_s: number;
}

/** Something that announces itself in the network. */
export interface Found {
  kind: "charger" | "relay" | "meter" | string;
  name: string;
  host: string;
  host_name: string | null;
  driver: Driver | null;
  source: string | null;
  already_configured: boolean;
}

export interface Discovery {
  items: Found[];
  next: string | null;
  searching: boolean;
}

/** What the last test of a charger has found. `null`: it was not come to. */
export interface ChargerReport {
  charger: string;
  started: string;
  ended: string;
  version: string;
  result: "passed" | "failed" | "aborted";
  text: string;
  follow: { passed: boolean; reaction_ms: number | null; error_a: number | null; lowest_a: number | null; text: string } | null;
  cut: { passed: boolean; lease_s: number; safe_current_a: number; fell_after_ms: number | null; text: string } | null;
}
