/**
 * The span of time that is looked at, in seconds since 1970. While it is live, its end is now in the house.
 * It stands in the address, so that a span can be linked to.
 */
import { signal } from "@preact/signals";
import { keep, query } from "../route";
import { houseTime } from "../state/live";

export interface Span {
  from: number;
  to: number;
  live: boolean;
}

const MINUTE = 60;
const HOUR = 3_600;
export const DAY = 86_400;

/** The spans that have a button: 15 minutes to a year. */
export const SPANS = [900, 3_600, 21_600, 86_400, 604_800, 2_592_000, 31_536_000] as const;
/** Below this a reading each second is a handful of points. */
const SHORTEST = MINUTE;
/** A little more than the longest button. */
const LONGEST = 400 * DAY;
/** The share of the span that a step to the side moves. */
const STEP = 0.5;

export const houseNow = (): number => Math.floor(houseTime.peek() / 1_000);

export const span = signal<Span>({ from: houseNow() - HOUR, to: houseNow(), live: true });

const width = (of: Span): number => of.to - of.from;

function put(next: Span): void {
  span.value = next;
  if (next.live) keep({ last: String(Math.round(width(next))) });
  else keep({ from: iso(next.from), to: iso(next.to) });
}

export const iso = (seconds: number): string => new Date(seconds * 1_000).toISOString().replace(".000Z", "Z");

/** The last so many seconds, and on. */
export function follow(seconds: number): void {
  const to = houseNow();
  put({ from: to - Math.min(Math.max(seconds, SHORTEST), LONGEST), to, live: true });
}

/** A fixed span; where it would reach beyond now, it follows. */
export function show(from: number, to: number): void {
  const length = Math.min(Math.max(to - from, SHORTEST), LONGEST);
  const middle = (from + to) / 2;
  const end = Math.round(middle + length / 2);
  const now = houseNow();
  if (end >= now) put({ from: Math.round(now - length), to: now, live: true });
  else put({ from: Math.round(end - length), to: end, live: false });
}

/** Makes the span longer (above 1) or shorter (below 1) around a time; live stays live when its end is not moved. */
export function zoom(factor: number, around?: number): void {
  const { from, to, live } = span.peek();
  if (live && around === undefined) {
    follow((to - from) * factor);
    return;
  }
  const fixed = around ?? (from + to) / 2;
  show(fixed - (fixed - from) * factor, fixed + (to - fixed) * factor);
}

export function pan(seconds: number): void {
  const { from, to } = span.peek();
  show(from + seconds, to + seconds);
}

export const earlier = (): void => pan(-STEP * width(span.peek()));
export const later = (): void => pan(STEP * width(span.peek()));

/** The end moves on with the house; no step in the address. */
export function tick(): void {
  const now = span.peek();
  if (!now.live) return;
  const to = houseNow();
  if (to > now.to) span.value = { from: to - width(now), to, live: true };
}

/** Takes the span from the address, if one stands there. */
export function fromAddress(): void {
  const last = Number(query.value.get("last"));
  const from = Date.parse(query.value.get("from") ?? "") / 1_000;
  const to = Date.parse(query.value.get("to") ?? "") / 1_000;
  const now = span.peek();
  if (from < to) {
    const isSame = Math.abs(from - now.from) < 1 && Math.abs(to - now.to) < 1;
    if (!isSame) span.value = { from, to: Math.min(to, from + LONGEST), live: false };
  } else {
    const length = last > 0 ? Math.min(Math.max(last, SHORTEST), LONGEST) : width(now);
    const end = houseNow();
    span.value = { from: end - length, to: end, live: true };
  }
}
