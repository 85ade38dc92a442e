/** Every charger and load that is set up: how it is reached, how far it is proven, to change and to remove. */
import { useSignal } from "@preact/signals";
import { call } from "../api/client";
import type { LoadStatus } from "../api/types";
import { Badge } from "../components/badge";
import { Said } from "../components/said";
import { useForm } from "../components/use-form";
import { t } from "../i18n";
import { chargerConfigs, slowLoadConfigs } from "../state/chargers";
import { status } from "../state/live";
import { mayConfigure } from "../state/session";
import type { Config } from "./draft";
import { whereOf } from "./drivers";
import { LastTest, ReportsState, useReports } from "./grade";
import { LoadForm } from "./load-form";

const pathOf = (load: LoadStatus): string => `/${load.kind === "charger" ? "chargers" : "slow-loads"}/${encodeURIComponent(load.id)}`;

const phasesText = (config: Config): string => config.phases?.map((p) => p.toUpperCase()).join(", ") ?? t("add.phases.unknown");

function Connection({ load }: { load: LoadStatus }) {
  if (load.connected === true) return <Badge tone="ok" icon="plug">{t("load.online")}</Badge>;
  if (load.connected === false) return <Badge tone="bad" icon="unplug">{t("load.offline")}</Badge>;
  return <Badge tone="quiet" icon="dots">{t("load.unheard")}</Badge>;
}

function Entry({ load, config, onRemove }: { load: LoadStatus; config: Config | undefined; onRemove: () => void }) {
  const isOpen = useSignal(false);
  const isAsked = useSignal(false);
  return (
    <article class="panel device" data-device={load.id} aria-labelledby={`device-${load.id}`}>
      <header class="panel-head">
        <h3 id={`device-${load.id}`}>{load.name}</h3>
        <Connection load={load} />
      </header>
      {config === undefined ? null : (
        <p class="note">
          {whereOf(config.driver)} · {phasesText(config)}
        </p>
      )}
      {load.kind === "charger" ? <LastTest id={load.id} /> : null}
      {!mayConfigure.value || config === undefined ? null : (
        <>
          <details
            class="add"
            onToggle={(event) => {
              isOpen.value = event.currentTarget.open;
            }}
          >
            <summary>{t("loads.edit", { name: load.name })}</summary>
            {isOpen.value ? <LoadForm load={load.kind} stored={config} /> : null}
          </details>
          <div class="row" data-remove={load.id}>
            {isAsked.value ? (
              <>
                <p class="hint">{t("remove.help")}</p>
                <button type="button" class="small" onClick={() => { isAsked.value = false; }}>
                  {t("remove.no", { name: load.name })}
                </button>
                <button type="button" class="small primary" data-act="remove" onClick={onRemove}>
                  {t("remove.yes", { name: load.name })}
                </button>
              </>
            ) : (
              <button type="button" class="small" data-act="ask-remove" aria-label={t("remove.ask", { name: load.name })} onClick={() => { isAsked.value = true; }}>
                {t("remove.short")}
              </button>
            )}
          </div>
        </>
      )}
    </article>
  );
}

export function LoadList() {
  useReports();
  const form = useForm([]);
  const loads = [...(status.value?.loads ?? [])].sort((a, b) => b.priority - a.priority);
  const remove = (load: LoadStatus): void =>
    void form.send(async () => {
      await call("DELETE", pathOf(load));
      return t("remove.done", { name: load.name });
    });
  return (
    <section aria-labelledby="devices-heading">
      <h2 id="devices-heading">{t("loads.devices")}</h2>
      <Said form={form} name="remove" />
      <ReportsState />
      {loads.length === 0 ? <p class="empty panel">{t("loads.none")}</p> : null}
      <div class="devices">
        {loads.map((load) => (
          <Entry
            key={load.id}
            load={load}
            config={chargerConfigs.value.get(load.id) ?? slowLoadConfigs.value.get(load.id)}
            onRemove={() => remove(load)}
          />
        ))}
      </div>
    </section>
  );
}
