/** The question to the service and its answer. */
import { signal } from "@preact/signals";
import { ApiError, call, get } from "../api/client";
import type { Page, PhaseName, Priorities, Site } from "../api/types";
import { explain } from "../errors";
import { t } from "../i18n";
import type { Change, Settings } from "./change";

export interface Side {
  energy_kwh: number;
  curtailed_kwh: number;
  commands: number;
  loads: { id: string; energy_kwh: number; curtailed_kwh: number }[];
  phases: { phase: PhaseName; highest_a: number; over_s: number; thermal: number | null; thermal_margin: number | null }[];
}

export interface Answer {
  from: string;
  to: string;
  covered_s: number;
  left_out_s: number;
  notes: string[];
  recorded: Side;
  same: Side;
  changed: Side;
}

/** Two days take a small computer some minutes. */
const PATIENCE_MIN = 10;

export const settings = signal<Settings | null>(null);
export const unread = signal<unknown>(null);
export const answer = signal<Answer | null>(null);
/** Since when a question is open, on the clock of the page. */
export const asking = signal<number | null>(null);
export const failure = signal("");

interface WireCharger {
  id: string;
  name: string;
  max_current_a: number;
  phases: (PhaseName | null)[] | null;
}

export async function readSettings(): Promise<void> {
  try {
    const [site, chargers, slow, priorities] = await Promise.all([
      get<Site>("/site"),
      get<Page<WireCharger>>("/chargers?limit=500"),
      get<Page<{ id: string; name: string }>>("/slow-loads?limit=500"),
      get<Priorities>("/priorities"),
    ]);
    const named = (l: { id: string; name: string }): string => (l.name === "" ? l.id : l.name);
    settings.value = {
      rating: site.main_fuse.rating_a,
      margin: site.margin_a,
      order: priorities.order,
      chargers: chargers.items.map((c) => ({ id: c.id, name: named(c), max: c.max_current_a, phases: c.phases })),
      slow: slow.items.map((l) => ({ id: l.id, name: named(l) })),
    };
    unread.value = null;
  } catch (error) {
    unread.value = error;
  }
}

function wordsOf(error: unknown): string {
  if (error instanceof ApiError) {
    if (error.status === 429) return t("whatif.busy.other");
    if (error.status === 0) return t("whatif.slow", { minutes: PATIENCE_MIN });
    // The message of a field begins in the middle of a sentence: its name is the beginning.
    if (error.errors.length > 0) return error.errors.map((e) => `${e.field}: ${e.message}.`).join(" ");
  }
  return explain(error);
}

/** Asks; the answer or the failure is in the signals. */
export async function ask(change: Change, from: string, to: string): Promise<void> {
  asking.value = performance.now();
  failure.value = "";
  try {
    answer.value = await call<Answer>("POST", "/what-if", { ...change, from, to }, PATIENCE_MIN * 60_000);
  } catch (error) {
    answer.value = null;
    failure.value = t("whatif.failed", { error: wordsOf(error) });
  } finally {
    asking.value = null;
  }
}
