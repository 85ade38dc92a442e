/**
 * What the loads drew, as far as the page can know: the service keeps their reports for the replay and gives no series of them.
 * Known are what came while the page was open, and what stands in the inputs of decisions.
 */
import { effect, signal } from "@preact/signals";
import { get } from "../api/client";
import type { Decision, LoadStatus } from "../api/types";
import { status } from "../state/live";

export interface Sample {
  time: number;
  value: number;
}

/** Two hours of one each second, for each load. */
const KEPT = 7_200;
/** Decisions whose inputs are asked for, the newest of a span: each is one small request. */
const ASKED = 60;
const REMEMBERED = 2_000;

const heard = new Map<string, Sample[]>();
const fromInputs = new Map<number, ReadonlyMap<string, number>>();
/** Counts what was learnt, so that the chart is drawn anew. */
export const learnt = signal(0);

/** The highest current of a load's terminals; of a relay load the current of its power. */
export function drawn(load: Pick<LoadStatus, "kind"> & { measured_a?: unknown; power_w?: unknown }, volts: number): number | null {
  if (load.kind === "charger") {
    const all = Array.isArray(load.measured_a) ? load.measured_a.filter((a): a is number => typeof a === "number") : [];
    return all.length === 0 ? null : Math.max(...all);
  }
  return typeof load.power_w === "number" ? load.power_w / volts : null;
}

/** The usual voltage, for relay loads that report power; the line in a chart is not worth more. */
const VOLTS = 230;

effect(() => {
  const now = status.value;
  if (now === null) return;
  const time = Date.parse(now.time) / 1_000;
  for (const load of now.loads) {
    const value = drawn(load, VOLTS);
    const samples = heard.get(load.id) ?? [];
    heard.set(load.id, samples);
    if (value === null || (samples.at(-1)?.time ?? 0) >= time) continue;
    samples.push({ time, value });
    if (samples.length > KEPT) samples.splice(0, samples.length - KEPT);
  }
});

interface Inputs {
  loads?: (Pick<LoadStatus, "kind"> & { id: string })[];
}

/** Reads the inputs of the newest decisions of a span that are not known yet, one after the other. */
export async function learn(decisions: readonly Decision[], stopped: () => boolean): Promise<void> {
  let count = 0;
  for (const decision of decisions.slice(-ASKED).reverse()) {
    if (fromInputs.has(decision.id)) continue;
    if (stopped()) break;
    const inputs = (await get<Decision>(`/decisions/${decision.id}`)).inputs as Inputs | null | undefined;
    const values = new Map<string, number>();
    for (const load of inputs?.loads ?? []) {
      const value = drawn(load, VOLTS);
      if (value !== null) values.set(load.id, value);
    }
    fromInputs.set(decision.id, values);
    count += 1;
  }
  for (const id of fromInputs.keys()) {
    if (fromInputs.size <= REMEMBERED) break;
    fromInputs.delete(id);
  }
  if (count > 0) learnt.value += 1;
}

/** What is known of a load in a span, oldest first. */
export function samplesOf(load: string, from: number, to: number, decisions: readonly Decision[]): Sample[] {
  const live = (heard.get(load) ?? []).filter((s) => s.time >= from && s.time <= to);
  const begun = live[0]?.time ?? Infinity;
  const told: Sample[] = [];
  for (const decision of decisions) {
    const value = fromInputs.get(decision.id)?.get(load);
    const time = Date.parse(decision.time) / 1_000;
    if (value !== undefined && time >= from && time <= to && time < begun) told.push({ time, value });
  }
  return [...told, ...live];
}
