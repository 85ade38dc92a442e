/** What charge points and Headroom said to each other, the newest first. */
import { useSignal } from "@preact/signals";
import type { OcppMessage } from "../api/admin";
import { SelectField } from "../components/field";
import { Icon } from "../components/icons";
import { clock } from "../format";
import { plural, t } from "../i18n";
import { loadNames } from "../state/live";

/** More than this on one screen helps nobody; the bundle has all of them. */
const SHOWN = 100;

export function OcppTrace({ trace }: { trace: readonly OcppMessage[] }) {
  const point = useSignal("");
  const points = [...new Set(trace.map((one) => one.charge_point))].sort();
  const chosen = trace.filter((one) => point.value === "" || one.charge_point === point.value);
  const shown = chosen.slice(-SHOWN).reverse();
  return (
    <section class="panel" aria-labelledby="ocpp-heading">
      <h2 id="ocpp-heading">{t("ocpp.heading")}</h2>
      {trace.length === 0 ? (
        <p class="empty">{t("ocpp.none")}</p>
      ) : (
        <details class="help" data-trace="ocpp">
          <summary>{plural(trace.length, "ocpp.show.one", "ocpp.show")}</summary>
          <SelectField
            id="ocpp-point"
            label={t("driver.charge_point_id")}
            value={point.value}
            options={[["", t("ocpp.all")], ...points.map((id) => [id, id] as const)]}
            onChange={(id) => { point.value = id; }}
          />
          <ol class="plain trace">
            {shown.map((one, i) => (
              <li key={`${one.time} ${i}`}>
                <p class="note">
                  <Icon name={one.direction === "in" ? "down" : "up"} /> {clock(one.time)} · {loadNames.value.get(one.charger ?? "") ?? one.charge_point} ·{" "}
                  {t(one.direction === "in" ? "ocpp.in" : "ocpp.out")}
                </p>
                <pre tabIndex={0}>{one.message}</pre>
              </li>
            ))}
          </ol>
        </details>
      )}
    </section>
  );
}
