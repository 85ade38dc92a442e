/** Decisions as a table: what was done, why, and what came of it. */
import "./decisions.css";
import { memo } from "preact/compat";
import type { Action, Decision } from "../api/types";
import { StateBadge } from "../components/badge";
import { clock } from "../format";
import { t } from "../i18n";
import { reasonText, wouldText } from "../reason";
import { href } from "../route";
import { loadNames } from "../state/live";
import { ActionLine, before, previousAction, Would } from "./action";

interface RowProps {
  decision: Decision;
  befores: string;
  names: string;
  all: string;
}

const told = (decision: Decision): Action[] => decision.actions.filter((a) => a.renewal !== true);

/** Of what was done; of the whole house where nothing was done. */
function reasonsOf(decision: Decision, would: string | null): string[] {
  const own = told(decision).map((a) => reasonText(a.reason));
  const first = [...new Set(own)].filter((text) => text !== "");
  return first.length > 0 ? first : [would ?? reasonText(decision.reason)];
}

/** `befores`, `names` and `all` are joined texts, so that an unchanged row is not drawn again. */
const Row = memo(function Row({ decision, befores, names, all }: RowProps) {
  const actions = told(decision);
  const from = befores.split("\n");
  const name = names.split("\n");
  const would = actions.length === 0 ? wouldText(decision.reason) : null;
  return (
    <tr role="row" data-decision={decision.id}>
      <td role="cell" class="col-time">
        <time class="tabular" dateTime={decision.time}>
          {clock(decision.time)}
        </time>
        <a class="open tabular" href={href("decisions", [String(decision.id)])} data-open={decision.id}>
          {t("decision.heading", { id: decision.id })}
        </a>
      </td>
      <td role="cell" class="col-state">
        <StateBadge state={decision.state} />
      </td>
      <td role="cell" class="col-actions">
        {would !== null ? (
          <Would decision={decision} text={would} names={all.split("\n")} />
        ) : actions.length === 0 ? (
          <span class="note">{t(decision.actions.length === 0 ? "decisions.noaction" : "decisions.renewal")}</span>
        ) : (
          <ul class="plain">
            {actions.map((a, i) => (
              <ActionLine key={a.command} action={a} from={from[i] ?? ""} name={name[i] ?? a.load} />
            ))}
          </ul>
        )}
      </td>
      <td role="cell" class="col-reason">
        {reasonsOf(decision, would).map((text) => (
          <p key={text}>{text}</p>
        ))}
      </td>
    </tr>
  );
});

const COLUMNS = ["time", "state", "actions", "reason"] as const;

/** `rows` are newest first; `labelled` is the id of their heading. */
export function DecisionTable({ rows, labelled }: { rows: readonly Decision[]; labelled: string }) {
  const names = loadNames.value;
  const all = [...names.values()].join("\n");
  return (
    <table role="table" class="decisions" aria-labelledby={labelled}>
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
          const actions = told(decision);
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
  );
}
