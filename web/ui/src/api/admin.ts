/** Shapes of what only people who look after the house see: accounts, versions, backups, diagnostics, the demo. */
import type { Role } from "./types";

export interface User {
  name: string;
  role: Role;
  created?: string;
}

export interface Token {
  id: string | number;
  name: string;
  role: Role;
  created?: string;
  /** There once, in the answer that made it. */
  secret?: string;
}

export interface Difference {
  field: string;
  before: unknown;
  after: unknown;
}

export interface Version {
  n: number;
  at: string;
  author: string;
  change: string;
  /** `null`: the version before is not kept any more. */
  diff: Difference[] | null;
  /** New passwords of charge points that came back without one, by their id; told once. */
  passwords?: Record<string, string>;
}

export interface Restored {
  made: string;
  version: string;
  files: unknown;
  restarts_at: string;
  text: string;
}

export interface Channel {
  url: string;
  token?: string;
  token_set?: boolean;
}

export interface Email {
  host: string;
  port: number;
  tls: "starttls" | "tls" | "none";
  user: string | null;
  password?: string;
  password_set?: boolean;
  from: string;
  to: string[];
}

export interface Notifications {
  language: string;
  webhook: Channel | null;
  ntfy: Channel | null;
  email: Email | null;
}

export interface Tls {
  mode: "off" | "self_signed";
  names: string[];
  ca_fingerprint: string | null;
  not_after: string | null;
}

export interface DemoHouse {
  oven: boolean;
  meter_cable: boolean;
  speed: number;
  chargers: { id: string; network: boolean; car: boolean }[];
  cars_max: number;
}

export type Capability = "unknown" | "not_there" | "claimed" | "proven";

export interface DeviceHealth {
  id: string;
  driver: { kind: string; profile?: string } | null;
  connected: boolean | null;
  status?: string;
  following?: boolean | null;
  capabilities?: Record<string, Capability> | null;
}

/** A message of a charge point or to it, without secrets. */
export interface OcppMessage {
  time: string;
  charge_point: string;
  charger: string | null;
  direction: "in" | "out";
  message: string;
}

/** What came from the meter, without its number. */
export interface Telegram {
  time: string;
  valid: boolean;
  telegram: string;
}

export interface Diagnostics {
  time: string;
  version: string;
  uptime_s: number;
  system: { architecture: string; os: string; memory_used_bytes: number | null; memory_most_bytes: number | null; memory_free_bytes: number | null };
  loop: { alive: boolean; ready: boolean };
  databases: { file: string; bytes: number | null; log_bytes: number | null; schema: number | null }[];
  journal: { problem: string | null; set_aside: boolean; dropped: number; gaps: number; run: number };
  chargers: DeviceHealth[];
  relays: DeviceHealth[];
  unmatched_charge_points: number;
  ocpp_trace?: OcppMessage[];
  meter_trace?: Telegram[];
}
