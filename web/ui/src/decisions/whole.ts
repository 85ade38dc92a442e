/** One decision with all that was known when it was taken, and the words for amounts and times in it. */
import type { Action, Decision, LoadStatus, PhaseStatus, Reason } from "../api/types";
import { age, ampere, number } from "../format";
import { t } from "../i18n";

export interface InputLoad {
  id: string;
  kind: LoadStatus["kind"];
  connected: boolean | null;
  status?: string;
  setpoint_a?: number | null;
  measured_a?: (number | null)[] | null;
  acknowledged_a?: number | null;
  on?: boolean | null;
  power_w?: number | null;
  following?: boolean | null;
  reason: Reason | null;
}

export interface Inputs {
  event?: { type: string; id?: string; command?: number | Record<string, unknown> };
  meter?: { state: string; last_ms: number | null; period_ms: number | null };
  phases?: PhaseStatus[];
  highest_background_a?: (number | null)[] | null;
  loads?: InputLoad[];
}

export interface Whole extends Decision {
  inputs?: Inputs | null;
}

export const changes = (decision: Decision): Action[] => decision.actions.filter((a) => a.renewal !== true);

/** Milliseconds as people say them: 35 ms, 1.2 s, 40 s. */
export const lapse = (ms: number): string => (Math.abs(ms) < 1_000 ? `${number(ms, 0)} ms` : age(ms / 1_000));

/** How long after the decision something was. */
export function after(decision: Decision, time: string): string {
  const ms = Date.parse(time) - Date.parse(decision.time);
  return ms <= 0 ? t("decision.at_once") : t("decision.after", { time: lapse(ms) });
}

export const amount = (value: number | null | undefined): string | null =>
  value === null || value === undefined ? null : ampere(Math.round(value * 10) / 10);
