/** The journal of decisions: what was done, why, and what came of it. */
import { memo } from "preact/compat";
import { useSignal } from "@preact/signals";
import { get } from "../api/client";
import type { Action, Decision } from "../api/types";
import { explain } from "../errors";
import { ampere, clock } from "../format";
import { t, word } from "../i18n";
import { subjectOf, wouldText } from "../observe";
import { current } from "../setting";
import { decisions, failed, loaded, loadingMore, loadMore, next, previousAction } from "../state/decisions";
import { loadNames } from "../state/live";
import { Badge, StateBadge } from "./badge";
import { Icon, type IconName } from "./icons";

function setting(action: Action): string {
  if (action.type === "switch") return t(action.on === true ? "load.on" : "load.off");
  return current(action.limit_a, action.reason?.code);
}

function before(action: Action, earlier: Action | undefined): string {
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

function Outcome({ action }: { action: Action }) {
  const outcome = action.outcome ?? "none";
  return (
    <span class={`outcome is-${outcome}`}>
      <Icon name={OUTCOME_ICONS[outcome] ?? "dots"} /> {word("outcome", outcome)}
    </span>
  );
}

function ActionLine({ action, from, name }: { action: Action; from: string; name: string }) {
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
function Would({ decision, text, names }: { decision: Decision; text: string; names: readonly string[] }) {
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

/** The complete inputs, read only when somebody opens the row. */
function Inputs({ id }: { id: number }) {
  const text = useSignal<string | null>(null);
  const open = async (isOpen: boolean): Promise<void> => {
    if (!isOpen || text.value !== null) return;
    text.value = t("decisions.loading");
    try {
      const whole = await get<Decision>(`/decisions/${id}`);
      text.value =
        whole.inputs === undefined || whole.inputs === null ? t("decisions.inputs.none") : JSON.stringify(whole.inputs, null, 2);
    } catch (error) {
      text.value = null;
      failedText.value = t("decisions.inputs.failed", { error: explain(error) });
    }
  };
  const failedText = useSignal("");
  return (
    <details class="inputs" onToggle={(event) => void open(event.currentTarget.open)}>
      <summary>{t("decisions.inputs", { id })}</summary>
      <pre tabIndex={0}>{text.value ?? failedText.value}</pre>
    </details>
  );
}

interface RowProps {
  decision: Decision;
  befores: string;
  names: string;
  all: string;
}

/** The reasons in the order in which they are asked for: of what was done first, then of the whole house. */
function reasonsOf(decision: Decision, would: string | null): [string[], string] {
  const whole = would ?? decision.reason?.text ?? "";
  const own = decision.actions.filter((a) => a.renewal !== true).map((a) => a.reason?.text ?? "");
  const first = [...new Set(own)].filter((text) => text !== "");
  if (first.length === 0) return [whole === "" ? [] : [whole], ""];
  return [first, first.includes(whole) ? "" : whole];
}

/** `befores`, `names` and `all` are joined texts, so that an unchanged row is not drawn again. */
const Row = memo(function Row({ decision, befores, names, all }: RowProps) {
  const actions = decision.actions.filter((a) => a.renewal !== true);
  const from = befores.split("\n");
  const name = names.split("\n");
  const would = actions.length === 0 ? wouldText(decision.reason) : null;
  const [first, whole] = reasonsOf(decision, would);
  return (
    <tr role="row" data-decision={decision.id}>
      <td role="cell" class="col-time">
        <time class="tabular" dateTime={decision.time}>
          {clock(decision.time)}
        </time>
      </td>
      <td role="cell" class="col-state">
        <StateBadge state={decision.state} />
      </td>
      <td role="cell" class="col-actions">
        {would !== null ? (
          <Would decision={decision} text={would} names={all.split("\n")} />
        ) : actions.length === 0 ? (
          <span class="note">{t("decisions.noaction")}</span>
        ) : (
          <ul class="plain">
            {actions.map((a, i) => (
              <ActionLine key={a.command} action={a} from={from[i] ?? ""} name={name[i] ?? a.load} />
            ))}
          </ul>
        )}
      </td>
      <td role="cell" class="col-reason">
        {first.map((text) => (
          <p key={text}>{text}</p>
        ))}
        {whole === "" ? null : <p class="note">{t("decisions.whole", { text: whole })}</p>}
        <Inputs id={decision.id} />
      </td>
    </tr>
  );
});

const COLUMNS = ["time", "state", "actions", "reason"] as const;

export function Decisions() {
  const rows = decisions.value;
  const names = loadNames.value;
  const all = [...names.values()].join("\n");
  return (
    <section class="panel decisions-panel" aria-labelledby="decisions-heading">
      <h2 id="decisions-heading">{t("decisions.heading")}</h2>
      {failed.value ? <p class="said is-bad">{t("decisions.failed")}</p> : null}
      {rows.length === 0 ? (
        <p class="empty">{loaded.value ? t("decisions.none") : t("decisions.loading")}</p>
      ) : (
        <table role="table" class="decisions" aria-labelledby="decisions-heading">
          <thead role="rowgroup">
            <tr role="row">
              {COLUMNS.map((c) => (
                <th key={c} role="columnheader" scope="col" class={`col-${c}`}>
                  {t(`decisions.${c}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody role="rowgroup">
            {rows.map((decision, i) => {
              const actions = decision.actions.filter((a) => a.renewal !== true);
              return (
                <Row
                  key={decision.id}
                  decision={decision}
                  befores={actions.map((a) => before(a, previousAction(rows, i, a))).join("\n")}
                  names={actions.map((a) => names.get(a.load) ?? a.load).join("\n")}
                  all={all}
                />
              );
            })}
          </tbody>
        </table>
      )}
      {next.value === null ? null : (
        <button type="button" class="more" disabled={loadingMore.value} onClick={() => void loadMore()}>
          {t(loadingMore.value ? "decisions.more.busy" : "decisions.more")}
        </button>
      )}
    </section>
  );
}
