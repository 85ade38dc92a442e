/**
 * The live link: one status document, kept fresh by server-sent events.
 * Invariant: `status` is only ever replaced as a whole, and `receivedAt` says when (page clock).
 */
import { computed, effect, signal } from "@preact/signals";
import { ApiError, get } from "../api/client";
import type { ChargerTest, Decision, Reading, Status } from "../api/types";
import { now } from "./clock";
import { mergeDecision, refreshDecisions } from "./decisions";
import { access, isForgotten, restoreSession } from "./session";

/** From then on the page says that it has lost the service. */
const LOST_AFTER_MS = 3_000;
/** Status comes about once a second; a link that is silent for this long may be half open, and is tested. */
const SILENT_AFTER_MS = 8_000;
const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 5_000;

/** Put in by the build: the major version of the service that this page was made for. */
declare const PAGE_MAJOR: string;

const majorOf = (version: string): string => version.split(".", 1)[0] ?? "";

export const status = signal<Status | null>(null);
/** The service speaks otherwise than this page understands: it was updated since the page was loaded. */
export const misfits = signal(false);
/** The version of the service when the page was loaded, and another one that runs now. */
let firstVersion: string | null = null;
export const renewed = signal<string | null>(null);
export const receivedAt = signal(0);
/** The newest reading of the main meter, as the meter said it. */
export const reading = signal<Reading | null>(null);
/** The test of a charger that runs, or ran last while this page was open. */
export const chargerTest = signal<ChargerTest | null>(null);
const down = signal<number | null>(performance.now());

export type Link = "connecting" | "open" | "lost";
export const link = computed<Link>(() => {
  if (down.value === null) return "open";
  return now.value - down.value > LOST_AFTER_MS ? "lost" : "connecting";
});

/** Seconds since the newest meter reading, ticking; `null` when there never was one. */
export const readingAge = computed<number | null>(() => {
  const age = status.value?.meter.age_s;
  if (age === null || age === undefined) return null;
  return age + Math.max(0, now.value - receivedAt.value) / 1000;
});

/** Seconds since the status on the page was true. */
export const statusAge = computed(() => Math.max(0, now.value - receivedAt.value) / 1000);

/** The data on the page may no longer be what is going on in the house. */
export const outdated = computed(() => link.value === "lost");
export const meterOk = computed(() => status.value?.meter.state === "ok" && !outdated.value);

/** The time in the house now, in milliseconds, whatever the clock of this computer says. */
export const houseTime = computed(() =>
  status.value === null ? Date.now() : Date.parse(status.value.time) + Math.max(0, now.value - receivedAt.value),
);

/** One text that changes only when a load comes, goes or is renamed. */
const namesText = computed(() => JSON.stringify((status.value?.loads ?? []).map((l) => [l.id, l.name])));
/** Names of the loads by their id. */
export const loadNames = computed(() => new Map(JSON.parse(namesText.value) as [string, string][]));

let source: EventSource | null = null;
let heardAt = 0;
let retryMs = RETRY_MIN_MS;
let connecting = false;
let timer: ReturnType<typeof setTimeout> | undefined;

/** What every page counts on. An answer without it would leave them blank. */
function isUnderstood(next: Partial<Status>): boolean {
  const isObject = (item: unknown): boolean => typeof item === "object" && item !== null;
  const lists = [next.phases, next.loads, next.alarms].every((list) => Array.isArray(list) && list.every(isObject));
  return lists && isObject(next.meter) && majorOf(String(next.version)) === PAGE_MAJOR;
}

function accept(next: Status): void {
  misfits.value = !isUnderstood(next);
  if (misfits.value) return;
  firstVersion ??= next.version;
  renewed.value = next.version === firstVersion ? null : next.version;
  receivedAt.value = performance.now();
  try {
    status.value = next;
  } catch (error) {
    // Something that follows the status could not make anything of it.
    console.error(error);
    misfits.value = true;
  }
}

function lose(): void {
  source?.close();
  source = null;
  if (down.value === null) down.value = performance.now();
  clearTimeout(timer);
  timer = setTimeout(() => void connect(), retryMs);
  retryMs = Math.min(retryMs * 2, RETRY_MAX_MS);
}

function listen(): void {
  const events = new EventSource("/api/v1/events");
  source = events;
  heardAt = performance.now();
  const on = (name: string, handle: (data: string) => void): void => {
    events.addEventListener(name, (event) => {
      heardAt = performance.now();
      handle((event as MessageEvent<string>).data);
    });
  };
  events.onopen = () => {
    heardAt = performance.now();
    down.value = null;
    retryMs = RETRY_MIN_MS;
    // A test may have ended meanwhile, and a service that was killed knows of none; one that runs is told at once.
    chargerTest.value = null;
    refreshDecisions();
  };
  events.onerror = () => {
    if (source === events) lose();
  };
  on("status", (data) => accept(JSON.parse(data) as Status));
  on("decision", (data) => mergeDecision(JSON.parse(data) as Decision));
  on("reading", (data) => {
    const heard = JSON.parse(data) as Reading;
    if ((heard.circuit ?? null) === null) reading.value = heard;
  });
  on("test", (data) => {
    chargerTest.value = JSON.parse(data) as ChargerTest;
  });
  // It is in the next status too; here it only proves that the link lives.
  on("alarm", () => undefined);
}

/** Asks once for the status (which tells a missing login from a missing service), then listens. */
async function connect(): Promise<void> {
  if (connecting) return;
  connecting = true;
  clearTimeout(timer);
  try {
    if (access.value === "checking") await restoreSession();
    if (access.value !== "granted") return;
    accept(await get<Status>("/status"));
    listen();
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return;
    lose();
  } finally {
    connecting = false;
  }
}

function watch(): void {
  if (source === null || performance.now() - heardAt < SILENT_AFTER_MS) return;
  heardAt = performance.now();
  get<Status>("/status").then(accept, lose);
}

/** Starts the link, and starts it again after each login. */
export function startLive(): void {
  setInterval(watch, 1_000);
  effect(() => {
    if (access.value === "checking" || access.value === "granted") {
      if (source === null) void connect();
    } else {
      source?.close();
      source = null;
      down.value = performance.now();
      if (isForgotten.value) status.value = null;
    }
  });
}
