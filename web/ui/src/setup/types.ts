/** Shapes of the API that only the wizard uses. Units are in the names, as everywhere. */
import type { PhaseName } from "../api/types";

export interface Candidate {
  source: string;
  in_use: boolean;
  /** What is heard there; only of the one that is read. */
  text: string | null;
}

/** A device that announced itself in the network. Its name is what it says of itself. */
export interface Found {
  kind: "charger" | "relay" | "meter";
  name: string;
  host: string;
  host_name: string | null;
  driver: Driver | null;
  source: string | null;
  already_configured: boolean;
}

export interface Driver {
  kind: string;
  charge_point_id?: string;
  profile?: string;
  host?: string;
  address?: string;
  password_set?: boolean;
  password?: string;
  [other: string]: unknown;
}

export interface Charger {
  id: string;
  name: string;
  driver: Driver;
  max_current_a: number;
  min_current_a: number;
  safe_current_a: number;
  phases: PhaseName[] | null;
  lease_s: number;
  lease: "claimed" | "none" | "proven";
  priority: number;
}

export interface SlowLoad {
  id: string;
  name: string;
  driver: Driver;
  rated_w: number;
  phases: PhaseName[] | null;
  priority: number;
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

/** What a test of a charger has found. */
export interface Report {
  charger: string;
  started: string;
  ended: string;
  version: string;
  result: "passed" | "failed" | "aborted";
  text: string;
  follow: FollowReport | null;
  cut: CutReport | null;
  limits: { lease?: string; min_current_a?: number; phases_unknown?: boolean };
  steps: StepReport[];
}
