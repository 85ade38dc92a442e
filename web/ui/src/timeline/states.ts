/** What the decisions of a span tell of it: the state of the house as bands, and what each load was told as steps. */
import { get } from "../api/client";
import type { Action, Decision, Page } from "../api/types";
import { iso } from "./span";

/** Decisions that are drawn at most; beyond this the older part of the span has no bands, and the page says so. */
export const MOST = 2_000;
const PAGE = 500;
/** Decisions before the span among which the last word to a load is looked for. */
const LOOK_BACK = 50;

export interface Band {
  from: number;
  to: number;
  /** `null`: nothing was recorded. */
  state: string | null;
}

export interface Told {
  time: number;
  /** Ampere; `null`: not known. */
  value: number | null;
}

/** The decisions of a span, oldest first. */
export interface History {
  from: number;
  to: number;
  /** How long the span was when it was first read. */
  width: number;
  /** From here on all decisions are there; before, there were too many to draw. */
  since: number;
  items: Decision[];
  /** The state when the span began. */
  stateBefore: string | null;
  /** The last action for each load before the span. */
  before: ReadonlyMap<string, Action>;
}

export const NOTHING: History = { from: 0, to: 0, width: 0, since: 0, items: [], stateBefore: null, before: new Map() };

export const secondsOf = (time: string): number => Date.parse(time) / 1_000;

async function pagesOf(from: number, to: number): Promise<{ items: Decision[]; all: boolean }> {
  const items: Decision[] = [];
  let cursor: string | null = null;
  do {
    const more: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page: Page<Decision> = await get<Page<Decision>>(
      `/decisions?from=${iso(from)}&to=${iso(to)}&limit=${PAGE}${more}`,
    );
    items.push(...page.items);
    cursor = page.next;
  } while (cursor !== null && items.length < MOST);
  return { items: items.reverse(), all: cursor === null };
}

async function lastAction(load: string, before: number): Promise<Action | undefined> {
  const page = await get<Page<Decision>>(
    `/decisions?load=${encodeURIComponent(load)}&to=${iso(before)}&renewals=true&limit=${LOOK_BACK}`,
  );
  for (const decision of page.items) {
    const found = decision.actions.find((a) => a.load === load);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** All that is needed of a span; `loads` are those whose setting at its beginning is looked for. */
export async function readHistory(from: number, to: number, loads: readonly string[]): Promise<History> {
  const [{ items, all }, earlier] = await Promise.all([
    pagesOf(from, to),
    get<Page<Decision>>(`/decisions?to=${iso(from)}&limit=1`),
  ]);
  const before = new Map<string, Action>();
  if (all) {
    for (const load of loads) {
      const found = await lastAction(load, from);
      if (found !== undefined) before.set(load, found);
    }
  }
  const since = all ? from : secondsOf(items[0]?.time ?? iso(from));
  return { from, to, width: to - from, since, items, stateBefore: all ? (earlier.items[0]?.state ?? null) : null, before };
}

/** The same, with what was decided since. */
export async function readOn(known: History, to: number): Promise<History> {
  const last = known.items.at(-1);
  const from = last === undefined ? known.from : secondsOf(last.time);
  const { items, all } = await pagesOf(from, to);
  if (!all) return readHistory(known.from, to, [...known.before.keys()]);
  const fresh = new Map(known.items.map((d) => [d.id, d]));
  for (const item of items) fresh.set(item.id, item);
  return { ...known, to, items: [...fresh.values()].sort((a, b) => a.id - b.id).slice(-MOST) };
}

/** States as bands within a span. `gaps` are times without readings: what lies in one before a new start was not recorded (`null`). */
export function bandsOf(history: History, from: number, to: number, gaps: readonly (readonly [number, number])[]): Band[] {
  const bands: Band[] = [];
  let state = history.stateBefore;
  let begin = Math.max(from, history.since);
  const push = (end: number): void => {
    if (end > begin) bands.push({ from: begin, to: Math.min(end, to), state });
  };
  for (const decision of history.items) {
    const time = secondsOf(decision.time);
    if (time >= to) break;
    if (decision.state === state) continue;
    if (time > begin) {
      const silent = decision.state === "starting" ? gaps.find(([a, b]) => a < time && time <= b + 60 && a > begin) : undefined;
      if (silent !== undefined) {
        push(silent[0]);
        begin = silent[0];
        state = null;
      }
      push(time);
      begin = time;
    }
    state = decision.state;
  }
  push(to);
  return bands;
}

/** What an action allows, in ampere. `rated`: what a relay load draws while it is on. */
export function allowed(action: Action, rated: number | null): number | null {
  if (action.type === "switch") return action.on === true ? rated : 0;
  return action.limit_a ?? null;
}

/**
 * What a load was told, as the times at which it changed within the span, beginning with the span. In `silences` nobody was there
 * to tell anything.
 */
export function toldOf(history: History, load: string, rated: number | null, silences: readonly Band[]): Told[] {
  const earlier = history.before.get(load);
  const value = earlier === undefined ? null : allowed(earlier, rated);
  const told: Told[] = [{ time: history.since, value }];
  for (const decision of history.items) {
    for (const action of decision.actions) {
      if (action.load !== load) continue;
      const next = allowed(action, rated);
      const first = told[0];
      // The last word to it was too long ago to be found: the action itself says what it was.
      const isLater = history.stateBefore !== null || history.since > history.from;
      if (isLater && told.length === 1 && value === null && first !== undefined) first.value = action.reason?.from_a ?? null;
      // Also when it is the same again: after a silence it begins anew.
      told.push({ time: secondsOf(decision.time), value: next });
    }
  }
  if (silences.length === 0) return told;
  const cut = told.filter((step) => !silences.some((s) => step.time >= s.from && step.time < s.to));
  return [...cut, ...silences.map((s) => ({ time: s.from, value: null }))].sort((a, b) => a.time - b.time);
}
