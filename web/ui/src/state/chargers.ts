/** What the status does not tell of the loads: how they are configured, and charge points that belong to none yet. */
import { computed, effect, signal } from "@preact/signals";
import { get } from "../api/client";
import type { ChargerConfig, SlowLoadConfig } from "../api/loads";
import type { Page, Unmatched } from "../api/types";
import { keepReading } from "./keep-reading";
import { link, status } from "./live";
import { isForgotten, mayConfigure } from "./session";

/** Charge points that knock are looked for this often, by installers only. */
const UNMATCHED_EVERY_MS = 5_000;

export interface LoadConfigs {
  chargers: readonly ChargerConfig[];
  slowLoads: readonly SlowLoadConfig[];
}

/** `null`: not read yet. */
export const loadConfigs = signal<LoadConfigs | null>(null);
export const chargerConfigs = computed<ReadonlyMap<string, ChargerConfig>>(() => new Map(loadConfigs.value?.chargers.map((c) => [c.id, c])));
export const slowLoadConfigs = computed<ReadonlyMap<string, SlowLoadConfig>>(() => new Map(loadConfigs.value?.slowLoads.map((l) => [l.id, l])));
export const unmatched = signal<readonly Unmatched[]>([]);

/** Ampere that a charger falls to without Headroom, by its id. */
export const safeCurrents = computed(() => new Map([...chargerConfigs.value].map(([id, c]) => [id, c.safe_current_a])));

/** Changes when a load comes, goes or is configured anew. */
const loads = computed(() =>
  (status.value?.loads ?? []).map((l) => `${l.id} ${l.name} ${l.priority} ${l.kind === "charger" ? l.max_current_a : ""}`).join("\n"),
);

/** Reads how all loads are configured; each change of one on this page is followed by it. */
export async function readLoads(): Promise<void> {
  const [chargers, slowLoads] = await Promise.all([
    get<Page<ChargerConfig>>("/chargers?limit=500"),
    get<Page<SlowLoadConfig>>("/slow-loads?limit=500"),
  ]);
  loadConfigs.value = { chargers: chargers.items, slowLoads: slowLoads.items };
}

export async function readUnmatched(): Promise<void> {
  if (link.value !== "open" || !mayConfigure.value || document.hidden) return;
  unmatched.value = (await get<Page<Unmatched>>("/chargers/unmatched?limit=50")).items;
}

export function followChargers(): void {
  const read = keepReading(readLoads);
  effect(() => {
    void loads.value;
    if (isForgotten.value) unmatched.value = [];
    if (link.value === "open") read();
  });
  setInterval(() => void readUnmatched().catch(() => undefined), UNMATCHED_EVERY_MS);
}
