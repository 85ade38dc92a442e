/** The commissioning report: one page to print and to leave beside the fuse box. */
import { Told } from "../components/told";
import type { PhaseName } from "../api/types";
import { TextField } from "../components/field";
import { ampere, meterNumber, moment, watt } from "../format";
import { t, word } from "../i18n";
import { whereOf } from "../loads/drivers";
import { loadNames, status } from "../state/live";
import { reportOf } from "../state/reports";
import { site } from "../state/site";
import { chargers, slowLoads } from "./data";
import { useDraft } from "./draft";
import { fuseText, guarded, protectedHeading } from "./guarded";
import { lines, Numbers } from "./report";

interface Signed {
  electrician: string;
  place: string;
}

const terminals = (phases: readonly PhaseName[] | null): string => (phases === null ? t("add.phases.unknown") : lines(phases));

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function House() {
  const settings = site.value;
  const meter = status.value?.meter;
  if (settings === null || meter === undefined) return null;
  const cap = settings["max_power_w"];
  const meterText = [meter.model, meterNumber(meter), meter.protocol].filter((x) => x !== null && x !== undefined && x !== "").join(", ");
  return (
    <dl class="facts">
      <Fact name={t("site.rating")} value={fuseText()} />
      <Fact name={t("site.grid")} value={word("grid", settings.grid)} />
      <Fact name={t("site.margin")} value={ampere(settings.margin_a)} />
      <Fact name={t("setup.fuse.cap")} value={typeof cap === "number" ? watt(cap) : t("setup.paper.none")} />
      <Fact name={t("setup.paper.meter")} value={meterText === "" ? t("setup.paper.none") : meterText} />
      <Fact name={t("setup.paper.source")} value={meter.source ?? t("setup.paper.none")} />
      <Fact name={t("site.mode")} value={word("mode", status.value?.mode ?? "observe")} />
      <Fact name={t("setup.paper.version")} value={status.value?.version ?? ""} />
    </dl>
  );
}

function Devices() {
  const order = [...(chargers.value ?? []), ...(slowLoads.value ?? [])].sort((a, b) => b.priority - a.priority);
  return (
    <>
      {(chargers.value ?? []).map((charger) => {
        const report = reportOf(charger.id);
        return (
          <section key={charger.id} class="paper-device">
            <h4>{charger.name}</h4>
            <dl class="facts">
              <Fact name={t("setup.paper.driver")} value={whereOf(charger.driver)} />
              <Fact name={t("setup.charger.breaker")} value={ampere(charger.max_current_a)} />
              <Fact name={t("add.phases")} value={terminals(charger.phases)} />
              <Fact name={t("setup.paper.safe")} value={t("setup.paper.safe.value", { safe: ampere(charger.safe_current_a), lease: charger.lease_s })} />
              <Fact name={t("setup.paper.lease")} value={t(`setup.paper.lease.${charger.lease}`)} />
            </dl>
            {report === null ? (
              <p>{t("setup.paper.untested")}</p>
            ) : (
              <>
                <p>
                  <strong>{t(`setup.prove.${report.result}`)}</strong> ({moment(report.ended)}). <Told text={report.text} />
                </p>
                {report.result === "aborted" ? null : <Numbers report={report} />}
              </>
            )}
          </section>
        );
      })}
      {(slowLoads.value ?? []).map((load) => (
        <section key={load.id} class="paper-device">
          <h4>{load.name}</h4>
          <dl class="facts">
            <Fact name={t("setup.paper.driver")} value={whereOf(load.driver)} />
            <Fact name={t("add.relay.rated")} value={watt(load.rated_w)} />
            <Fact name={t("add.phases")} value={terminals(load.phases)} />
          </dl>
        </section>
      ))}
      {order.length === 0 ? null : (
        <p>
          <strong>{t("priorities.heading")}:</strong> {order.map((load) => loadNames.value.get(load.id) ?? load.name).join(" → ")}
        </p>
      )}
    </>
  );
}

export function Commissioning() {
  const signed = useDraft<Signed>("signed");
  const electrician = signed.value.electrician ?? "";
  const place = signed.value.place ?? "";
  const { yes, no } = guarded();
  return (
    <section class="paper" aria-labelledby="paper-heading" data-paper="">
      <h3 id="paper-heading">{t("setup.paper.heading")}</h3>
      <p class="no-print">{t("setup.paper.text")}</p>
      <div class="pair no-print">
        <TextField id="paper-electrician" label={t("setup.paper.electrician")} autocomplete="name" value={electrician} onInput={(v) => { signed.value = { ...signed.value, electrician: v }; }} />
        <TextField id="paper-place" label={t("setup.paper.place")} autocomplete="off" value={place} onInput={(v) => { signed.value = { ...signed.value, place: v }; }} />
      </div>
      <div class="row no-print">
        <button type="button" data-act="print" onClick={() => window.print()}>
          {t("setup.paper.print")}
        </button>
      </div>
      <div class="sheet">
        <dl class="facts">
          <Fact name={t("site.name")} value={site.value?.name ?? ""} />
          <Fact name={t("setup.paper.place")} value={place} />
          <Fact name={t("setup.paper.electrician")} value={electrician} />
          <Fact name={t("setup.paper.date")} value={moment(new Date().toISOString())} />
        </dl>
        <House />
        <Devices />
        <div class="paper-device">
          <h4>{protectedHeading()}</h4>
          <ul class="bullets">
            {yes.map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
          <h4>{t("setup.live.no")}</h4>
          <ul class="bullets">
            {no.map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        </div>
        <p>{t("setup.paper.fuse")}</p>
        <p class="signature only-print">{t("setup.paper.signature")}</p>
      </div>
    </section>
  );
}
