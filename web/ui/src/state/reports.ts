/** What the tests of the chargers have found last. Who was never tested has no report. */
import { signal } from "@preact/signals";
import { get } from "../api/client";
import type { ChargerReport } from "../api/loads";
import type { Page } from "../api/types";

/** By the id of the charger; `null`: not read yet. */
export const reports = signal<ReadonlyMap<string, ChargerReport> | null>(null);

export const reportOf = (charger: string): ChargerReport | null => reports.value?.get(charger) ?? null;

export async function readReports(): Promise<void> {
  const { items } = await get<Page<ChargerReport>>("/reports?limit=500");
  reports.value = new Map(items.map((report) => [report.charger, report]));
}
