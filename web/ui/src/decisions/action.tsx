/** One command of a decision in words: what a load was told, and what came of it. */
import type { Action, Decision } from "../api/types";
import { Badge } from "../components/badge";
import { Icon, type IconName } from "../components/icons";
import { ampere } from "../format";
import { t, word } from "../i18n";
import { subjectOf } from "../observe";
import { current } from "../setting";

export function setting(action: Action): string {
  if (action.type === "switch") return t(action.on === true ? "load.on" : "load.off");
  return current(action.limit_a, action.reason?.code);
}

export function before(action: Action, earlier: Action | undefined): string {
  const from = action.reason?.from_a;
  if (action.type === "set_limit" && from !== undefined && from !== null) {
    return ampere(from);
  }
  if (earlier !== undefined) return setting(earlier);
  // A relay has two positions: a switch that changes came from the other one.
  return action.type === "switch" ? t(action.on === true ? "load.off" : "load.on") : "";
}

const OUTCOME_ICONS: Readonly<Record<string, IconName>> = {
  pending: "dots",
  accepted: "check",
  rejected: "no",
  timeout: "warn",
};

export function Outcome({ action }: { action: Action }) {
  const outcome = action.outcome ?? "none";
  return (
    <span class={`outcome is-${outcome}`}>
      <Icon name={OUTCOME_ICONS[outcome] ?? "dots"} /> {word("outcome", outcome)}
    </span>
  );
}

export function ActionLine({ action, from, name }: { action: Action; from: string; name: string }) {
  return (
    <li class="action">
      <span>
        <strong>{name}</strong>{" "}
        <span class="tabular change">
          {from === "" || from === setting(action) ? "" : `${from} → `}
          {setting(action)}
        </span>
        {action.type === "set_limit" && action.phases !== null && action.phases !== undefined && action.limit_a !== 0 ? (
          <span class="note"> {action.phases === 1 ? t("decisions.phase") : t("decisions.phases", { n: action.phases })}</span>
        ) : null}
      </span>
      <Outcome action={action} />
    </li>
  );
}

/** Observe mode commands nothing: what it would have done stands where the actions stand otherwise. */
export function Would({ decision, text, names }: { decision: Decision; text: string; names: readonly string[] }) {
  const from = decision.reason?.from_a;
  const to = decision.reason?.to_a;
  const known = from !== null && from !== undefined && to !== null && to !== undefined;
  return (
    <p class="action" data-would={decision.id}>
      <span>
        <strong>{subjectOf(text, names)}</strong>{" "}
        {known ? <span class="tabular change">{`${ampere(from)} → ${current(to, decision.reason?.code)}`}</span> : null}
      </span>
      <Badge tone="quiet" icon="eye">{t("decisions.would")}</Badge>
    </p>
  );
}

/** The action that last spoke to the same load before this one, as far as the page has read. */
export function previousAction(rows: readonly Decision[], index: number, action: Action): Action | undefined {
  for (let i = index + 1; i < rows.length; i += 1) {
    const found = rows[i]?.actions.find((a) => a.load === action.load && a.type === action.type);
    if (found !== undefined) return found;
  }
  return undefined;
}
