/** What bound a decision: the reasons with their circuit, phase and amounts, of the whole house and of each command. */
import { t, word } from "../i18n";
import type { Reason } from "../api/types";
import { reasonText } from "../reason";
import { loadNames } from "../state/live";
import { amount, changes, lapse, type Whole } from "./whole";

function Fact({ label, value }: { label: string; value: string | null }) {
  if (value === null) return null;
  return (
    <div class="amount">
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function where(reason: Reason): string | null {
  const circuit = reason.circuit === "main" ? t("energy.main_fuse") : reason.circuit ? t("energy.circuit", { circuit: reason.circuit }) : null;
  const phase = reason.phase ? t(`phase.${reason.phase}`) : null;
  if (circuit !== null && phase !== null) return t("energy.place", { phase, circuit });
  return phase ?? circuit;
}

function ReasonFacts({ title, reason, at }: { title: string; reason: Reason; at: number }) {
  const names = loadNames.value;
  const { from_a: from, to_a: to, until_ms: until } = reason;
  const hasChange = from !== null && from !== undefined && to !== null && to !== undefined;
  return (
    <article class="bound" data-bound={reason.code}>
      <h4>{title}</h4>
      <p>{reasonText(reason)}</p>
      <dl class="amounts">
        <Fact label={t("decision.bound.code")} value={word("code", reason.code)} />
        <Fact label={t("decision.bound.where")} value={where(reason)} />
        <Fact label={t("decision.bound.other")} value={reason.load ? (names.get(reason.load) ?? reason.load) : null} />
        <Fact label={t("decision.bound.measured")} value={amount(reason.measured_a)} />
        <Fact label={t("decision.bound.limit")} value={amount(reason.limit_a)} />
        <Fact label={t("decision.bound.available")} value={amount(reason.available_a)} />
        <Fact label={t("decision.bound.change")} value={hasChange ? `${amount(from) ?? ""} → ${amount(to) ?? ""}` : null} />
        <Fact
          label={t("decision.bound.until")}
          value={until === null || until === undefined ? null : t("decision.bound.until.in", { time: lapse(until - at) })}
        />
      </dl>
    </article>
  );
}

export function Bound({ decision }: { decision: Whole }) {
  const names = loadNames.value;
  return (
    <section class="panel" aria-labelledby="bound-heading">
      <h3 id="bound-heading">{t("decision.bound")}</h3>
      {changes(decision).map(({ command, load, reason }) =>
        reason ? <ReasonFacts key={command} title={names.get(load) ?? load} reason={reason} at={decision.t_ms} /> : null,
      )}
      {decision.reason === null ? null : <ReasonFacts title={t("decision.whole")} reason={decision.reason} at={decision.t_ms} />}
    </section>
  );
}
