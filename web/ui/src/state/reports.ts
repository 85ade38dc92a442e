/** What the tests of the chargers have found last. Who was never tested has no report. */
import { effect, signal } from "@preact/signals";
import { get } from "../api/client";
import type { ChargerReport } from "../api/loads";
import type { Page } from "../api/types";
import { isForgotten, turn } from "./session";

/** By the id of the charger; `null`: not read yet. */
export const reports = signal<ReadonlyMap<string, ChargerReport> | null>(null);

/** Why they could not be read, if so. */
export const reportsFailure = signal<unknown>(null);

export const reportOf = (charger: string): ChargerReport | null => reports.value?.get(charger) ?? null;

/** Counts what is asked: an answer that was overtaken, or was for the person before, is dropped. */
let asked = 0;

export async function readReports(): Promise<void> {
  const own = (asked += 1);
  try {
    const { items } = await get<Page<ChargerReport>>("/reports?limit=500");
    if (own !== asked) return;
    reports.value = new Map(items.map((report) => [report.charger, report]));
    reportsFailure.value = null;
  } catch (error) {
    if (own !== asked) return;
    reportsFailure.value = error;
    throw error;
  }
}

// Nothing is left for who comes next.
effect(() => {
  void turn.value;
  void isForgotten.value;
  asked += 1;
  reports.value = null;
  reportsFailure.value = null;
});
