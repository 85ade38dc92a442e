/** Step 6: proof that each charger follows, and that it falls back by itself when nobody speaks to it. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError, call, post } from "../api/client";
import type { ChargerConfig, ChargerReport } from "../api/loads";
import type { ChargerTest } from "../api/types";
import { Badge, type Tone } from "../components/badge";
import type { IconName } from "../components/icons";
import { Loading } from "../components/loading";
import { Said } from "../components/said";
import { useForm } from "../components/use-form";
import { moment, sentence, wholeAge } from "../format";
import { type Key, t } from "../i18n";
import { chargerTest, link, status } from "../state/live";
import { readReports, reportOf } from "../state/reports";
import { mayConfigure } from "../state/session";
import { chargers, readLoads, usePoll } from "./data";
import { ReportView } from "./report";
import { Running } from "./running";
import { isForTests, remember, setMode } from "./trial-control";

const LOADS_EVERY_MS = 10_000;
/** The cut test waits so long beyond the lease before it judges. */
const CUT_JUDGED_AFTER_S = 15;
/** The report is stored a moment after the end is told. */
const REPORT_AFTER_MS = 700;
const REPORT_TRIES = 8;

const LOOKS: Readonly<Record<ChargerReport["result"], readonly [Tone, IconName, Key]>> = {
  passed: ["ok", "check", "setup.prove.passed"],
  failed: ["bad", "stop", "setup.prove.failed"],
  aborted: ["warn", "warn", "setup.prove.aborted"],
};

/** Reads the report of the test that has just ended, until it is the new one. */
async function awaitReport(test: ChargerTest, triesLeft = REPORT_TRIES): Promise<void> {
  await readReports().catch(() => undefined);
  const report = reportOf(test.charger);
  if (report !== null && Date.parse(report.started) >= Date.parse(test.started)) {
    await readLoads();
    return;
  }
  if (triesLeft > 0) setTimeout(() => void awaitReport(test, triesLeft - 1).catch(() => undefined), REPORT_AFTER_MS);
}

/** In observe-only nothing is commanded, so nothing can be tested: asked for in so many words. */
function Control() {
  const form = useForm([]);
  const isObserving = status.value?.mode === "observe";
  if (!mayConfigure.value) return null;
  if (isObserving) {
    return (
      <div class="confirm" data-control="observe">
        <p>
          <strong>{t("setup.prove.control.title")}</strong> {t("setup.prove.control.text")}
        </p>
        <Said form={form} name="control" />
        <div class="row">
          <button
            type="button"
            class="primary"
            data-act="control-for-tests"
            disabled={form.busy.value}
            onClick={() =>
              void form.send(async () => {
                remember(true);
                await setMode("control");
                return "";
              })
            }
          >
            {t("setup.prove.control.yes")}
          </button>
        </div>
      </div>
    );
  }
  if (!isForTests.value) return null;
  return (
    <div class="setup-note tone-info" data-control="tests">
      <p>
        <strong>{t("setup.prove.control.on")}</strong> {t("setup.prove.control.on.text")}
      </p>
      <Said form={form} name="control" />
      <button
        type="button"
        class="small"
        data-act="observe-again"
        disabled={form.busy.value}
        onClick={() =>
          void form.send(async () => {
            await setMode("observe");
            remember(false);
            return "";
          })
        }
      >
        {t("setup.prove.control.off")}
      </button>
    </div>
  );
}

function Begin({ charger }: { charger: ChargerConfig }) {
  // One that keeps what it was told has no fall to wait for; the service knows which do, and says so.
  const falls = charger.driver?.kind === "ocpp" || charger.lease !== "none";
  const cut = useSignal(falls);
  const form = useForm(["cut"]);
  const isBusy = chargerTest.value?.state === "running";
  const isFirst = reportOf(charger.id) === null;
  const begin = (): void => {
    void form.send(async () => {
      try {
        chargerTest.value = await post<ChargerTest>(`/chargers/${encodeURIComponent(charger.id)}/test`, { cut: cut.value });
        return "";
      } catch (error) {
        // The service says why: no car, no fresh reading, no link. Nothing of the form is wrong.
        if (error instanceof ApiError && error.status === 422) throw new ApiError(409, error.code, error.errors.map((e) => sentence(e.message)).join(" ") || error.message);
        throw error;
      }
    });
  };
  return (
    <>
      <div class="check">
        <input id={`cut-${charger.id}`} type="checkbox" checked={cut.value} aria-describedby={`cut-${charger.id}-hint`} onChange={(event) => { cut.value = event.currentTarget.checked; }} />
        <label for={`cut-${charger.id}`}>{t("setup.prove.cut")}</label>
        <span class="hint" id={`cut-${charger.id}-hint`}>
          {t(falls ? "setup.prove.cut.help" : "setup.prove.cut.polled", { time: wholeAge(charger.lease_s + CUT_JUDGED_AFTER_S) })}
        </span>
      </div>
      <Said form={form} name={`test-${charger.id}`} />
      <div class="row">
        <button type="button" class="primary" data-act="test" aria-label={t(isFirst ? "setup.prove.begin.label" : "setup.prove.again.label", { name: charger.name })} disabled={form.busy.value || isBusy || status.value?.mode !== "control"} onClick={begin}>
          {t(isFirst ? "setup.prove.begin" : "setup.prove.again")}
        </button>
      </div>
    </>
  );
}

function Proof({ charger }: { charger: ChargerConfig }) {
  const form = useForm([]);
  const test = chargerTest.value?.charger === charger.id ? chargerTest.value : null;
  const report = reportOf(charger.id);
  const isRunning = test?.state === "running";
  const load = status.value?.loads.find((it) => it.id === charger.id);
  const end = (): void => {
    void form.send(async () => {
      await call("DELETE", `/chargers/${encodeURIComponent(charger.id)}/test`);
      return "";
    });
  };
  const look = report === null ? null : LOOKS[report.result];
  return (
    <section class="proof" aria-labelledby={`proof-${charger.id}`} data-proof={charger.id} data-result={isRunning ? "running" : (report?.result ?? "none")}>
      <div class="panel-head">
        <h3 id={`proof-${charger.id}`}>{charger.name}</h3>
        {isRunning ? (
          <Badge tone="info" icon="clock">
            {t("setup.prove.running")}
          </Badge>
        ) : look === null ? (
          <Badge tone="quiet" icon="dots">
            {t("setup.prove.never")}
          </Badge>
        ) : (
          <Badge tone={look[0]} icon={look[1]}>
            {t(look[2])}
          </Badge>
        )}
      </div>
      {isRunning && test !== null ? (
        <>
          <Running test={test} name={charger.name} />
          {mayConfigure.value ? (
            <div class="row">
              <button type="button" data-act="abort" disabled={form.busy.value} onClick={end}>
                {t("setup.prove.abort")}
              </button>
            </div>
          ) : null}
          <Said form={form} name={`abort-${charger.id}`} />
        </>
      ) : (
        <>
          {report === null ? null : (
            <>
              <p class="note">{t("setup.prove.when", { time: moment(report.ended), version: report.version })}</p>
              <ReportView report={report} charger={charger} />
            </>
          )}
          {load?.connected === true ? null : <p class="setup-note tone-warn">{t("setup.prove.unlinked", { name: charger.name })}</p>}
          {mayConfigure.value ? <Begin charger={charger} /> : null}
        </>
      )}
    </section>
  );
}

export function ProveStep() {
  usePoll(readLoads, LOADS_EVERY_MS);
  const test = chargerTest.value;
  const over = test === null || test.state === "running" ? "" : `${test.charger} ${test.started}`;
  useEffect(() => {
    if (test !== null && over !== "") void awaitReport(test).catch(() => undefined);
  }, [over]);
  // What was found while the page was away.
  const isOpen = link.value === "open";
  useEffect(() => {
    if (isOpen) void readReports().catch(() => undefined);
  }, [isOpen]);
  const all = chargers.value ?? [];
  return (
    <>
      <p>{t("setup.prove.text")}</p>
      <details class="help">
        <summary>{t("setup.prove.what")}</summary>
        <p>{t("setup.prove.follow")}</p>
        <p>{t("setup.prove.cut.long")}</p>
        <p>{t("setup.prove.skip")}</p>
      </details>
      {chargers.value === null ? <Loading /> : all.length === 0 ? <p class="empty">{t("setup.prove.none")}</p> : <Control />}
      {all.map((charger) => (
        <Proof key={charger.id} charger={charger} />
      ))}
    </>
  );
}
