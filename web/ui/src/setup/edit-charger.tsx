/** Name, breaker and phases of a charger that is saved already. */
import { call } from "../api/client";
import { numbers, phasesOf } from "../components/add-load";
import { Said, Submit } from "../components/said";
import { useForm } from "../components/use-form";
import { ampere } from "../format";
import { t } from "../i18n";
import { mayConfigure } from "../state/session";
import { ChargerFields, useChargerDraft } from "./load-fields";
import type { Charger } from "./types";

function Form({ settings, onSaved }: { settings: Charger; onSaved: () => void }) {
  const form = useForm(["name", "max_current_a", "phases"]);
  const draft = useChargerDraft(settings.name, String(settings.max_current_a), settings.phases);
  const save = (): void => {
    const { values, wrong } = numbers({ max_current_a: draft.value.most });
    if (wrong.length > 0) {
      form.mark(wrong);
      return;
    }
    void form.send(async () => {
      const body = { name: draft.value.name.trim(), phases: phasesOf(draft.value.wiring), ...values };
      const saved = await call<Charger>("PATCH", `/chargers/${encodeURIComponent(settings.id)}`, body);
      onSaved();
      return t("setup.charger.saved", { name: saved.name });
    });
  };
  return (
    <form
      data-form={`edit-${settings.id}`}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <ChargerFields prefix={`edit-${settings.id}`} draft={draft} form={form} />
      <Said form={form} name={`edit-${settings.id}`} />
      <div class="row">
        <Submit form={form} text={t("site.save")} />
      </div>
    </form>
  );
}

interface Props {
  id: string;
  settings: Charger | undefined;
  onSaved: () => void;
}

export function EditCharger({ id, settings, onSaved }: Props) {
  if (settings === undefined) return null;
  const lines = settings.phases === null ? t("add.phases.unknown") : settings.phases.map((p) => p.toUpperCase()).join(", ");
  const facts = t("setup.charger.facts", { most: ampere(settings.max_current_a), lines });
  if (!mayConfigure.value) return <p class="note find-why">{facts}</p>;
  return (
    <details class="help find-why">
      <summary>
        {facts} · {t("setup.charger.change")}
      </summary>
      <Form key={`${id} ${JSON.stringify(settings.phases)} ${settings.max_current_a}`} settings={settings} onSaved={onSaved} />
    </details>
  );
}
