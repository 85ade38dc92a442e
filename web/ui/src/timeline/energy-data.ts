/** Energy per day and load, as the service adds it up, and summed over the days that are shown. */
import { get } from "../api/client";
import type { Page, PhaseName } from "../api/types";
import { t } from "../i18n";
import { iso } from "./span";

export interface Lost {
  code: string;
  phase: PhaseName | null;
  circuit: string | null;
  load: string | null;
  energy_kwh: number;
}

export interface EnergyDay {
  date: string;
  /** `null`: what the house took from the net. */
  load: string | null;
  name: string | null;
  energy_kwh: number;
  curtailed_kwh: number;
  lost_to: Lost[];
}

export interface Sum {
  id: string | null;
  name: string;
  energy: number;
  lost: number;
  causes: Lost[];
  days: Map<string, EnergyDay>;
}

const PAGE = 500;
/** Ten years of a dozen loads would be more than a page can show. */
const MOST = 20_000;
/** Less than this is not worth a word: 10 Wh. */
export const WORTH_A_WORD = 0.01;

export async function readEnergy(from: number, to: number): Promise<EnergyDay[]> {
  const items: EnergyDay[] = [];
  let cursor: string | null = null;
  do {
    const more: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page: Page<EnergyDay> = await get<Page<EnergyDay>>(`/energy?from=${iso(from)}&to=${iso(to)}&limit=${PAGE}${more}`);
    items.push(...page.items);
    cursor = page.next;
  } while (cursor !== null && items.length < MOST);
  return items;
}

const keyOf = (lost: Lost): string => [lost.code, lost.phase, lost.circuit, lost.load].join(" ");

/** The house first, then the loads in the order of the service. */
export function sumsOf(days: readonly EnergyDay[]): Sum[] {
  const sums = new Map<string, Sum>();
  for (const day of days) {
    const key = day.load ?? "";
    const sum: Sum = sums.get(key) ?? { id: day.load, name: "", energy: 0, lost: 0, causes: [], days: new Map() };
    sums.set(key, sum);
    sum.name = day.name ?? day.load ?? t("energy.house");
    sum.energy += day.energy_kwh;
    sum.lost += day.curtailed_kwh;
    sum.days.set(day.date, day);
    for (const lost of day.lost_to) {
      const known = sum.causes.find((c) => keyOf(c) === keyOf(lost));
      if (known === undefined) sum.causes.push({ ...lost });
      else known.energy_kwh += lost.energy_kwh;
    }
  }
  for (const sum of sums.values()) sum.causes.sort((a, b) => b.energy_kwh - a.energy_kwh);
  return [...sums.values()];
}

/** What was lost put together by the words for its cause, the most first, without what is not worth a word. */
export function causesOf(lost: readonly Lost[], names: ReadonlyMap<string, string>): [string, number][] {
  const byWords = new Map<string, number>();
  for (const one of lost) {
    const words = causeOf(one, names);
    byWords.set(words, (byWords.get(words) ?? 0) + one.energy_kwh);
  }
  return [...byWords].filter(([, kwh]) => kwh >= WORTH_A_WORD).sort((a, b) => b[1] - a[1]);
}

function causeOf(lost: Lost, names: ReadonlyMap<string, string>): string {
  const circuit =
    lost.circuit === null || lost.circuit === "main" ? t("energy.main_fuse") : t("energy.circuit", { circuit: lost.circuit });
  const place = lost.phase === null ? circuit : t("energy.place", { phase: t(`phase.${lost.phase}`), circuit });
  const other = lost.load === null ? t("energy.another") : (names.get(lost.load) ?? lost.load);
  switch (lost.code) {
    case "power_limit":
      return t("energy.cause.power_limit");
    case "thermal":
      return t("energy.cause.thermal", { place });
    case "priority":
      return t("energy.cause.priority", { name: other });
    case "fair_share":
      return t("energy.cause.fair_share", { name: other });
    case "rotation":
      return t("energy.cause.rotation", { name: other });
    case "hysteresis":
      return t("energy.cause.hysteresis");
    case "meter_stale":
    case "meter_lost":
    case "starting":
      return t("energy.cause.meter");
    case "charger_lost":
      return t("energy.cause.charger_lost");
    case "not_obeying":
      return t("energy.cause.not_obeying");
    case "learning":
      return t("energy.cause.learning");
    default:
      return place;
  }
}
