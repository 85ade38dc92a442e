/** The loads that are set up, each to be removed after one more question. */
import { useSignal } from "@preact/signals";
import { call } from "../api/client";
import type { LoadStatus } from "../api/types";
import { t } from "../i18n";
import { status } from "../state/live";
import { Said } from "./said";
import { useForm } from "./use-form";

const pathOf = (load: LoadStatus): string => `/${load.kind === "charger" ? "chargers" : "slow-loads"}/${encodeURIComponent(load.id)}`;

export function RemoveLoads() {
  const asked = useSignal<string | null>(null);
  const form = useForm([]);
  const loads = status.value?.loads ?? [];
  if (loads.length === 0 && form.message.value === "") return null;
  const remove = (load: LoadStatus): void => {
    asked.value = null;
    void form.send(async () => {
      await call("DELETE", pathOf(load));
      return t("remove.done", { name: load.name });
    });
  };
  return (
    <details class="add">
      <summary>{t("remove.heading")}</summary>
      <p class="hint">{t("remove.help")}</p>
      <ul class="plain knocking">
        {loads.map((load) => (
          <li key={load.id} data-remove={load.id}>
            <strong>{load.name}</strong>
            <span class="moves">
              {asked.value === load.id ? (
                <button type="button" class="small" onClick={() => { asked.value = null; }}>
                  {t("remove.no", { name: load.name })}
                </button>
              ) : null}
              <button
                type="button"
                class={asked.value === load.id ? "small primary" : "small"}
                disabled={form.busy.value}
                aria-label={t(asked.value === load.id ? "remove.yes" : "remove.ask", { name: load.name })}
                onClick={() => {
                  if (asked.value === load.id) remove(load);
                  else asked.value = load.id;
                }}
              >
                {t(asked.value === load.id ? "remove.yes" : "remove.short", { name: load.name })}
              </button>
            </span>
          </li>
        ))}
      </ul>
      <Said form={form} name="remove" />
    </details>
  );
}
