/**
 * What people told the loads, and until when. The service tells the end of a wish with its reason; a wish that changes
 * nothing at the moment (a boost of a load that has all it can use) is known only where it was given, and is kept here.
 */
import { computed, signal } from "@preact/signals";
import type { LoadStatus } from "../api/types";
import { decisions } from "./decisions";
import { houseTime } from "./live";

export type WishKind = "pause" | "boost" | "limit" | "user";

export interface Wish {
  kind: WishKind;
  /** Milliseconds since 1970, by the clock of the house. */
  until: number;
  limit_a: number | null;
}

const STORED = "headroom_wishes";

type Stored = Record<string, Wish>;

function isWish(value: unknown): value is Wish {
  return typeof value === "object" && value !== null && "kind" in value && "until" in value && typeof value.until === "number";
}

function restored(): Stored {
  try {
    const found = JSON.parse(sessionStorage.getItem(STORED) ?? "{}") as Record<string, unknown>;
    return Object.fromEntries(Object.entries(found).filter((entry): entry is [string, Wish] => isWish(entry[1])));
  } catch {
    return {};
  }
}

const given = signal<Stored>(restored());

/** Notes a wish that was taken; `null` ends all of them. */
export function noteWish(load: string, wish: Wish | null): void {
  const { [load]: _, ...others } = given.value;
  given.value = wish === null ? others : { ...others, [load]: wish };
  sessionStorage.setItem(STORED, JSON.stringify(given.value));
}

/** What the engine's clock lacks to the time of day, from the newest decision. */
const engineBegin = computed(() => {
  const newest = decisions.value[0];
  return newest === undefined ? null : Date.parse(newest.time) - newest.t_ms;
});

/** The wish that holds for a load now, or `null`. */
export function wishOf(load: LoadStatus): Wish | null {
  const own = given.value[load.id];
  if (own !== undefined && own.until > houseTime.value) return own;
  const reason = load.reason;
  if (reason?.code !== "user") return null;
  const begin = engineBegin.value;
  const until = reason.until_ms;
  if (begin === null || until === null || until === undefined) return null;
  const isPaused = load.kind === "charger" ? load.setpoint_a === 0 : load.on === false;
  return { kind: isPaused ? "pause" : "user", until: begin + until, limit_a: null };
}
