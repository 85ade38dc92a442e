/** What a test has found: the numbers, each step, the reason of a failure, and the phases to be taken over. */
import { Told } from "../components/told";
import { useSignal } from "@preact/signals";
import { call } from "../api/client";
import type { ChargerConfig, ChargerReport } from "../api/loads";
import type { PhaseName } from "../api/types";
import { Icon } from "../components/icons";
import { SelectField } from "../components/field";
import { Said } from "../components/said";
import { useForm } from "../components/use-form";
import { ampere, number, UNKNOWN } from "../format";
import { t } from "../i18n";
import { status } from "../state/live";
import { mayConfigure } from "../state/session";
import { orderOf } from "../words";
import { readLoads } from "./data";
import { currents, kindText } from "./running";

export const seconds = (ms: number | null | undefined): string => (ms === null || ms === undefined ? UNKNOWN : `${number(ms / 1000, 1)} s`);
export const lines = (phases: readonly PhaseName[] | null | undefined): string =>
  phases === null || phases === undefined ? t("setup.report.untold") : phases.length === 0 ? t("setup.report.noline") : phases.map((p) => p.toUpperCase()).join(", ");

/** A verdict as sign and word: of a test, or of something that it looked at. */
export function Verdict({ good, ofTest = false }: { good: boolean; ofTest?: boolean }) {
  const [yes, no] = ofTest ? (["setup.report.passed", "setup.report.failed"] as const) : (["setup.report.yes", "setup.report.no"] as const);
  return (
    <span class={good ? "yes" : "no"}>
      <Icon name={good ? "check" : "no"} /> {t(good ? yes : no)}
    </span>
  );
}

const LINES: readonly PhaseName[] = ["l1", "l2", "l3"];

/** All orders of these lines. */
function orders(of: readonly PhaseName[]): PhaseName[][] {
  if (of.length <= 1) return [[...of]];
  return of.flatMap((first) => orders(of.filter((other) => other !== first)).map((rest) => [first, ...rest]));
}

/** How the terminals may hang: the lines that moved come first, for a car with fewer phases uses the first terminals. */
function wirings(found: readonly PhaseName[], terminals: number): string[] {
  const beside = LINES.filter((line) => !found.includes(line));
  const whole = terminals > found.length ? orders(found).flatMap((first) => orders(beside).map((rest) => [...first, ...rest])) : [];
  return [...whole, ...orders(found)].map((order) => order.join("-"));
}

/** How many terminals it has: as it was configured, or as many as it reports. */
function terminalsOf(report: ChargerReport): number {
  return report.follow?.phases_configured?.length ?? Math.max(0, ...report.steps.map((step) => step.reported_a.length));
}

/** Whether the lines that moved are those of the first terminals already. */
function isSettled(phases: readonly PhaseName[] | null, found: readonly PhaseName[]): boolean {
  return phases !== null && [...phases.slice(0, found.length)].sort().join() === [...found].sort().join();
}

/** The order that the service has seen in the charger's own steps, if it has. */
function seenOrder(charger: string): string | null {
  const found = status.value?.alarms.find((alarm) => alarm.code === "phases_found" && alarm.load === charger);
  return orderOf(found?.text ?? "");
}

/** Offered where the lines are not those that are configured, or none are. */
function TakePhases({ report, charger }: { report: ChargerReport; charger: ChargerConfig }) {
  const form = useForm(["phases"]);
  const chosen = useSignal<string | null>(null);
  const found = report.follow?.phases_found ?? [];
  if (found.length === 0 || isSettled(charger.phases, found)) return null;
  const offered = wirings(found, terminalsOf(report));
  const seen = seenOrder(charger.id);
  const value = chosen.value ?? (seen !== null && offered.includes(seen) ? seen : (offered[0] ?? ""));
  const take = (): void => {
    void form.send(async () => {
      await call("PATCH", `/chargers/${encodeURIComponent(charger.id)}`, { phases: value.split("-") });
      await readLoads();
      return t("setup.report.taken", { name: charger.name, lines: value.toUpperCase().replace(/-/g, ", ") });
    });
  };
  return (
    <div class="confirm" data-take-phases={found.join("-")}>
      <p>
        <strong>{t("setup.report.take.title", { lines: lines(found) })}</strong> {t(seen === null && offered.length > 1 ? "setup.report.take.order" : "setup.report.take.text")}
      </p>
      {offered.length === 1 ? null : (
        <SelectField
          id={`take-${charger.id}`}
          label={t("add.phases")}
          value={value}
          options={offered.map((order) => [order, order.toUpperCase().replace(/-/g, ", ")] as const)}
          onChange={(v) => { chosen.value = v; }}
        />
      )}
      <Said form={form} name={`take-${charger.id}`} />
      <div class="row">
        <button type="button" class="primary" disabled={form.busy.value} onClick={take}>
          {t("setup.report.take", { lines: value.toUpperCase().replace(/-/g, ", ") })}
        </button>
      </div>
    </div>
  );
}

export function Numbers({ report }: { report: ChargerReport }) {
  const { follow, cut } = report;
  return (
    <dl class="facts">
      {follow === null ? null : (
        <>
          <div>
            <dt>{t("setup.report.follow")}</dt>
            <dd><Verdict ofTest good={follow.passed} /></dd>
          </div>
          <div>
            <dt>{t("setup.report.reaction")}</dt>
            <dd>{seconds(follow.reaction_ms)}</dd>
          </div>
          <div>
            <dt>{t("setup.report.error")}</dt>
            <dd>{follow.error_a === null ? UNKNOWN : `${number(follow.error_a, 1)} A`}</dd>
          </div>
          <div>
            <dt>{t("setup.report.lowest")}</dt>
            <dd>{ampere(follow.lowest_a)}</dd>
          </div>
          <div>
            <dt>{t("setup.report.pauses")}</dt>
            <dd><Verdict good={follow.pauses && follow.resumes} /></dd>
          </div>
          <div>
            <dt>{t("setup.report.lines")}</dt>
            <dd>{lines(follow.phases_found)}</dd>
          </div>
        </>
      )}
      <div>
        <dt>{t("setup.report.cut")}</dt>
        <dd>{cut === null ? t("setup.report.cut.none") : <Verdict ofTest good={cut.passed} />}</dd>
      </div>
      {cut === null ? null : (
        <div>
          <dt>{t("setup.report.fell", { safe: ampere(cut.safe_current_a) })}</dt>
          <dd>{seconds(cut.fell_after_ms)}</dd>
        </div>
      )}
    </dl>
  );
}

export function ReportView({ report, charger }: { report: ChargerReport; charger: ChargerConfig }) {
  return (
    <>
      <p data-report-text=""><Told text={report.text} /></p>
      {report.follow === null && report.cut === null ? null : <Numbers report={report} />}
      {mayConfigure.value ? <TakePhases report={report} charger={charger} /> : null}
      {report.steps.length === 0 ? null : (
        <details class="help">
          <summary>{t("setup.report.steps")}</summary>
          <div class="scroll-x" tabIndex={0} role="region" aria-label={t("setup.test.table", { name: charger.name })}>
            <table class="test-steps">
              <thead>
                <tr>
                  <th scope="col">{t("setup.test.col.step")}</th>
                  <th scope="col">{t("setup.test.col.told")}</th>
                  <th scope="col">{t("setup.test.col.reported")}</th>
                  <th scope="col">{t("setup.test.col.moved")}</th>
                  <th scope="col">{t("setup.test.col.after")}</th>
                  <th scope="col">{t("setup.test.col.follows")}</th>
                </tr>
              </thead>
              <tbody>
                {report.steps.map((step, i) => (
                  <tr key={i}>
                    <th scope="row">{kindText(step.kind, step.told_a)}</th>
                    <td>{ampere(step.told_a)}</td>
                    <td>{currents(step.reported_a)}</td>
                    <td>{currents(step.moved_a)}</td>
                    <td>{seconds(step.reaction_ms)}</td>
                    <td>{step.skipped ? t("setup.report.skipped") : <Verdict good={step.follows} />}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      )}
    </>
  );
}
