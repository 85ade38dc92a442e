/** What the house meter showed around a decision: before, after, and when it moved as a command said. */
import { get } from "../api/client";
import type { Action, Decision, Page, PhaseName } from "../api/types";
import { iso } from "../timeline/span";

/** Around the decision, in seconds: what is taken as before, as after, and how long a change is waited for. */
const BEFORE = 10;
const AFTER_FROM = 10;
const AFTER_TO = 20;
const WAITED = 30;
/** A smaller change is lost in the noise of a house. */
const SMALLEST_A = 2;
/** The part of a change that must be seen. */
const SEEN = 0.5;

interface Sample {
  /** Seconds after the decision. */
  at: number;
  amps: Partial<Record<PhaseName, number>>;
}

export interface PhaseChange {
  phase: PhaseName;
  before: number | null;
  after: number | null;
}

export interface Metered {
  phases: PhaseChange[];
  /** Of each command: when it was seen, in seconds after the decision; `null`: it cannot be told. */
  seen: ReadonlyMap<number, number | null>;
}

interface Wired {
  id: string;
  phases?: (PhaseName | null)[] | null;
}

interface WirePoint {
  time: string;
  phases: { phase: PhaseName; current_a: number | null }[];
}

function mean(samples: readonly Sample[], phase: PhaseName, from: number, to: number): number | null {
  const values = samples.filter((s) => s.at >= from && s.at < to).flatMap((s) => s.amps[phase] ?? []);
  return values.length === 0 ? null : values.reduce((a, b) => a + b) / values.length;
}

/** When the lines of a load first moved by half of what it was told, the same way. */
function seenAt(action: Action, lines: readonly PhaseName[], samples: readonly Sample[]): number | null {
  const { from_a: from, to_a: to } = action.reason ?? {};
  if (from === null || from === undefined || to === null || to === undefined) return null;
  const step = to - from;
  const befores = lines.map((line) => mean(samples, line, -BEFORE, 0));
  if (Math.abs(step) < SMALLEST_A || lines.length === 0 || befores.some((b) => b === null)) return null;
  for (const sample of samples) {
    if (sample.at <= 0) continue;
    const moves = lines.map((line, i) => (sample.amps[line] ?? NaN) - (befores[i] ?? NaN));
    const moved = moves.reduce((a, b) => a + b, 0) / lines.length;
    if (Math.sign(moved) === Math.sign(step) && Math.abs(moved) >= SEEN * Math.abs(step)) return sample.at;
  }
  return null;
}

export async function meterAround(decision: Decision, actions: readonly Action[]): Promise<Metered> {
  const begin = Date.parse(decision.time) / 1_000;
  const [page, chargers, slow] = await Promise.all([
    get<Page<WirePoint>>(`/readings?from=${iso(Math.floor(begin) - BEFORE)}&to=${iso(Math.ceil(begin) + WAITED)}&step_s=1`),
    get<Page<Wired>>("/chargers?limit=500"),
    get<Page<Wired>>("/slow-loads?limit=500"),
  ]);
  const samples = page.items.map((point): Sample => {
    const amps: Partial<Record<PhaseName, number>> = {};
    for (const line of point.phases) if (line.current_a !== null) amps[line.phase] = line.current_a;
    return { at: Date.parse(point.time) / 1_000 - begin, amps };
  });
  const names = (page.items[0]?.phases ?? []).map((p) => p.phase);
  const wired = new Map([...chargers.items, ...slow.items].map((l) => [l.id, l.phases]));
  const seen = new Map<number, number | null>();
  for (const action of actions) {
    const lines = (wired.get(action.load) ?? []).filter((line): line is PhaseName => line !== null && names.includes(line));
    seen.set(action.command, seenAt(action, lines, samples));
  }
  const phases = names.map((phase) => ({
    phase,
    before: mean(samples, phase, -BEFORE, 0),
    after: mean(samples, phase, AFTER_FROM, AFTER_TO),
  }));
  return { phases, seen };
}
