/** What every load got in a decision, and why; and what it would have had if one thing were otherwise. */
import type { ComponentChildren } from "preact";
import { ampere, amps, UNKNOWN, watt } from "../format";
import { t, word } from "../i18n";
import { reasonText } from "../reason";
import { loadNames } from "../state/live";
import { setting } from "./action";
import { CardTable } from "./card-table";
import { changes, type InputLoad, type Whole } from "./whole";

function drew(load: InputLoad): string {
  if (load.kind === "slow_load") return watt(load.power_w);
  const all = load.measured_a ?? [];
  return all.length === 0 ? UNKNOWN : `${all.map(amps).join(" / ")} A`;
}

function otherwise(load: InputLoad): string {
  const would = load.reason?.counterfactual;
  if (would === null || would === undefined) return t("decision.otherwise.none");
  const current = ampere(would.current_a);
  if (would.load === null || would.load === undefined) return t("decision.otherwise.peak", { current });
  return t("decision.otherwise.load", { name: loadNames.value.get(would.load) ?? would.load, current });
}

function setpoint(load: InputLoad): string {
  if (load.kind === "slow_load") return load.on === null || load.on === undefined ? UNKNOWN : t(load.on ? "load.on" : "load.off");
  return ampere(load.setpoint_a);
}

export function Got({ decision }: { decision: Whole }) {
  const loads = decision.inputs?.loads ?? [];
  const actions = changes(decision);
  const told = (load: InputLoad): ComponentChildren => {
    const action = actions.find((a) => a.load === load.id);
    return action === undefined ? t("decision.told.nothing") : <strong>{setting(action)}</strong>;
  };
  const why = (load: InputLoad): ComponentChildren => (
    <>
      {load.status === undefined ? null : <span class="note">{word("status", load.status)}. </span>}
      {load.reason === null ? t("load.why.none") : reasonText(load.reason)}
    </>
  );
  return (
    <section class="panel" aria-labelledby="got-heading">
      <h3 id="got-heading">{t("decision.loads")}</h3>
      {loads.length === 0 ? (
        <p class="empty">{t("decision.loads.none")}</p>
      ) : (
        <CardTable
          name="got"
          heading="got-heading"
          caption={t("decision.loads")}
          head={t("energy.load")}
          rows={loads}
          keyOf={(load) => load.id}
          headOf={(load) => loadNames.value.get(load.id) ?? load.id}
          columns={[
            { label: t("decision.told"), cell: told },
            { label: t("decision.setpoint"), cell: setpoint },
            { label: t("decision.drew"), cell: drew },
            { label: t("decision.confirmed"), cell: (load) => (load.kind === "slow_load" ? UNKNOWN : ampere(load.acknowledged_a)) },
            { label: t("decisions.reason"), cell: why, look: "text" },
            { label: t("decision.otherwise"), cell: otherwise, look: "text is-short" },
          ]}
        />
      )}
    </section>
  );
}
