/** What is to differ, as a person writes it into the form, and as the service takes it. */
import type { PhaseName } from "../api/types";
import { parse } from "../format";

export const HOUR = 3_600;
/** What the service holds in memory at most. */
export const LONGEST = 48 * HOUR;

export interface Settings {
  rating: number | number[];
  margin: number;
  order: string[][];
  chargers: { id: string; name: string; max: number; phases: (PhaseName | null)[] | null }[];
  slow: { id: string; name: string }[];
}

export interface Draft {
  /** Length in seconds until now, or `own`. */
  range: string;
  from: string;
  to: string;
  fuse: string;
  margin: string;
  /** Loads that are taken away. */
  without: ReadonlySet<string>;
  /** Largest current by charger, as it is written. */
  max: ReadonlyMap<string, string>;
  added: boolean;
  addedMax: string;
  addedPhases: "3" | PhaseName;
  /** `""`: as it was, `=`: all alike, else the load that goes first. */
  first: string;
}

export const EMPTY: Draft = {
  range: String(6 * HOUR),
  from: "",
  to: "",
  fuse: "",
  margin: "",
  without: new Set(),
  max: new Map(),
  added: false,
  addedMax: "16",
  addedPhases: "3",
  first: "",
};

/** The id of the charger that is added; none of the house has it. */
export function addedId(settings: Settings): string {
  const taken = new Set([...settings.chargers, ...settings.slow].map((l) => l.id));
  let id = "added";
  for (let n = 2; taken.has(id); n += 1) id = `added-${n}`;
  return id;
}

/** Fields that hold no number although something is written in them. */
export function wrongFields(draft: Draft): string[] {
  const isWrong = (text: string, least: number): boolean => {
    if (text.trim() === "") return false;
    const value = parse(text);
    return value === null || value < least;
  };
  const wrong: string[] = [];
  if (isWrong(draft.fuse, 1)) wrong.push("fuse");
  if (isWrong(draft.margin, 0)) wrong.push("margin");
  for (const [id, text] of draft.max) if (isWrong(text, 1)) wrong.push(`max-${id}`);
  if (draft.added && (parse(draft.addedMax) ?? 0) < 1) wrong.push("added-max");
  return wrong;
}

/** The order with a load put first, or all on one line; loads that are taken away stand nowhere. */
function orderOf(draft: Draft, settings: Settings, added: string | null): string[][] {
  const known = settings.order.map((line) => line.filter((id) => !draft.without.has(id))).filter((line) => line.length > 0);
  // Who is new stands last, beside those who are there.
  const last = known.at(-1);
  if (added !== null) {
    if (last === undefined) known.push([added]);
    else last.push(added);
  }
  if (draft.first === "=") return [known.flat()];
  if (draft.first === "") return known;
  const rest = known.map((line) => line.filter((id) => id !== draft.first)).filter((line) => line.length > 0);
  return [[draft.first], ...rest];
}

export interface Change {
  site?: Record<string, unknown>;
  chargers?: Record<string, unknown>[];
  slow_loads?: { id: string }[];
  priorities?: { order: string[][] };
}

/** Only what differs from what was recorded. */
export function changeOf(draft: Draft, settings: Settings): Change {
  const change: Change = {};
  const site: Record<string, unknown> = {};
  const fuse = parse(draft.fuse);
  const margin = parse(draft.margin);
  if (fuse !== null && fuse !== settings.rating) site["main_fuse"] = { rating_a: fuse };
  if (margin !== null && margin !== settings.margin) site["margin_a"] = margin;
  if (Object.keys(site).length > 0) change.site = site;

  const kept = settings.chargers.filter((c) => !draft.without.has(c.id));
  const chargers = kept.map((c): Record<string, unknown> => {
    const max = parse(draft.max.get(c.id) ?? "");
    return max === null || max === c.max ? { id: c.id } : { id: c.id, max_current_a: max };
  });
  if (draft.added) {
    const phases = draft.addedPhases === "3" ? ["l1", "l2", "l3"] : [draft.addedPhases];
    chargers.push({ id: addedId(settings), max_current_a: parse(draft.addedMax), phases });
  }
  const differs = draft.added || kept.length < settings.chargers.length || chargers.some((c) => "max_current_a" in c);
  if (differs) change.chargers = chargers;
  if (settings.slow.some((l) => draft.without.has(l.id))) {
    change.slow_loads = settings.slow.filter((l) => !draft.without.has(l.id)).map(({ id }) => ({ id }));
  }
  if (draft.first !== "") {
    change.priorities = { order: orderOf(draft, settings, draft.added ? addedId(settings) : null) };
  }
  return change;
}
