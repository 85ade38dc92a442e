/** What is heard of the meter now, to be compared with its display; and what to do when nothing is. */
import { Told } from "../components/told";
import { Badge } from "../components/badge";
import type { MeterStatus, PhaseName } from "../api/types";
import { age as ageText, amps, meterNumber, UNKNOWN, watt } from "../format";
import { t, word } from "../i18n";
import { href } from "../route";
import { isFrozen } from "../state/guard";
import { outdated, reading, readingAge, status } from "../state/live";
import { heardText, meterSettings } from "../state/meter";
import { tellsUnreadFile } from "../words";
import { readCandidates, readFound } from "./data";

const LINES: readonly PhaseName[] = ["l1", "l2", "l3"];

/** The meter speaks, and cannot be understood without its key. */
export function wantsKey(meter: MeterStatus): boolean {
  if (meter.state === "ok") return false;
  const rejected = meter.rejected ?? {};
  const isCiphered = ["needs_key", "wrong_key", "wrong_auth_key"].some((why) => (rejected[why] ?? 0) > 0);
  return isCiphered && /key/.test(meter.text ?? "");
}

/** Configured, and no reading has come yet or comes any more, for another reason than a key. */
export function isSilent(): boolean {
  const meter = status.value?.meter;
  return meter !== undefined && (meter.state === "waiting" || meter.state === "lost") && !wantsKey(meter);
}

function Values() {
  const last = reading.value;
  const lines = status.value?.phases ?? [];
  return (
    <table class="heard-values">
      <caption>{t("setup.heard.caption")}</caption>
      <thead>
        <tr>
          <th scope="col">{t("setup.heard.line")}</th>
          <th scope="col">{t("setup.heard.current")}</th>
          <th scope="col">{t("setup.heard.power")}</th>
          <th scope="col">{t("setup.heard.voltage")}</th>
        </tr>
      </thead>
      <tbody>
        {LINES.slice(0, Math.max(1, lines.length)).map((line, i) => {
          const said = last?.phases[i] ?? null;
          const current = said?.current_a ?? lines[i]?.measured_a ?? null;
          const voltage = said?.voltage_v ?? null;
          return (
            <tr key={line} data-line={line}>
              <th scope="row">{word("phase", line)}</th>
              <td data-current={current ?? ""}>{amps(current)} A</td>
              <td>{watt(said?.power_w)}</td>
              <td>{voltage === null ? UNKNOWN : `${Math.round(voltage)} V`}</td>
            </tr>
          );
        })}
      </tbody>
      {last?.power_w === null || last?.power_w === undefined ? null : (
        <tfoot>
          <tr>
            <th scope="row">{t("setup.heard.total")}</th>
            <td />
            <td>{watt(last.power_w)}</td>
            <td />
          </tr>
        </tfoot>
      )}
    </table>
  );
}

export function Heard() {
  const meter = status.value?.meter;
  if (meter === undefined) return null;
  const isOk = meter.state === "ok" && !outdated.value;
  const details = [meter.protocol, meter.model, meterNumber(meter), meter.serial].filter((x) => x !== null && x !== undefined && x !== "");
  const heard = heardText();
  const age = readingAge.value;
  return (
    <div class="heard" data-heard={meter.state}>
      <p class="heard-head">
        <strong>{t("meter.heard")}</strong>
        <Badge tone={isOk ? "ok" : "warn"} icon={isOk ? "check" : "warn"}>
          {isFrozen.value ? t("meter.frozen") : word("meter", meter.state)}
        </Badge>
        {age === null ? null : <span class="tabular note">{t("phases.ago", { age: ageText(age) })}</span>}
      </p>
      <p data-meter-text="">{heard === undefined ? t("meter.silent") : <Told text={heard} />}</p>
      {details.length === 0 ? null : <p class="note">{details.join(" · ")}</p>}
      {age === null ? null : (
        <>
          <Values />
          <p>
            <strong>{t("setup.heard.compare")}</strong> {t("setup.heard.compare.text")}
          </p>
        </>
      )}
    </div>
  );
}

/** A file has no cable: it is not there, or was played to its end. */
function SilentFile({ text }: { text: string }) {
  return <p data-silent-file="">{t(tellsUnreadFile(text) ? "setup.silent.file" : "meter.example.file")}</p>;
}

function SilentLine({ source }: { source: string }) {
  return (
    <>
      <p>{t("setup.silent.text")}</p>
      <ol class="bullets">
        <li>{t("setup.silent.cable")}</li>
        <li>{t("setup.silent.activate")}</li>
        {source.startsWith("serial:") ? <li>{t("setup.silent.group")}</li> : null}
        <li>{t("setup.silent.wait")}</li>
      </ol>
      <p>
        <a href={href("diagnostics")}>{t("setup.silent.trace")}</a> {t("setup.silent.raw")} <code>headroom listen {source}</code>
      </p>
    </>
  );
}

/** Nothing is heard: the usual causes, the most frequent first. */
export function Silent() {
  const source = status.value?.meter.source ?? meterSettings.value?.source ?? "";
  const again = (): void => {
    void readCandidates().catch(() => undefined);
    void readFound().catch(() => undefined);
  };
  return (
    <section class="setup-note tone-warn" aria-labelledby="silent-heading" data-silent="">
      <h3 id="silent-heading">{t("setup.silent.title")}</h3>
      {source.startsWith("file:") ? <SilentFile text={heardText() ?? ""} /> : <SilentLine source={source} />}
      <div class="row">
        <button type="button" onClick={again}>
          {t("setup.silent.again")}
        </button>
      </div>
      <p class="note">{t("setup.silent.go")}</p>
    </section>
  );
}
