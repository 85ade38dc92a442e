/** What other settings would have done: a form, and the answer as a table. */
import "./what-if.css";
import { signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Loading } from "../components/loading";
import { explain } from "../errors";
import { number } from "../format";
import { t } from "../i18n";
import { now } from "../state/clock";
import { houseTime, loadNames } from "../state/live";
import { access, isPublic } from "../state/session";
import { iso } from "../timeline/span";
import { AnswerView } from "./answer";
import { answer, ask, asking, failure, readSettings, settings, unread } from "./ask";
import { addedId, changeOf, type Draft, EMPTY, LONGEST, wrongFields } from "./change";
import { Question } from "./form";

/** What is written stays when the page is left and come back to. */
const draft = signal<Draft>(EMPTY);

/** The asked time as two times, or `null` when it cannot be right. */
function rangeOf(of: Draft): [string, string] | null {
  if (of.range !== "own") {
    const to = Math.floor(houseTime.peek() / 1_000);
    return [iso(to - Number(of.range)), iso(to)];
  }
  const length = (Date.parse(of.to) - Date.parse(of.from)) / 1_000;
  return length > 0 && length <= LONGEST ? [of.from, of.to] : null;
}

function Busy() {
  const since = asking.value;
  if (since === null) return null;
  return <span class="note tabular">{t("whatif.busy", { seconds: number(Math.max(0, (now.value - since) / 1_000), 0) })}</span>;
}

export function WhatIfPage() {
  const tried = useSignal(false);
  const granted = access.value === "granted";
  useEffect(() => {
    if (granted) void readSettings();
  }, [granted]);
  const house = settings.value;
  const of = draft.value;
  if (house === null) {
    return unread.value === null ? (
      <Loading text="app.loading" />
    ) : (
      <p class="said is-bad" role="alert">
        {t("whatif.unread", { error: explain(unread.value) })}{" "}
        <button type="button" class="small" onClick={() => void readSettings()}>
          {t("decisions.again")}
        </button>
      </p>
    );
  }
  const wrong = wrongFields(of);
  const change = changeOf(of, house);
  const isNothing = Object.keys(change).length === 0;
  const isRangeWrong = rangeOf(of) === null;
  const send = (): void => {
    tried.value = true;
    const range = rangeOf(of);
    if (wrong.length > 0 || range === null || isNothing || asking.peek() !== null) return;
    void ask(change, range[0], range[1]).then(() => {
      // The answer is below the form, on a telephone out of sight.
      setTimeout(() => document.getElementById("answer-heading")?.focus());
    });
  };
  const names = new Map([...loadNames.value, [addedId(house), t("whatif.add.name")] as const]);
  return (
    <div class="sheets whatif">
      <section class="panel" aria-labelledby="whatif-heading">
        <h2 id="whatif-heading">{t("whatif.heading")}</h2>
        <p>{t("whatif.intro")}</p>
        {isPublic.value ? <p class="note">{t("whatif.public")}</p> : null}
        <form
          data-form="what-if"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            send();
          }}
        >
          <Question draft={draft} settings={house} wrong={wrong} tried={tried.value} isRangeWrong={isRangeWrong} />
          <p class="row">
            <button type="submit" class="primary" disabled={isPublic.value || asking.value !== null}>
              {t("whatif.ask")}
            </button>
            <Busy />
          </p>
          <p class={failure.value === "" ? "said" : "said is-bad"} role="status" data-said="what-if">
            {tried.value && isNothing && wrong.length === 0 ? t("whatif.nothing") : failure.value}
          </p>
          <p class="note">{t("whatif.long")}</p>
        </form>
      </section>
      {answer.value === null ? null : <AnswerView answer={answer.value} names={names} />}
    </div>
  );
}
