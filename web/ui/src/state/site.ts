/** The site's settings, read when the page opens and again whenever the limits of the phases change. */
import { computed, effect, signal } from "@preact/signals";
import { get, put } from "../api/client";
import type { PhaseStatus, Site } from "../api/types";
import { keepReading } from "./keep-reading";
import { link, status } from "./live";
import { isForgotten } from "./session";

export const site = signal<Site | null>(null);

const limits = computed(() => status.value?.phases.map((p) => p.limit_a).join(" ") ?? "");

/** Why the settings could not be read, if so. */
export const siteFailure = signal<unknown>(null);

export async function readSite(): Promise<Site> {
  try {
    const fresh = await get<Site>("/site");
    site.value = fresh;
    siteFailure.value = null;
    return fresh;
  } catch (error) {
    siteFailure.value = error;
    throw error;
  }
}

/** Changes some fields of the site: PUT replaces the whole, so the newest whole is read first. */
export async function changeSite(change: (site: Site) => Site): Promise<Site> {
  const wanted = change(await get<Site>("/site"));
  await put("/site", wanted);
  return readSite();
}

/** What Headroom starts with: nobody has entered the fuse of the house yet. */
export function isAsShipped(settings: Site): boolean {
  return (
    settings.mode === "observe" &&
    settings.name === "Home" &&
    settings.time_zone === "UTC" &&
    settings.main_fuse.rating_a === 16 &&
    settings.main_fuse.characteristic === "gg"
  );
}

/** Rating of the main fuse on a phase in ampere; the limit of the status while the site is unknown. */
export function ratingOf(phase: PhaseStatus, settings: Site | null): number | null {
  const rating = settings?.main_fuse.rating_a;
  if (rating === undefined || settings?.main_fuse.characteristic === "none") return phase.limit_a;
  if (typeof rating === "number") return rating;
  return rating[Number(phase.phase.slice(1)) - 1] ?? phase.limit_a;
}

export function followSite(): void {
  const read = keepReading(readSite);
  effect(() => {
    void limits.value;
    if (isForgotten.value) site.value = null;
    if (link.value === "open") read();
  });
}
