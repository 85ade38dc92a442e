/**
 * Shapes of the HTTP API as this page uses them: those of the generated schema where they are the same, and its own where
 * this page needs less, or an older service is spoken to. A value that is not known is `null`.
 * Units are in the names: `_a` ampere, `_w` watt, `_s` second.
 */

import type { components } from "./schema";

type Schemas = components["schemas"];

export type PhaseName = Schemas["Phase"];
export type Role = Schemas["Role"];
export type Mode = "observe" | "control";
export type Grid = "tn_3ph" | "it_3ph" | "tn_1ph";
export type Characteristic = "gg" | "b" | "c" | "d" | "linky" | "none";

export interface Session {
  role: Role;
  csrf: string;
  name?: string | null;
  demo?: boolean;
}

export interface Reason {
  code: string;
  text: string;
  phase?: PhaseName | null;
  circuit?: string | null;
  load?: string | null;
  /** What was measured where it binds, the limit there, and what is left there for the loads. */
  measured_a?: number | null;
  limit_a?: number | null;
  available_a?: number | null;
  /** What the load had before, and has now. */
  from_a?: number | null;
  to_a?: number | null;
  /** The earliest next change, or the end of a wish, on the engine's clock (`t_ms` of a decision). */
  until_ms?: number | null;
  counterfactual?: Counterfactual | null;
}

/** What the load would have if one thing were otherwise: another load paused, or (no `load`) the last peak forgotten. */
export interface Counterfactual {
  load?: string | null;
  current_a: number;
}

export interface PhaseStatus {
  phase: PhaseName;
  measured_a: number | null;
  background_a: number | null;
  headroom_a: number | null;
  limit_a: number | null;
  /** Share of the heat at which the fastest legal fuse of the class may open; 1 = may open. */
  thermal: number | null;
  source: "measured" | "rebuilt" | "worst_case";
}

export interface MeterStatus {
  state: string;
  age_s: number | null;
  period_s: number | null;
  protocol: string | null;
  meter_id: string | null;
  model?: string | null;
  source: string | null;
  serial?: string | null;
  /** What is heard, in a sentence, and what to do if that is not enough. */
  text?: string | null;
  rejected?: Record<string, number>;
}

interface LoadCommon {
  id: string;
  name: string;
  /** `null`: not heard of yet. */
  connected: boolean | null;
  priority: number;
  reason: Reason | null;
  wishes: Wish[];
}

export type WishKind = Schemas["LoadWishKind"];

/** What a person told a load, until it ends by itself. */
export type Wish = Schemas["LoadWish"];

export interface ChargerStatus extends LoadCommon {
  kind: "charger";
  status: string;
  setpoint_a: number | null;
  measured_a: (number | null)[] | null;
  acknowledged_a: number | null;
  max_current_a: number | null;
  lease_s: number | null;
  lease_until: string | null;
  following: boolean | null;
}

export interface SlowLoadStatus extends LoadCommon {
  kind: "slow_load";
  on: boolean | null;
  power_w: number | null;
}

export type LoadStatus = ChargerStatus | SlowLoadStatus;

export type Alarm = Schemas["AlarmStatus"];

export interface Status {
  state: string;
  mode: Mode;
  reason: Reason | null;
  time: string;
  phases: PhaseStatus[];
  meter: MeterStatus;
  loads: LoadStatus[];
  alarms: Alarm[];
  version: string;
  demo?: boolean;
}

export interface Action {
  command: number;
  type: "set_limit" | "switch";
  load: string;
  limit_a?: number | null;
  phases?: number | null;
  on?: boolean | null;
  lease_s?: number | null;
  renewal?: boolean;
  reason?: Reason | null;
  outcome?: "pending" | "accepted" | "rejected" | "timeout" | null;
  sent_at?: string | null;
  acknowledged_at?: string | null;
  seen_at?: string | null;
}

export interface Decision {
  id: number;
  time: string;
  t_ms: number;
  state: string;
  reason: Reason | null;
  actions: Action[];
  inputs?: unknown;
}

/** What the meter said; one entry for each line, `null` where it said nothing of it. */
export interface Reading {
  time: string;
  phases: ({ current_a: number | null; voltage_v: number | null; power_w: number | null } | null)[];
  power_w: number | null;
  circuit?: string | null;
}

/** The follow test and the cut test of a charger as they go on. */
export interface ChargerTest {
  charger: string;
  state: "running" | "passed" | "failed" | "aborted";
  cut: boolean;
  started: string;
  ended: string | null;
  /** The step, from 1, and how many there are. */
  step: number;
  of: number;
  kind: "limit" | "pause" | "resume" | "cut";
  text: string;
  measured: { told_a: number | null; reported_a: (number | null)[] | null; lines_a: (number | null)[] };
}

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface MainFuse {
  rating_a: number | number[];
  characteristic: Characteristic;
  [other: string]: unknown;
}

/** The site is sent back whole, so fields that this page does not know are kept as they came. */
export interface Site {
  name?: string;
  time_zone?: string;
  mode: Mode;
  grid: Grid;
  main_fuse: MainFuse;
  margin_a: number;
  circuits?: { id: string }[];
  [other: string]: unknown;
}

/** Keys go in and never come out: `key_set` tells whether one is stored. */
export interface MeterSettings {
  source: string | null;
  key_set: boolean;
  ct_ratio: number | null;
  /** The command line names the source that is read; `stored_source` counts after a start without it. */
  pinned?: boolean;
  stored_source?: string | null;
}

export interface ChargerSettings {
  id: string;
  name: string;
  safe_current_a: number;
  /** The password is there once, in the answer that made it. */
  driver: { kind: string; charge_point_id?: string; password?: string };
}

/** A charge point that connected and belongs to no charger yet. */
export interface Unmatched {
  charge_point_id: string;
  vendor: string | null;
  model: string | null;
  firmware: string | null;
  remote: string | null;
  connected: boolean;
}

export type Priorities = Schemas["Priorities"];

export type FieldError = Schemas["FieldError"];

/** RFC 9457 problem document. */
export interface Problem {
  code?: string;
  title?: string;
  detail?: string;
  errors?: FieldError[];
}
