/** What a load was told, in words. Nothing at all is said by who wanted it: a person, the car, or Headroom. */
import { ampere } from "./format";
import { t } from "./i18n";

/** Reasons with which 0 A takes nothing away from anybody. */
const UNASKED: ReadonlySet<string> = new Set(["", "normal", "demand", "lease", "starting", "observe"]);

export function current(limit: number | null | undefined, code: string | null | undefined): string {
  if (limit !== 0) return ampere(limit);
  if (code === "user") return t("load.paused.user");
  return UNASKED.has(code ?? "") ? ampere(0) : t("load.paused.headroom");
}
