/**
 * Shapes of the HTTP API: those of the generated schema. Where the schema leaves a part open (free objects, data of a reason),
 * this says more of it, on top of the schema's own. A value that is not known is `null`.
 * Units are in the names: `_a` ampere, `_w` watt, `_s` second.
 */

import type { components } from "./schema";

export type Schemas = components["schemas"];

export type PhaseName = Schemas["Phase"];
export type Role = Schemas["Role"];
export type Mode = Schemas["Mode"];
export type Grid = Schemas["Grid"];
export type Characteristic = Schemas["Characteristic"];

/** After a login the service tells the role and the token alone. */
export type Session = Schemas["LoggedIn"] & Partial<Schemas["Session"]>;

/** A reason, with the data that its code has. */
export type Reason = Schemas["Reason"] & {
  /** What was measured where it binds, the limit there, and what is left there for the loads. */
  measured_a?: number | null;
  limit_a?: number | null;
  available_a?: number | null;
  /** What the load had before, and has now. */
  from_a?: number | null;
  to_a?: number | null;
  counterfactual?: Counterfactual | null;
};

/** What the load would have if one thing were otherwise: another load paused, or (no `load`) the last peak forgotten. */
export interface Counterfactual {
  load?: string | null;
  current_a: number;
}

export type PhaseStatus = Schemas["PhaseState"];
export type MeterStatus = Schemas["MeterStatus"];

export type WishKind = Schemas["LoadWishKind"];

/** What a person told a load, until it ends by itself. */
export type Wish = Schemas["LoadWish"];

type Reasoned<T> = Omit<T, "reason"> & { reason: Reason | null };

export type ChargerStatus = Reasoned<Schemas["ChargerLoad"]> & { kind: "charger" };
export type SlowLoadStatus = Reasoned<Schemas["SlowLoadStatus"]> & { kind: "slow_load" };
export type LoadStatus = ChargerStatus | SlowLoadStatus;

export type Alarm = Schemas["AlarmStatus"];

export type Status = Reasoned<Omit<Schemas["Status"], "loads">> & { loads: LoadStatus[] };

export type Action = Reasoned<Schemas["Action"]>;
export type Decision = Reasoned<Omit<Schemas["Decision"], "actions">> & { actions: Action[] };

/** What the meter said; one entry for each line, `null` where it said nothing of it. */
export interface Reading {
  time: string;
  phases: ({ current_a: number | null; voltage_v: number | null; power_w: number | null } | null)[];
  power_w: number | null;
  circuit?: string | null;
}

/** The follow test and the cut test of a charger as they go on. */
export type ChargerTest = Schemas["ChargerTest"];

export interface Page<T> {
  items: T[];
  next: string | null;
}

/** As it is read: everything is there. It is sent back whole. */
export type MainFuse = Schemas["MainFuse"] & { characteristic: Characteristic };
export type Site = Omit<Schemas["Site"], "main_fuse"> & { mode: Mode; grid: Grid; margin_a: number; main_fuse: MainFuse };

/** Keys go in and never come out: `key_set` tells whether one is stored. */
export type MeterSettings = Schemas["MeterView"];
export type MeterCandidate = Schemas["MeterCandidate"];

/** A load that was added or changed; a password that was made is told once, in the answer that made it. */
export interface LoadMade {
  id: string;
  name: string;
  driver: { kind: string; charge_point_id?: string; password?: string | null } | null;
}

/** A charge point that connected and belongs to no charger yet. */
export type Unmatched = Schemas["Unmatched"];

export type Priorities = Schemas["Priorities"];

export type FieldError = Schemas["FieldError"];

/** RFC 9457 problem document; whatever stands between may answer with another. */
export type Problem = Partial<Schemas["Problem"]>;
