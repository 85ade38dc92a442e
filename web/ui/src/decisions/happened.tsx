/** What then really happened: when each command was sent, answered, seen at the load and seen at the meter. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Action } from "../api/types";
import { explain } from "../errors";
import { ampere, clock, number } from "../format";
import { t } from "../i18n";
import { loadNames } from "../state/live";
import { Outcome, setting } from "./action";
import { CardTable } from "./card-table";
import { meterAround, type Metered } from "./metered";
import { after, amount, changes, type Whole } from "./whole";

function Time({ decision, at, action }: { decision: Whole; at: string | null | undefined; action: Action }) {
  if (at === null || at === undefined) {
    const isOver = action.outcome === "rejected" || action.outcome === "timeout";
    return <span class="note">{t(isOver ? "decision.never" : "decision.not_yet")}</span>;
  }
  return (
    <>
      <time dateTime={at}>{clock(at)}</time>{" "}
      <span class="note when">{after(decision, at)}</span>
    </>
  );
}

function MeterTime({ metered, command }: { metered: Metered | null; command: number }) {
  if (metered === null) return <span class="note">{t("decision.metered.reading")}</span>;
  const at = metered.seen.get(command) ?? null;
  if (at === null) return <span class="note">{t("decision.metered.none")}</span>;
  return <>{t("decision.after", { time: `${number(at, 1)} s` })}</>;
}

function MeterTable({ metered }: { metered: Metered }) {
  if (metered.phases.length === 0) return null;
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={t("decision.meter.heading")}>
      <table class="figures" data-table="metered">
        <caption>{t("decision.meter.heading")}</caption>
        <thead>
          <tr>
            <th scope="col">{t("decision.phase")}</th>
            <th scope="col">{t("decision.meter.before")}</th>
            <th scope="col">{t("decision.meter.after")}</th>
            <th scope="col">{t("decision.meter.change")}</th>
          </tr>
        </thead>
        <tbody>
          {metered.phases.map(({ phase, before, after: later }) => {
            const change = before === null || later === null ? null : later - before;
            return (
              <tr key={phase}>
                <th scope="row">{t(`phase.${phase}`)}</th>
                <td>{amount(before) ?? ampere(null)}</td>
                <td>{amount(later) ?? ampere(null)}</td>
                <td>{change === null ? ampere(null) : `${change > 0 ? "+" : ""}${number(change, 1)} A`}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

export function Happened({ decision }: { decision: Whole }) {
  const metered = useSignal<Metered | null>(null);
  const failure = useSignal<unknown>(null);
  const actions = changes(decision);
  const shown = actions.length === 0 ? decision.actions : actions;
  useEffect(() => {
    let gone = false;
    meterAround(decision, actions).then(
      (found) => {
        if (!gone) metered.value = found;
      },
      (error: unknown) => {
        if (!gone) failure.value = error;
      },
    );
    return () => {
      gone = true;
    };
  }, [decision]);
  return (
    <section class="panel" aria-labelledby="happened-heading">
      <h3 id="happened-heading">{t("decision.happened")}</h3>
      {shown.length === 0 ? (
        <p class="empty">{t("decision.actions.none")}</p>
      ) : (
        <CardTable
          name="happened"
          heading="happened-heading"
          caption={t("decision.happened")}
          head={t("decision.command")}
          rows={shown}
          keyOf={(action) => action.command}
          headOf={(action) => `${loadNames.value.get(action.load) ?? action.load}: ${setting(action)}${action.renewal ? ` (${t("decisions.renewal")})` : ""}`}
          columns={[
            { label: t("decision.outcome"), cell: (action) => <Outcome action={action} /> },
            { label: t("decision.sent"), when: "sent", cell: (action) => <Time decision={decision} at={action.sent_at} action={action} /> },
            { label: t("decision.answered"), when: "answered", cell: (action) => <Time decision={decision} at={action.acknowledged_at} action={action} /> },
            { label: t("decision.seen"), when: "seen", cell: (action) => <Time decision={decision} at={action.seen_at} action={action} /> },
            { label: t("decision.metered"), when: "metered", cell: ({ command }) => <MeterTime metered={metered.value} command={command} /> },
          ]}
        />
      )}
      {failure.value === null ? null : <p class="said is-bad">{t("decision.metered.failed", { error: explain(failure.value) })}</p>}
      {metered.value === null ? null : <MeterTable metered={metered.value} />}
      <p class="note">{t("decision.metered.help")}</p>
    </section>
  );
}
