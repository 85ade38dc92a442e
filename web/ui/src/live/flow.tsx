/** Where the power goes now: grid → house, cars, heater. Each bar shows its share of what comes from the grid. */
import { Icon, type IconName } from "../components/icons";
import { UNKNOWN, watt } from "../format";
import { type Key, t } from "../i18n";
import { isMetered } from "../state/guard";
import { outdated, status } from "../state/live";
import "./flow.css";
import { flow } from "./power";

interface Part {
  name: "house" | "cars" | "heat";
  icon: IconName;
  label: Key;
  power: number | null;
}

function Share({ power, all }: { power: number | null; all: number }) {
  const width = power === null || all <= 0 ? 0 : Math.min(100, (Math.max(0, power) / all) * 100);
  return (
    <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" focusable="false">
      <rect class="trough" width="100" height="6" />
      <rect class="level" width={width} height="6" />
    </svg>
  );
}

export function FlowStrip() {
  const now = status.value;
  if (now === null) return null;
  const { grid, house, cars, heat } = flow();
  const all = Math.max(grid ?? 0, (house ?? 0) + (cars ?? 0) + (heat ?? 0));
  const has = (kind: string): boolean => now.loads.some((load) => load.kind === kind);
  const parts: Part[] = [
    { name: "house", icon: "house", label: "flow.house", power: house },
    ...(has("charger") ? [{ name: "cars", icon: "car", label: "flow.cars", power: cars } as const] : []),
    ...(has("slow_load") ? [{ name: "heat", icon: "flame", label: "flow.heat", power: heat } as const] : []),
  ];
  const gives = grid !== null && grid < 0;
  return (
    <section class={outdated.value ? "panel flow is-old" : "panel flow"} aria-labelledby="flow-heading" data-flow="">
      <h2 id="flow-heading" class="visually-hidden">{t("flow.heading")}</h2>
      <div class="flow-grid" data-part="grid">
        <Icon name="grid" />
        <span class="flow-name">{t(gives ? "flow.grid.gives" : "flow.grid")}</span>
        <strong class="tabular">{grid === null ? UNKNOWN : watt(Math.abs(grid))}</strong>
      </div>
      <span class="flow-arrow" aria-hidden="true">
        <Icon name={gives ? "left" : "right"} />
      </span>
      <dl class="flow-parts">
        {parts.map((part) => (
          <div key={part.name} class={`flow-part of-${part.name}`} data-part={part.name}>
            <dt>
              <Icon name={part.icon} /> {t(part.label)}
            </dt>
            <dd class="tabular">
              {watt(part.power)}
              <Share power={part.power} all={all} />
            </dd>
          </div>
        ))}
      </dl>
      {isMetered.value ? null : <p class="note flow-note">{t("flow.unmetered")}</p>}
    </section>
  );
}
