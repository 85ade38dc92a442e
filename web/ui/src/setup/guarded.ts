/** What is protected from now on, and what is not, in sentences: from the configuration, the status and the reports. */
import { ampere, moment, watt } from "../format";
import { list, t, word } from "../i18n";
import { status } from "../state/live";
import { meterSettings } from "../state/meter";
import { reportOf } from "../state/reports";
import { isAsShipped, site } from "../state/site";
import { chargers, slowLoads } from "./data";

export interface Guarded {
  yes: string[];
  no: string[];
}

export function fuseText(): string {
  const fuse = site.value?.main_fuse;
  if (fuse === undefined) return "";
  const rating = typeof fuse.rating_a === "number" ? ampere(fuse.rating_a) : fuse.rating_a.map((r) => ampere(r)).join(" / ");
  return `${rating}, ${word("fuse", fuse.characteristic)}`;
}

/** While Headroom only observes nothing is protected: what stands under it is what will be. */
export const protectedHeading = (): string => t(status.value?.mode === "control" ? "setup.live.yes" : "setup.live.yes.later");

export function guarded(): Guarded {
  const yes: string[] = [];
  const no: string[] = [];
  const now = status.value;
  const isHeard = now?.meter.state === "ok";
  const all = [...(chargers.value ?? []), ...(slowLoads.value ?? [])];
  const isLinked = (id: string): boolean => now?.loads.find((it) => it.id === id)?.connected === true;
  const names = all.filter((load) => isLinked(load.id)).map((load) => load.name);
  if (site.value !== null && isAsShipped(site.value)) no.push(t("setup.guard.fuse.unset"));
  if (meterSettings.value?.source === null) no.push(t("setup.guard.meter.none"));
  else if (!isHeard) no.push(t("setup.guard.meter.silent"));
  if (all.length === 0) no.push(t("setup.guard.loads.none"));
  else if (names.length === 0) no.push(t("setup.guard.loads.lost"));
  else if (isHeard) yes.push(t("setup.guard.fuse", { fuse: fuseText(), names: list(names) }));
  for (const charger of chargers.value ?? []) {
    const { name } = charger;
    const report = reportOf(charger.id);
    const most = ampere(charger.max_current_a);
    if (!isLinked(charger.id)) no.push(t("setup.guard.charger.lost", { name, most }));
    if (report?.follow?.passed === true && report.result !== "aborted") yes.push(t("setup.guard.charger.follows", { name, time: moment(report.ended) }));
    else if (report?.result === "failed") no.push(t("setup.guard.charger.failed", { name, text: report.text }));
    else no.push(t("setup.guard.charger.untested", { name }));
    if (charger.lease === "proven") yes.push(t("setup.guard.charger.falls", { name, safe: ampere(charger.safe_current_a), lease: charger.lease_s }));
    else no.push(t("setup.guard.charger.unproven", { name, most }));
    if (charger.phases === null) no.push(t("setup.guard.charger.phases", { name }));
  }
  for (const load of slowLoads.value ?? []) {
    if (!isLinked(load.id)) no.push(t("setup.guard.relay.lost", { name: load.name, power: watt(load.rated_w) }));
  }
  no.push(t("setup.guard.house"));
  return { yes, no };
}
