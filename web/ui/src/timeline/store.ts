/** All that the timeline shows, kept fresh while it is shown: readings, decisions, what the loads drew. */
import { computed, effect, signal } from "@preact/signals";
import { get } from "../api/client";
import type { Page, PhaseName } from "../api/types";
import { link, status } from "../state/live";
import { learn, learnt, samplesOf, type Sample } from "./measured";
import { type Point, pointsOf, readSpan, stepFor } from "./readings";
import { span, tick } from "./span";
import { bandsOf, type History, NOTHING, readHistory, readOn, type Told, toldOf } from "./states";

/** While a finger still moves, nothing is asked for. */
const SETTLE_MS = 150;
/** The end of a live span is read anew this often: with each step, but never in a rush and never seldom. */
const SOONEST_MS = 2_000;
const LATEST_MS = 60_000;
const TICK_MS = 1_000;
/** So many steps, or periods of the meter, without a reading are a gap. */
const GAP_STEPS = 2.5;
const GAP_PERIODS = 3;

interface SlowLoad {
  id: string;
  rated_w: number;
  phases?: string[] | null;
}

const history = signal<History>(NOTHING);
const counted = signal(0);
/** Ampere of relay loads while they are on. */
const rated = signal<ReadonlyMap<string, number>>(new Map());

export const failure = signal<unknown>(null);
/** Pieces read of pieces wanted, while more than one has to be waited for. */
export const progress = signal<{ done: number; of: number } | null>(null);
export const busy = signal(false);

export const step = computed(() => stepFor(span.value.to - span.value.from));
export const points = computed<Point[]>(() => {
  void counted.value;
  return pointsOf(span.value.from, span.value.to, step.value);
});

export const phaseNames = computed<PhaseName[]>(() => {
  const known = (status.value?.phases ?? []).map((p) => p.phase).join(" ");
  return known === "" ? ["l1", "l2", "l3"] : (known.split(" ") as PhaseName[]);
});

const gapAfter = computed(() => Math.max(GAP_STEPS * step.value, GAP_PERIODS * (status.value?.meter.period_s ?? 0)));

/** Times without readings between two that are there, and at both ends of the span. */
export const gaps = computed<(readonly [number, number])[]>(() => {
  const found: [number, number][] = [];
  let last: number | null = null;
  for (const { time } of points.value) {
    if (last !== null && time - last > gapAfter.value) found.push([last + step.value, time]);
    last = time;
  }
  return found;
});

export const decisions = computed(() => {
  const { from, to } = span.value;
  return history.value.items.filter((d) => {
    const time = Date.parse(d.time) / 1_000;
    return time >= from && time <= to;
  });
});
export const decidedSince = computed(() => history.value.since);
const allBands = computed(() => bandsOf(history.value, span.value.from, span.value.to, gaps.value));
export const bands = computed(() => allBands.value.filter((band) => band.state !== null));
/** Times between two starts of the service of which nothing is known. */
const silences = computed(() => allBands.value.filter((band) => band.state === null && band.from > history.value.since));

export interface Load {
  id: string;
  name: string;
  told: Told[];
  drawn: Sample[];
}

const named = computed(() => JSON.stringify((status.value?.loads ?? []).map((l) => [l.id, l.name])));

/** The loads of now, and those that decisions of the span speak of. */
export const loads = computed<Load[]>(() => {
  void learnt.value;
  const { from, to } = span.value;
  const names = new Map(JSON.parse(named.value) as [string, string][]);
  for (const decision of decisions.value) {
    for (const { load } of decision.actions) if (!names.has(load)) names.set(load, load);
  }
  return [...names].map(([id, name]) => ({
    id,
    name: name === "" ? id : name,
    told: toldOf(history.value, id, rated.value.get(id) ?? null, silences.value),
    drawn: samplesOf(id, from, to, decisions.value),
  }));
});

async function readRated(): Promise<void> {
  const page = await get<Page<SlowLoad>>("/slow-loads?limit=500");
  const volts = 230;
  rated.value = new Map(page.items.map((l) => [l.id, l.rated_w / volts / Math.max(1, l.phases?.length ?? 1)]));
}

/** What is known already is read on; of a part for which there were too many decisions they are read again. */
async function historyOf(from: number, to: number): Promise<History> {
  const known = history.peek();
  const isInside = known !== NOTHING && from >= known.from && from <= known.to;
  const isAllThere = known.since <= from || to - from >= known.width;
  if (!isInside || !isAllThere) {
    return readHistory(from, to, (status.peek()?.loads ?? []).map((l) => l.id));
  }
  return to <= known.to ? known : readOn(known, to);
}

let turn = 0;

/** Reads the span of now. A newer call makes an older one stop. */
export async function refresh(): Promise<void> {
  turn += 1;
  const mine = turn;
  const stopped = (): boolean => mine !== turn;
  const { from, to } = span.peek();
  busy.value = true;
  try {
    const reading = readSpan(from, to, step.peek(), stopped, (done, of) => {
      counted.value += 1;
      progress.value = of > 2 && done < of ? { done, of } : null;
    });
    const [fresh] = await Promise.all([historyOf(from, to), reading]);
    if (stopped()) return;
    history.value = fresh;
    counted.value += 1;
    failure.value = null;
    // A refinement that nobody waits for.
    void learn(decisions.peek(), stopped).catch(() => undefined);
  } catch (error) {
    if (!stopped()) failure.value = error;
  } finally {
    if (!stopped()) {
      busy.value = false;
      progress.value = null;
    }
  }
}

/** Keeps everything fresh until the answer is called. */
export function start(): () => void {
  let settle: ReturnType<typeof setTimeout> | undefined;
  let asked = 0;
  let before = "";
  const ask = (): void => {
    asked = Date.now();
    void refresh();
  };
  const stopWatching = effect(() => {
    const { from, to, live } = span.value;
    // A live span that only moved on is read by the clock below.
    const now = live ? `last ${to - from}` : `${from} ${to}`;
    if (now === before) return;
    before = now;
    clearTimeout(settle);
    settle = setTimeout(ask, asked === 0 ? 0 : SETTLE_MS);
  });
  const timer = setInterval(() => {
    if (document.hidden || link.peek() !== "open") return;
    tick();
    const every = Math.min(Math.max(step.peek() * 1_000, SOONEST_MS), LATEST_MS);
    if (span.peek().live && !busy.peek() && Date.now() - asked >= every) ask();
  }, TICK_MS);
  void readRated().catch(() => undefined);
  return () => {
    turn += 1;
    stopWatching();
    clearTimeout(settle);
    clearInterval(timer);
    busy.value = false;
    progress.value = null;
  };
}

