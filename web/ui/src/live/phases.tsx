/** The three phases (one on a single-phase grid), the age of the reading, and what the drawing means. */
import { Told } from "../components/told";
import type { MeterStatus, PhaseStatus } from "../api/types";
import { age, amps, periodText, UNKNOWN } from "../format";
import { type Key, t, word } from "../i18n";
import { isFrozen, valuesOld } from "../state/guard";
import { meterOk, outdated, readingAge, status } from "../state/live";
import { meterSettings, meterText } from "../state/meter";
import { isAsShipped, ratingOf, site } from "../state/site";
import { Icon } from "../components/icons";
import { swatchOf } from "./bar-patterns";
import { PhaseBar, scaleTop } from "./phase-bar";
import "./phases.css";
import { type Share, sharesOf, signOf } from "./shares";

/** The only part that is drawn again at every tick. */
function Age() {
  const seconds = readingAge.value;
  const meter = status.value?.meter;
  const period = periodText(meter?.period_s);
  return (
    <p class={meterOk.value ? "age" : "age is-stale"} data-age={seconds === null ? "" : seconds.toFixed(1)}>
      <Icon name="clock" />
      {seconds === null ? (
        <span>{t("phases.never")}</span>
      ) : (
        <span>
          {t("phases.age")} <strong class="tabular">{t("phases.ago", { age: age(seconds) })}</strong>
          {period === null ? null : <span class="note">, {t("phases.period", { period })}</span>}
        </span>
      )}
    </p>
  );
}

interface ReadoutProps {
  label: Key;
  value: string;
  unit?: string;
  tone?: string;
  /** Not of now: says so beside its name. */
  old?: boolean;
}

function Readout({ label, value, unit = "A", tone = "", old = false }: ReadoutProps) {
  return (
    <div class={tone === "" ? "readout" : `readout ${tone}`}>
      <dt>
        {t(label)}
        {old ? <span class="old">{t("phases.old")}</span> : null}
      </dt>
      <dd class="tabular">
        {value}
        {value === UNKNOWN || unit === "" ? null : <span class="unit"> {unit}</span>}
      </dd>
    </div>
  );
}

/** One load on this phase, with its sign from the bar. */
function ShareReadout({ share }: { share: Share }) {
  return (
    <div class="readout">
      <dt>
        <span class={`swatch ${swatchOf(share.index)}`} aria-hidden="true" /> {share.load === null ? t("loads.heading") : share.name}
      </dt>
      <dd class="tabular">
        {amps(share.amperes)}
        <span class="unit"> A</span>
      </dd>
    </div>
  );
}

function Thermal({ share }: { share: number | null }) {
  const percent = share === null ? null : Math.round(share * 100);
  const filled = Math.min(100, Math.max(0, percent ?? 0));
  return (
    <div class={percent !== null && percent >= 80 ? "readout thermal is-hot" : "readout thermal"}>
      <dt>{t("phases.thermal")}</dt>
      <dd class="tabular">
        {percent === null ? UNKNOWN : percent}
        {percent === null ? null : <span class="unit"> %</span>}
        <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" focusable="false">
          <rect class="trough" width="100" height="6" />
          <rect class="heat" width={filled} height="6" />
        </svg>
      </dd>
    </div>
  );
}

function Phase({ phase, top, tightest }: { phase: PhaseStatus; top: number; tightest: boolean }) {
  const name = word("phase", phase.phase);
  const old = valuesOld.value && phase.measured_a !== null;
  const over = phase.headroom_a !== null && phase.headroom_a < 0;
  const shares = sharesOf(phase, status.value?.loads ?? []);
  return (
    <article class="phase" aria-label={name} data-phase={phase.phase} data-over={over}>
      <h3>
        {name}
        {tightest ? <span class="tag">{t("phases.tightest")}</span> : null}
      </h3>
      <PhaseBar phase={phase} shares={shares} rating={ratingOf(phase, site.value)} top={top} />
      <dl>
        <Readout label="phases.measured" value={amps(phase.measured_a)} tone="is-big" old={old} />
        <Readout
          label={over ? "phases.over" : "phases.headroom"}
          value={amps(over ? Math.abs(phase.headroom_a ?? 0) : phase.headroom_a)}
          tone={over ? "is-big is-over" : "is-big"}
          old={old}
        />
        <Readout label="phases.background" value={amps(phase.background_a)} />
        {shares.map((share) => (
          <ShareReadout key={share.load ?? ""} share={share} />
        ))}
        <Readout label="phases.limit.short" value={amps(phase.limit_a)} />
        <Thermal share={phase.thermal} />
        <Readout label="phases.source" value={old ? t("phases.source.old") : word("phases.source", phase.source)} unit="" />
      </dl>
    </article>
  );
}

function Legend() {
  const isUnset = site.value !== null && isAsShipped(site.value);
  return (
    <ul class="legend" aria-label={t("phases.legend")}>
      <li><span class="swatch is-house" />{t("phases.legend.background")}</li>
      {(status.value?.loads ?? []).map((load, index) => (
        <li key={load.id}>
          <span class={`swatch ${swatchOf(index)}`} />
          {signOf(index)} {load.name}
        </li>
      ))}
      <li><span class="swatch is-reserve" />{t("phases.legend.reserve")}</li>
      <li><span class="swatch is-over" />{t("phases.legend.over")}</li>
      <li><span class="swatch is-fuse" />{t(isUnset ? "phases.fuse.unset" : "phases.fuse")}</li>
      {(site.value?.margin_a ?? 0) > 0 ? <li><span class="swatch is-limit" />{t("phases.limit")}</li> : null}
    </ul>
  );
}

/** What is heard of the meter, in a sentence, and what was not believed. */
function MeterNote({ meter }: { meter: MeterStatus }) {
  const dropped = Object.entries(meter.rejected ?? {}).filter(([, count]) => count > 0);
  if (!meter.text && dropped.length === 0) return null;
  return (
    <p class="meter-note">
      <Told text={meterText()} />
      {dropped.length === 0
        ? null
        : ` ${t("meter.dropped", { list: dropped.map(([reason, count]) => `${word("rejected", reason)} ${count}`).join(", ") })}`}
    </p>
  );
}

function staleText(meter: MeterStatus): string {
  if (meter.state === "waiting") return t(meterSettings.value?.source === null ? "phases.unset" : "phases.waiting");
  return t("phases.stale", { state: isFrozen.value ? t("meter.frozen") : word("meter", meter.state) });
}

export function Phases() {
  const now = status.value;
  if (now === null) return null;
  const ratings = now.phases.map((p) => ratingOf(p, site.value) ?? 0);
  const top = scaleTop(ratings, now.phases.map((p) => p.measured_a));
  const heads = now.phases.map((p) => p.headroom_a ?? Number.POSITIVE_INFINITY);
  const least = Math.min(...heads);
  const tightest = now.phases.length > 1 && Number.isFinite(least) ? heads.indexOf(least) : -1;
  return (
    <section class={valuesOld.value ? "panel phases-panel is-outdated" : "panel phases-panel"} aria-labelledby="phases-heading">
      <div class="panel-head">
        <h2 id="phases-heading">{t("phases.heading")}</h2>
        <Age />
      </div>
      {now.meter.state === "ok" || outdated.value ? null : (
        <p class="stale-note">
          <Icon name="warn" /> {staleText(now.meter)}
        </p>
      )}
      {now.phases.length === 0 ? <p class="empty">{t("phases.none")}</p> : null}
      <div class="phases">
        {now.phases.map((phase, i) => (
          <Phase key={phase.phase} phase={phase} top={top} tightest={i === tightest} />
        ))}
      </div>
      <Legend />
      <MeterNote meter={now.meter} />
      <details class="help">
        <summary>{t("phases.help")}</summary>
        <p>{t("phases.help.1")}</p>
        <p>{t("phases.help.2")}</p>
        <p>{t("phases.help.3")}</p>
      </details>
    </section>
  );
}
