/** Who is served first, what there is to serve, and what could be added. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Priorities } from "../components/priorities";
import { t } from "../i18n";
import { mayConfigure } from "../state/session";
import type { LoadKind } from "./drivers";
import { type Adoption, Found } from "./found";
import { LoadForm } from "./load-form";
import { LoadList } from "./load-list";
import "./loads.css";

type Adding = { load: LoadKind; adoption: Adoption | null };

function Add({ adding, onChange }: { adding: Adding | null; onChange: (adding: Adding | null) => void }) {
  const root = useRef<HTMLElement>(null);
  // Whoever chose a device is led to its form.
  useEffect(() => {
    if (adding !== null) root.current?.querySelector<HTMLInputElement>("form input")?.focus();
  }, [adding]);
  const button = (load: LoadKind, key: "add.charger.save" | "add.relay.save") => (
    <button type="button" data-act={`add-${load}`} aria-expanded={adding?.load === load} onClick={() => onChange(adding?.load === load ? null : { load, adoption: null })}>
      {t(key)}
    </button>
  );
  return (
    <section class="panel" aria-labelledby="add-heading" ref={root}>
      <h2 id="add-heading">{t("add.heading")}</h2>
      <div class="row">
        {button("charger", "add.charger.save")}
        {button("slow_load", "add.relay.save")}
      </div>
      {adding === null ? null : (
        <LoadForm
          key={`${adding.load} ${JSON.stringify(adding.adoption?.driver ?? null)}`}
          load={adding.load}
          stored={null}
          driver={adding.adoption?.driver ?? null}
          name={adding.adoption?.name ?? ""}
        />
      )}
    </section>
  );
}

export function LoadsPage() {
  const adding = useSignal<Adding | null>(null);
  const change = (next: Adding | null): void => {
    adding.value = next;
  };
  return (
    <div class="serving">
      <Priorities level={2} />
      <LoadList />
      {mayConfigure.value ? (
        <div class="column">
          <Found onAdopt={(adoption) => change({ load: adoption.load, adoption })} />
          <Add adding={adding.value} onChange={change} />
        </div>
      ) : null}
    </div>
  );
}
