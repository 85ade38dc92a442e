/** Whether the fuse is guarded now: the one sentence that stands on every page. */
import { Icon, type IconName } from "../components/icons";
import type { Tone } from "../components/badge";
import { ampere } from "../format";
import { t } from "../i18n";
import { guardKey, stillDrawing } from "../state/guard";

const LOOKS: Readonly<Record<string, [Tone, IconName]>> = {
  "guard.control": ["ok", "check"],
  "guard.observe": ["warn", "eye"],
  "guard.over": ["bad", "warn"],
  "guard.stale": ["warn", "warn"],
  "guard.lost": ["bad", "stop"],
  "guard.waiting": ["warn", "dots"],
  "guard.unknown": ["bad", "unplug"],
};

export function GuardLine() {
  const key = guardKey.value;
  if (key === null) return null;
  const [tone, icon] = LOOKS[key] ?? (["quiet", "dots"] as const);
  const still = stillDrawing.value.map(({ name, measured, setpoint }) =>
    setpoint === null ? t("guard.still.unset", { name, measured: ampere(measured) }) : t("guard.still", { name, measured: ampere(measured), setpoint: ampere(setpoint) }),
  );
  return (
    <p class={`guard tone-${tone}`} data-guard={key}>
      <Icon name={icon} /> <span>{[t(key), ...still].join(" ")}</span>
    </p>
  );
}
