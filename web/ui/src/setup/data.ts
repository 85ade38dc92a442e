/** What the wizard asks the service for beside what the whole page follows: devices found, loads as they are set and tested. */
import { computed, signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { get } from "../api/client";
import type { Discovery, Found } from "../api/loads";
import type { MeterCandidate, Page } from "../api/types";
import { loadConfigs, readLoads as readConfigs } from "../state/chargers";
import { link } from "../state/live";
import { readReports } from "../state/reports";

/** `null`: not answered yet. */
export const candidates = signal<readonly MeterCandidate[] | null>(null);
export const found = signal<readonly Found[] | null>(null);
export const searching = signal(false);
export const chargers = computed(() => loadConfigs.value?.chargers ?? null);
export const slowLoads = computed(() => loadConfigs.value?.slowLoads ?? null);

export async function readCandidates(): Promise<void> {
  candidates.value = (await get<Page<MeterCandidate>>("/meter/candidates?limit=100")).items;
}

/** Begins a search of the network, too; it ends by itself when nobody asks any more. */
export async function readFound(): Promise<void> {
  const answer = await get<Discovery>("/discovery?limit=100");
  found.value = answer.items;
  searching.value = answer.searching;
}

/** The loads as they are configured, and what was found of the chargers. */
export async function readLoads(): Promise<void> {
  await Promise.all([readConfigs(), readReports()]);
}

/** Asks at once and then again and again, while the part of the page is shown and the link is open. */
export function usePoll(ask: () => Promise<void>, everyMs: number): void {
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    const now = (): void => {
      if (link.value === "open" && !document.hidden) void latest.current().catch(() => undefined);
    };
    const stop = link.subscribe(now);
    const timer = setInterval(now, everyMs);
    return () => {
      stop();
      clearInterval(timer);
    };
  }, [everyMs]);
}
