/** One load: what it may draw, what it draws, whether it obeys, and why. */
import type { ChargerStatus, LoadStatus, SlowLoadStatus } from "../api/types";
import { ampere, amps, UNKNOWN, watt, wholeAge } from "../format";
import { t, word } from "../i18n";
import { reasonText, wouldText } from "../reason";
import { href } from "../route";
import { current } from "../setting";
import { safeCurrents } from "../state/chargers";
import { decisions } from "../state/decisions";
import { houseTime } from "../state/live";
import { Badge, type Tone } from "../components/badge";
import { Icon, type IconName } from "../components/icons";
import { swatchOf } from "./bar-patterns";
import { LoadCommands } from "./load-commands";

function statusLook(load: LoadStatus): [Tone, IconName, string] {
  if (load.connected === false) return ["bad", "unplug", t("load.offline")];
  if (load.connected === null) return ["quiet", "dots", t("load.unheard")];
  if (load.kind === "slow_load") {
    if (load.on === null) return ["quiet", "dots", t("load.unknown")];
    return load.on ? ["ok", "bolt", t("load.on")] : ["quiet", "hand", t("load.off")];
  }
  const text = word("status", load.status);
  if (load.status === "suspended_evse" && load.setpoint_a === 0) {
    const byHand = load.reason?.code === "user";
    return ["info", byHand ? "hand" : "down", t(byHand ? "load.paused.user" : "load.paused.headroom")];
  }
  switch (load.status) {
    case "charging":
      return ["ok", "bolt", text];
    case "faulted":
    case "unavailable":
      return ["bad", "warn", text];
    case "suspended_evse":
      return ["info", "hand", text];
    default:
      return ["quiet", "plug", text];
  }
}

function Value({ label, children, wide = false }: { label: string; children: preact.ComponentChildren; wide?: boolean }) {
  return (
    <div class={wide ? "value is-wide" : "value"}>
      <dt>{label}</dt>
      <dd class="tabular">{children}</dd>
    </div>
  );
}

/** Drawn current (filled), setpoint (line) and the charger's maximum (end of the scale). */
function CurrentBar({ load }: { load: ChargerStatus }) {
  const max = load.max_current_a;
  if (max === null || max <= 0) return null;
  const known = (load.measured_a ?? []).filter((a): a is number => a !== null);
  const drawn = known.length === 0 ? null : Math.max(...known);
  const x = (a: number): number => 2 + (Math.min(Math.max(a, 0), max) / max) * 196;
  const label = t("load.bar", { measured: ampere(drawn), setpoint: ampere(load.setpoint_a), max: ampere(max) });
  return (
    <svg class="current-bar" viewBox="0 0 200 16" preserveAspectRatio="none" role="img" aria-label={label}>
      <rect class="trough" x="2" y="4" width="196" height="8" />
      {drawn === null ? null : <rect class="drawn" x="2" y="4" width={x(drawn) - 2} height="8" />}
      {load.setpoint_a === null ? null : <rect class="setpoint" x={x(load.setpoint_a) - 1.5} y="0" width="3" height="16" />}
    </svg>
  );
}

/** At its safe current, where it also goes by itself, a charger needs no lease: one that ran out means nothing. */
function needsLease(load: ChargerStatus): boolean {
  return (load.setpoint_a ?? 0) > (safeCurrents.value.get(load.id) ?? 0);
}

/** Ticks by itself, so that the rest of the card is drawn only when something changed. */
function Lease({ load }: { load: ChargerStatus }) {
  if (load.lease_until === null) return <>{t("load.lease.none")}</>;
  const left = (Date.parse(load.lease_until) - houseTime.value) / 1000;
  if (left <= 0) return <>{t("load.lease.out")}</>;
  return <>{t("load.lease.left", { left: wholeAge(left) })}</>;
}

function ChargerValues({ load }: { load: ChargerStatus }) {
  const setpoint = load.setpoint_a;
  return (
    <>
      <Value label={t("load.setpoint")}>
        <strong data-setpoint={setpoint ?? ""} data-max={load.max_current_a ?? ""}>
          {setpoint === null ? t("load.unset") : current(setpoint, load.reason?.code)}
        </strong>
        {load.max_current_a === null || setpoint === 0 ? null : <span class="note"> {t("load.of", { max: ampere(load.max_current_a) })}</span>}
      </Value>
      <Value label={t("load.measured")}>
        {load.measured_a === null ? UNKNOWN : <strong>{load.measured_a.map(amps).join(" · ")}<span class="unit"> A</span></strong>}
      </Value>
      <Value label={t("load.acknowledged")}>{ampere(load.acknowledged_a)}</Value>
      <Value label={t("load.following")}>
        {load.following === null ? (
          t("load.following.unknown")
        ) : (
          <span class={load.following ? "yes" : "no"}>
            <Icon name={load.following ? "check" : "no"} /> {t(load.following ? "load.following.yes" : "load.following.no")}
          </span>
        )}
      </Value>
      {needsLease(load) ? (
        <Value label={t("load.lease")}>
          <Lease load={load} />
        </Value>
      ) : null}
    </>
  );
}

function SlowLoadValues({ load }: { load: SlowLoadStatus }) {
  return (
    <>
      <Value label={t("load.switch")}>
        <strong>{load.on === null ? t("load.unknown") : t(load.on ? "load.on" : "load.off")}</strong>
      </Value>
      <Value label={t("load.power")}>
        <strong>{watt(load.power_w)}</strong>
      </Value>
    </>
  );
}

/** The newest decision that told this load something; its list where none is among the newest. */
function decisionOf(id: string): string {
  const found = decisions.value.find((d) => d.actions.some((a) => a.load === id && a.renewal !== true));
  return found === undefined ? href("decisions", [], { load: id }) : href("decisions", [String(found.id)]);
}

export interface Rank {
  highest: number;
  lowest: number;
}

function priorityText(priority: number, rank: Rank): string {
  if (rank.highest === rank.lowest) return t("load.priority.only", { n: priority });
  if (priority === rank.highest) return t("load.priority.first", { n: priority });
  if (priority === rank.lowest) return t("load.priority.last", { n: priority });
  return t("load.priority.only", { n: priority });
}

export function LoadCard({ load, rank, index }: { load: LoadStatus; rank: Rank; index: number }) {
  const [tone, icon, text] = statusLook(load);
  const would = wouldText(load.reason);
  const why = would ?? reasonText(load.reason);
  const heading = `load-${load.id}`;
  return (
    <article class="card" aria-labelledby={heading} data-load={load.id} data-kind={load.kind}>
      <header>
        <h3 id={heading}>
          <span class={`swatch ${swatchOf(index)}`} aria-hidden="true" />{"\u00a0"}
          {load.name}
        </h3>
        <Badge tone={tone} icon={icon}>
          {text}
        </Badge>
        <p class="kind">
          {t(load.kind === "charger" ? "load.kind.charger" : "load.kind.slow_load")}
          {load.connected === true ? `, ${t("load.online")}` : ""}
        </p>
      </header>
      {load.kind === "charger" ? <CurrentBar load={load} /> : null}
      <dl class="values">
        {load.kind === "charger" ? <ChargerValues load={load} /> : <SlowLoadValues load={load} />}
        <Value label={t("load.priority")}>{priorityText(load.priority, rank)}</Value>
      </dl>
      <p class="reason" data-reason={load.reason?.code ?? ""}>
        <span class="eyebrow">{t(would === null ? "load.why" : "load.would")}</span> <span data-why="">{why === "" ? t("load.why.none") : why}</span>
        <a class="to-decision" href={decisionOf(load.id)} aria-label={t("load.decision.of", { name: load.name })}>
          {t("load.decision")}
        </a>
      </p>
      <LoadCommands load={load} />
    </article>
  );
}
