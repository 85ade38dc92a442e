/** All that was known when the decision was taken: readable first, then every bit of it as JSON. */
import { number, UNKNOWN } from "../format";
import { has, t, word } from "../i18n";
import { loadNames } from "../state/live";
import { save } from "../timeline/save";
import { amount, type Inputs, lapse, type Whole } from "./whole";

function eventText(event: NonNullable<Inputs["event"]>): string {
  const name = loadNames.value.get(event.id ?? "") ?? event.id ?? "";
  const key = `event.${event.type}`;
  const command = typeof event.command === "number" ? event.command : "";
  return has(key) ? t(key, { name, command }) : t("event.other", { type: event.type });
}

function Phases({ inputs }: { inputs: Inputs }) {
  const phases = inputs.phases ?? [];
  if (phases.length === 0) return null;
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={t("decision.phases")}>
      <table class="figures" data-table="phases">
        <caption>{t("decision.phases")}</caption>
        <thead>
          <tr>
            {(["phase", "phase.measured", "phase.house", "phase.highest", "phase.limit", "phase.headroom", "phase.heat", "phase.source"] as const).map((key) => (
              <th key={key} scope="col">
                {t(`decision.${key}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {phases.map((phase, i) => (
            <tr key={phase.phase}>
              <th scope="row">{t(`phase.${phase.phase}`)}</th>
              <td>{amount(phase.measured_a) ?? UNKNOWN}</td>
              <td>{amount(phase.background_a) ?? UNKNOWN}</td>
              <td>{amount(inputs.highest_background_a?.[i]) ?? UNKNOWN}</td>
              <td>{amount(phase.limit_a) ?? UNKNOWN}</td>
              <td>{amount(phase.headroom_a) ?? UNKNOWN}</td>
              <td>{phase.thermal === null ? UNKNOWN : `${number(phase.thermal * 100, 0)} %`}</td>
              <td>{word("phases.source", phase.source)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Known({ decision }: { decision: Whole }) {
  const { inputs } = decision;
  const meter = inputs?.meter;
  const json = JSON.stringify(decision, null, 2);
  return (
    <section class="panel" aria-labelledby="known-heading">
      <h3 id="known-heading">{t("decision.inputs")}</h3>
      {inputs === null || inputs === undefined ? (
        <p class="empty">{t("decisions.inputs.none")}</p>
      ) : (
        <>
          <dl class="amounts">
            {inputs.event === undefined ? null : (
              <div class="amount">
                <dt>{t("decision.event")}</dt>
                <dd>{eventText(inputs.event)}</dd>
              </div>
            )}
            {meter === undefined ? null : (
              <>
                <div class="amount">
                  <dt>{t("decision.meter.state")}</dt>
                  <dd>{word("meter", meter.state)}</dd>
                </div>
                <div class="amount">
                  <dt>{t("decision.meter.age")}</dt>
                  <dd>{meter.last_ms === null ? UNKNOWN : lapse(decision.t_ms - meter.last_ms)}</dd>
                </div>
                <div class="amount">
                  <dt>{t("decision.meter.period")}</dt>
                  <dd>{meter.period_ms === null ? UNKNOWN : lapse(meter.period_ms)}</dd>
                </div>
              </>
            )}
          </dl>
          <Phases inputs={inputs} />
        </>
      )}
      <details class="inputs">
        <summary>{t("decision.json")}</summary>
        <p>
          <button type="button" class="small" onClick={() => save(`decision-${decision.id}.json`, "application/json", [json])}>
            {t("decision.json.save")}
          </button>
        </p>
        <pre tabIndex={0} role="group" aria-label={t("decision.json")} data-json={decision.id}>
          {json}
        </pre>
      </details>
    </section>
  );
}
