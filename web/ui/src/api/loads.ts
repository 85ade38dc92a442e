/** Shapes of chargers, slow loads and what is found in the network, as `docs/chargers.md` and `docs/devices.md` say. */
import type { PhaseName, Schemas } from "./types";

export type Driver = Schemas["Driver"];
export type DriverKind = Driver["kind"];
export type Lease = Schemas["LeaseProof"];
export type ChargerConfig = Schemas["Charger"];
export type SlowLoadConfig = Schemas["SlowLoad"];

/** Something that announces itself in the network. Its name is what it says of itself. */
export type Found = Schemas["Discovered"];

export interface Discovery {
  items: Found[];
  next: string | null;
  searching: boolean;
}

export interface FollowReport {
  passed: boolean;
  reaction_ms: number | null;
  error_a: number | null;
  lowest_a: number | null;
  pauses: boolean;
  resumes: boolean;
  phases_configured: PhaseName[] | null;
  phases_expected: PhaseName[] | null;
  phases_found: PhaseName[] | null;
  phases_agree: boolean | null;
  text: string;
}

export interface CutReport {
  passed: boolean;
  lease_s: number;
  safe_current_a: number;
  fell_after_ms: number | null;
  late_ms: number | null;
  seen_by: string | null;
  text: string;
}

export interface StepReport {
  kind: string;
  told_a: number;
  reported_a: (number | null)[];
  moved_a: (number | null)[];
  reaction_ms: number | null;
  error_a: number | null;
  follows: boolean;
  skipped: boolean;
  text: string;
}

/** What the last test of a charger has found. `null`: it was not come to. */
export type ChargerReport = Omit<Schemas["TestReport"], "result" | "follow" | "cut" | "limits" | "steps"> & {
  result: "passed" | "failed" | "aborted";
  follow: FollowReport | null;
  cut: CutReport | null;
  limits: { lease?: string; min_current_a?: number; phases_unknown?: boolean };
  steps: StepReport[];
};
