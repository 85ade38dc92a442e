/** What every load got in a decision, and why; and what it would have had if one thing were otherwise. */
import { ampere, amps, UNKNOWN, watt } from "../format";
import { t, word } from "../i18n";
import { reasonText } from "../reason";
import { loadNames } from "../state/live";
import { setting } from "./action";
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
  return (
    <section class="panel" aria-labelledby="got-heading">
      <h3 id="got-heading">{t("decision.loads")}</h3>
      {loads.length === 0 ? (
        <p class="empty">{t("decision.loads.none")}</p>
      ) : (
        <div class="scroll" tabIndex={0} role="group" aria-labelledby="got-heading">
          <table role="table" class="figures is-cards" data-table="got">
            <caption class="visually-hidden">{t("decision.loads")}</caption>
            <thead role="rowgroup">
              <tr role="row">
                <th role="columnheader" scope="col">{t("energy.load")}</th>
                <th role="columnheader" scope="col">{t("decision.told")}</th>
                <th role="columnheader" scope="col">{t("decision.setpoint")}</th>
                <th role="columnheader" scope="col">{t("decision.drew")}</th>
                <th role="columnheader" scope="col">{t("decision.confirmed")}</th>
                <th role="columnheader" scope="col">{t("decisions.reason")}</th>
                <th role="columnheader" scope="col">{t("decision.otherwise")}</th>
              </tr>
            </thead>
            <tbody role="rowgroup">
              {loads.map((load) => {
                const action = actions.find((a) => a.load === load.id);
                return (
                  <tr role="row" key={load.id} data-got={load.id}>
                    <th role="rowheader" scope="row">{loadNames.value.get(load.id) ?? load.id}</th>
                    <td role="cell" data-label={t("decision.told")}>{action === undefined ? t("decision.told.nothing") : <strong>{setting(action)}</strong>}</td>
                    <td role="cell" data-label={t("decision.setpoint")}>{setpoint(load)}</td>
                    <td role="cell" data-label={t("decision.drew")}>{drew(load)}</td>
                    <td role="cell" data-label={t("decision.confirmed")}>{load.kind === "slow_load" ? UNKNOWN : ampere(load.acknowledged_a)}</td>
                    <td role="cell" data-label={t("decisions.reason")} class="text">
                      {load.status === undefined ? null : <span class="note">{word("status", load.status)}. </span>}
                      {load.reason === null ? t("load.why.none") : reasonText(load.reason)}
                    </td>
                    <td role="cell" data-label={t("decision.otherwise")} class="text is-short">{otherwise(load)}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
