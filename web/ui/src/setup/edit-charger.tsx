/** Name, breaker and phases of a charger that is saved already. */
import { FormBox } from "../components/form-box";
import { patch } from "../api/client";
import type { ChargerConfig } from "../api/loads";
import { useForm } from "../components/use-form";
import { ampere } from "../format";
import { t } from "../i18n";
import { mayConfigure } from "../state/session";
import { bodyOf, LOAD_FIELDS, LoadFields, useLoadDraft } from "./load-fields";

function Form({ settings, onSaved }: { settings: ChargerConfig; onSaved: () => void }) {
  const form = useForm(LOAD_FIELDS);
  const draft = useLoadDraft("charger", settings.name, String(settings.max_current_a), settings.phases);
  const save = (): void => {
    const body = bodyOf("charger", draft.value, form, settings.min_current_a);
    if (body === null) return;
    void form.send(async () => {
      const saved = await patch<ChargerConfig>(`/chargers/${encodeURIComponent(settings.id)}`, body);
      onSaved();
      return t("setup.charger.saved", { name: saved.name });
    });
  };
  return (
    <FormBox form={form} name={`edit-${settings.id}`} submit={t("site.save")} onSubmit={save}>
      <LoadFields prefix={`edit-${settings.id}`} load="charger" draft={draft} form={form} />
    </FormBox>
  );
}

interface Props {
  id: string;
  settings: ChargerConfig | undefined;
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
