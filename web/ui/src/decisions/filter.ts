/** Which decisions are asked for. It stands in the address, so that a choice can be linked to. */
import type { Decision } from "../api/types";

export interface Filter {
  load: string;
  code: string;
  /** A state or the beginning of its path; the service does not know this one, the page sorts by itself. */
  state: string;
  /** RFC 3339 times, or empty. */
  from: string;
  to: string;
  renewals: boolean;
}

export const ALL: Filter = { load: "", code: "", state: "", from: "", to: "", renewals: false };

/** The closed list of reasons of the service. */
export const CODES = [
  "main_fuse", "circuit", "power_limit", "thermal", "priority", "fair_share", "rotation", "hysteresis", "meter_stale", "meter_lost",
  "charger_lost", "not_obeying", "user", "demand", "restored", "lease", "starting", "observe", "max_off", "learning", "normal",
] as const;

/** The states, the worst first. */
export const STATES = [
  "failsafe.meter_lost", "degraded.meter_stale", "degraded.meter_partial", "degraded.charger_lost", "degraded.map_unknown", "starting",
  "manual", "observe", "operating.curtailing", "operating.recovering", "operating.normal",
] as const;

export function filterOf(query: URLSearchParams): Filter {
  const text = (name: string): string => query.get(name) ?? "";
  return {
    load: text("load"),
    code: text("code"),
    state: text("state"),
    from: text("from"),
    to: text("to"),
    renewals: text("renewals") === "true",
  };
}

/** For the address of the page: only what is chosen. */
export function paramsOf(filter: Filter): Record<string, string> {
  const chosen = Object.entries(filter).map(([name, value]) => [name, String(value)] as const);
  return Object.fromEntries(chosen.filter(([, value]) => value !== "" && value !== "false"));
}

/** For the service. */
export function searchOf(filter: Filter, more: Readonly<Record<string, string>> = {}): string {
  const { state: _ours, ...asked } = paramsOf(filter);
  return new URLSearchParams({ ...asked, ...more }).toString();
}

/** What the service does not choose by. */
export const matches = (decision: Decision, filter: Filter): boolean => filter.state === "" || decision.state === filter.state;

/** What `<input type="datetime-local">` shows of a time, and back; empty where there is none. */
export function localOf(time: string): string {
  const date = new Date(time);
  if (time === "" || Number.isNaN(date.getTime())) return "";
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function timeOf(local: string): string {
  const date = new Date(local);
  return local === "" || Number.isNaN(date.getTime()) ? "" : date.toISOString().replace(".000Z", "Z");
}
