/** A state as sign, word and colour. */
import type { ComponentChildren } from "preact";
import { word } from "../i18n";
import { Icon, type IconName } from "./icons";

export type Tone = "ok" | "info" | "warn" | "bad" | "quiet";

export function Badge({ tone, icon, children }: { tone: Tone; icon: IconName; children: ComponentChildren }) {
  return (
    <span class={`badge tone-${tone}`}>
      <Icon name={icon} />
      <span>{children}</span>
    </span>
  );
}

function look(state: string): [Tone, IconName] {
  if (state.startsWith("failsafe")) return ["bad", "stop"];
  if (state.startsWith("degraded")) return ["warn", "warn"];
  switch (state) {
    case "operating.normal":
      return ["ok", "check"];
    case "operating.curtailing":
      return ["info", "down"];
    case "operating.recovering":
      return ["info", "up"];
    case "manual":
      return ["info", "hand"];
    case "observe":
      return ["quiet", "eye"];
    default:
      return ["quiet", "dots"];
  }
}

interface StateProps {
  state: string;
  /** Another word than the state's own. */
  text?: string;
  /** Red, whatever the state. */
  urgent?: boolean;
}

/** The state of the whole system; its path is in `data-state` for those who look under the hood. */
export function StateBadge({ state, text, urgent = false }: StateProps) {
  const [tone, icon] = urgent ? (["bad", "warn"] as const) : look(state);
  return (
    <span data-state={state} title={state} class="state">
      <Badge tone={tone} icon={icon}>
        {text ?? word("state", state)}
      </Badge>
    </span>
  );
}
