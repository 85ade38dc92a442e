/** The meter: how it is heard, what was not believed, and its last telegrams as they came. */
import { Told } from "../components/told";
import type { Telegram } from "../api/admin";
import { Badge } from "../components/badge";
import { age, clock, periodText, UNKNOWN } from "../format";
import { t, word } from "../i18n";
import { isFrozen } from "../state/guard";
import { status } from "../state/live";
import { meterText } from "../state/meter";
import { type Fact, Facts } from "./facts";

function facts(): Fact[] {
  const meter = status.value?.meter;
  if (meter === undefined) return [];
  const text = (value: string | null | undefined): string => (value === null || value === undefined || value === "" ? UNKNOWN : value);
  return [
    [t("meter.fact.source"), text(meter.source)],
    [t("meter.fact.protocol"), text(meter.protocol)],
    [t("meter.fact.model"), text(meter.model)],
    [t("meter.fact.serial"), text(meter.serial)],
    [t("meter.fact.period"), periodText(meter.period_s) ?? UNKNOWN],
    [t("meter.fact.age"), meter.age_s === null ? UNKNOWN : age(meter.age_s)],
  ];
}

function Rejected() {
  const all = Object.entries(status.value?.meter.rejected ?? {});
  if (all.length === 0) return null;
  return (
    <table class="counts">
      <caption>{t("meter.rejected")}</caption>
      <tbody>
        {all.map(([reason, count]) => (
          <tr key={reason}>
            <th scope="row">{word("rejected", reason)}</th>
            <td>{count}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function MeterDiagnostics({ trace }: { trace: readonly Telegram[] | undefined }) {
  const meter = status.value?.meter;
  const isGood = meter?.state === "ok";
  return (
    <section class="panel" aria-labelledby="diag-meter">
      <header class="panel-head">
        <h2 id="diag-meter">{t("meter.heading")}</h2>
        <Badge tone={isGood ? "ok" : "warn"} icon={isGood ? "check" : "warn"}>
          {isFrozen.value ? t("meter.frozen") : word("meter", meter?.state ?? "waiting")}
        </Badge>
      </header>
      {meterText() === undefined ? null : <p><Told text={meterText()} /></p>}
      <Facts facts={facts()} />
      <Rejected />
      {trace === undefined ? null : (
        <details class="help">
          <summary>{t("meter.trace", { count: trace.length })}</summary>
          <p>{t("meter.trace.help")}</p>
          {trace.length === 0 ? <p class="empty">{t("meter.trace.none")}</p> : null}
          <ol class="plain trace">
            {[...trace].reverse().map((one) => (
              <li key={one.time}>
                <p class="note">
                  {clock(one.time)} · {t(one.valid ? "meter.trace.valid" : "meter.trace.invalid")}
                </p>
                <pre tabIndex={0}>{one.telegram}</pre>
              </li>
            ))}
          </ol>
        </details>
      )}
    </section>
  );
}
