/**
 * The main meter over time, read in pieces that are kept: a piece of the past is asked for once, and the newest one is only added to.
 * Pieces are small enough that each is answered in a moment even by a small computer.
 */
import { get } from "../api/client";
import type { Page, PhaseName } from "../api/types";
import { DAY, houseNow, iso } from "./span";

interface WireLine {
  phase: PhaseName;
  current_a: number | null;
  max_a: number | null;
}

interface WirePoint {
  time: string;
  phases: WireLine[];
  power_w: number | null;
}

/** One step: when it begins in seconds, and of each phase the mean current and the highest one. */
export interface Point {
  time: number;
  mean: Partial<Record<PhaseName, number | null>>;
  most: Partial<Record<PhaseName, number | null>>;
  power: number | null;
}

interface Piece {
  points: Point[];
  /** The past of it cannot change any more. */
  whole: boolean;
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400];
/** Points that a chart is drawn from at most: about one for each of its pixels on a tablet, and on a telephone. */
const POINTS = 730;
const POINTS_NARROW = 370;
const NARROW = matchMedia("(max-width: 47.99rem)");
/** Steps of one request; the service gives 500 at most. */
const PIECE_STEPS = 400;
/** Full readings are kept for 30 days: a request over more than a day of them takes the service seconds. */
const FULL_DAYS = 31;
/** The longest piece of thinned readings, below the 31 days that the service gives. */
const LONGEST_PIECE = 30 * DAY;
/** What comes late is still put in for so long. */
const SETTLED_AFTER = 60;
/** Pieces that are kept in memory: some three years of daily pieces, a few MB. */
const KEPT = 1_000;
/** Requests at the same time: the service answers other people too. */
const AT_ONCE = 2;

export function stepFor(seconds: number): number {
  const most = NARROW.matches ? POINTS_NARROW : POINTS;
  return STEPS.find((step) => seconds / step <= most) ?? DAY;
}

const pieces = new Map<string, Piece>();

function pieceLength(step: number, end: number): number {
  const isFull = end > houseNow() - FULL_DAYS * DAY;
  return Math.min(PIECE_STEPS * step, isFull ? Math.max(DAY, step) : LONGEST_PIECE);
}

function point(wire: WirePoint): Point {
  const made: Point = { time: Date.parse(wire.time) / 1_000, mean: {}, most: {}, power: wire.power_w };
  for (const line of wire.phases) {
    made.mean[line.phase] = line.current_a;
    made.most[line.phase] = line.max_a;
  }
  return made;
}

interface Wanted {
  key: string;
  from: number;
  to: number;
}

/** The pieces of a span, the newest first: what happened last is looked at first. */
function wantedFor(from: number, to: number, step: number): Wanted[] {
  const list: Wanted[] = [];
  let end = to;
  while (end > from && list.length < KEPT) {
    const length = pieceLength(step, end);
    const begin = Math.floor((end - 1) / length) * length;
    // Where daily pieces end within a longer one, that one is cut: no time is counted twice.
    const until = list.length === 0 ? begin + length : Math.min(begin + length, end);
    list.push({ key: `${step} ${begin} ${until}`, from: begin, to: until });
    end = begin;
  }
  return list;
}

async function read(wanted: Wanted, step: number): Promise<void> {
  const known = pieces.get(wanted.key);
  if (known?.whole === true) return;
  const now = houseNow();
  // The last step may have been half full when it was read.
  const begin = known?.points.at(-1)?.time ?? wanted.from;
  const points: Point[] = (known?.points ?? []).filter((p) => p.time < begin);
  let cursor: string | null = null;
  do {
    const more: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page: Page<WirePoint> = await get<Page<WirePoint>>(
      `/readings?from=${iso(begin)}&to=${iso(wanted.to)}&step_s=${step}&limit=500${more}`,
    );
    points.push(...page.items.map(point));
    cursor = page.next;
  } while (cursor !== null);
  pieces.delete(wanted.key);
  pieces.set(wanted.key, { points, whole: wanted.to < now - SETTLED_AFTER });
  for (const oldest of pieces.keys()) {
    if (pieces.size <= KEPT) break;
    pieces.delete(oldest);
  }
}

/** What is known of a span now, oldest first. */
export function pointsOf(from: number, to: number, step: number): Point[] {
  const found = wantedFor(from, to, step)
    .reverse()
    .flatMap((wanted) => pieces.get(wanted.key)?.points ?? []);
  return found.filter((p) => p.time > from - step && p.time <= to);
}

/**
 * Reads what is not known of a span. `progress` is told after each piece how many of how many are there.
 * Ends early when `stopped` says so; throws what the service said when a piece cannot be read.
 */
export async function readSpan(
  from: number,
  to: number,
  step: number,
  stopped: () => boolean,
  progress: (done: number, of: number) => void,
): Promise<void> {
  const todo = wantedFor(from, to, step).filter((wanted) => pieces.get(wanted.key)?.whole !== true);
  let taken = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    for (let wanted = todo[taken]; wanted !== undefined && !stopped(); wanted = todo[taken]) {
      taken += 1;
      await read(wanted, step);
      done += 1;
      if (!stopped()) progress(done, todo.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}
