/** What the status does not tell of the chargers: their safe currents, and charge points that belong to none yet. */
import { computed, effect, signal } from "@preact/signals";
import { get, post } from "../api/client";
import type { ChargerSettings, Page, Unmatched } from "../api/types";
import { link, status } from "./live";
import { access, mayConfigure } from "./session";

/** Charge points that knock are looked for this often, by installers only. */
const UNMATCHED_EVERY_MS = 5_000;

export const safeCurrents = signal<ReadonlyMap<string, number>>(new Map());
export const unmatched = signal<readonly Unmatched[]>([]);

/** Changes when a charger comes, goes or is configured anew. */
const chargers = computed(() =>
  (status.value?.loads ?? []).map((l) => (l.kind === "charger" ? `${l.id} ${l.name} ${l.max_current_a}` : "")).join("\n"),
);

async function readChargers(): Promise<void> {
  const page = await get<Page<ChargerSettings>>("/chargers?limit=500");
  safeCurrents.value = new Map(page.items.map((c) => [c.id, c.safe_current_a]));
}

export async function readUnmatched(): Promise<void> {
  if (link.value !== "open" || !mayConfigure.value || document.hidden) return;
  unmatched.value = (await get<Page<Unmatched>>("/chargers/unmatched?limit=50")).items;
}

export async function addCharger(body: unknown): Promise<ChargerSettings> {
  const made = await post<ChargerSettings>("/chargers", body);
  void readUnmatched().catch(() => undefined);
  return made;
}

export function followChargers(): void {
  effect(() => {
    void chargers.value;
    if (access.value === "login" || access.value === "setup") unmatched.value = [];
    if (link.value === "open") void readChargers().catch(() => undefined);
  });
  setInterval(() => void readUnmatched().catch(() => undefined), UNMATCHED_EVERY_MS);
}
