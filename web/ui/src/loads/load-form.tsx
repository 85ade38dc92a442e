/** One form to add or to change a charger or a slow load, with every field that it has. */
import { FormBox } from "../components/form-box";
import { useSignal } from "@preact/signals";
import type { Driver } from "../api/loads";
import { call } from "../api/client";
import type { LoadMade } from "../api/types";
import { PhasesField } from "../components/phases-field";
import { CheckField } from "../components/check-field";
import { SelectField, TextField } from "../components/field";
import { type Form, useForm } from "../components/use-form";
import { type Key, t, word } from "../i18n";
import { readLoads, readUnmatched } from "../state/chargers";
import { site } from "../state/site";
import { bodyOf, type Config, type Draft, draftOfConfig, newDraft, NUMBERS } from "./draft";
import { DriverFields } from "./driver-fields";
import { emptyDriver, FORGET, type LoadKind } from "./drivers";

const PATHS: Readonly<Record<LoadKind, string>> = { charger: "/chargers", slow_load: "/slow-loads" };
const UNITS: Readonly<Record<string, string>> = { a: "A", s: "s", w: "W" };
/** Seldom changed: below, behind one more click. */
const RARE: ReadonlySet<string> = new Set(["min_current_a", "lease_s", "min_on_s", "min_off_s", "max_off_s", "priority"]);

const DRIVER_NAMES = ["kind", "charge_point_id", "connector", "auth", "password", "host", "channel", "profile", "params", "address", "unit", "broker", "topic"];
const FIELDS = [
  "id", "name", "phases", "circuit", "phase_switching", "lease", "accept_risk",
  ...Object.keys(NUMBERS.charger), ...Object.keys(NUMBERS.slow_load),
  ...DRIVER_NAMES.map((name) => `driver.${name}`),
];

interface PartProps {
  id: string;
  load: LoadKind;
  draft: Draft;
  form: Form;
  edit: (part: Partial<Draft>) => void;
}

function Numbers({ id, draft, form, edit, names }: PartProps & { names: readonly string[] }) {
  return (
    <div class="pair">
      {names.map((name) => (
        <TextField
          key={name}
          id={`${id}-${name.replaceAll("_", "-")}`}
          label={t(`field.${name}` as Key)}
          hint={t(`field.${name}.help` as Key)}
          unit={UNITS[name.split("_").at(-1) ?? ""] ?? ""}
          inputMode="decimal"
          errors={form.of(name)}
          value={draft.numbers[name] ?? ""}
          onInput={(value) => {
            form.forgive(name);
            edit({ numbers: { ...draft.numbers, [name]: value } });
          }}
        />
      ))}
    </div>
  );
}

function Rare(props: PartProps & { isNew: boolean }) {
  const { id, load, draft, form, edit, isNew } = props;
  const circuits = site.value?.circuits ?? [];
  const names = Object.keys(NUMBERS[load]).filter((name) => RARE.has(name));
  const isWrong = [...names, "id", "circuit", "lease", "phase_switching", "accept_risk"].some((name) => form.of(name).length > 0);
  const leases = draft.lease === "proven" ? ["proven", "claimed", "none"] : ["claimed", "none"];
  return (
    <details class="help rare" open={isWrong}>
      <summary>{t("loads.more")}</summary>
      <Numbers {...props} names={names} />
      {circuits.length === 0 ? null : (
        <SelectField
          id={`${id}-circuit`}
          label={t("field.circuit")}
          hint={t("field.circuit.help")}
          errors={form.of("circuit")}
          value={draft.circuit}
          options={[["", t("field.circuit.main")], ...circuits.map((c) => [c.id, c.id] as const)]}
          onChange={(circuit) => edit({ circuit })}
        />
      )}
      {load === "slow_load" ? null : (
        <>
          <SelectField
            id={`${id}-lease`}
            label={t("field.lease")}
            hint={t("field.lease.help")}
            errors={form.of("lease")}
            value={draft.lease}
            options={leases.map((lease) => [lease, word("lease", lease)] as const)}
            onChange={(lease) => edit({ lease })}
          />
          <CheckField
            id={`${id}-switching`}
            label={t("field.phase_switching")}
            hint={t("field.phase_switching.help")}
            checked={draft.phaseSwitching}
            onChange={(phaseSwitching) => edit({ phaseSwitching })}
          />
          <CheckField
            id={`${id}-risk`}
            label={t("field.accept_risk")}
            hint={t("field.accept_risk.help")}
            checked={draft.acceptRisk}
            onChange={(acceptRisk) => edit({ acceptRisk })}
          />
        </>
      )}
      {isNew ? (
        <TextField id={`${id}-id`} label={t("field.id")} hint={t("field.id.help")} errors={form.of("id")} value={draft.id} onInput={(value) => edit({ id: value })} />
      ) : null}
    </details>
  );
}

interface Props {
  load: LoadKind;
  /** What is changed; `null` adds a new one. */
  stored: Config | null;
  /** Found in the network, or connected already. */
  driver?: Driver | null;
  name?: string;
}

export function LoadForm({ load, stored, driver = null, name = "" }: Props) {
  const form = useForm(FIELDS);
  const draft = useSignal<Draft>(
    stored === null ? newDraft(load, driver, name) : draftOfConfig(load, stored),
  );
  const id = stored === null ? (load === "charger" ? "charger" : "relay") : `edit-${stored.id}`;
  const edit = (part: Partial<Draft>): void => {
    draft.value = { ...draft.value, ...part };
  };
  const save = (): void => {
    const body = bodyOf(load, draft.value, stored);
    if (Array.isArray(body)) {
      form.mark(body);
      return;
    }
    void form.send(async () => {
      const path = stored === null ? PATHS[load] : `${PATHS[load]}/${encodeURIComponent(stored.id)}`;
      const saved = await call<LoadMade>(stored === null ? "POST" : "PATCH", path, body);
      await readLoads();
      void readUnmatched().catch(() => undefined);
      const password = saved.driver?.password;
      if (stored === null) draft.value = newDraft(load, null, "");
      else edit({ driver: { ...draft.value.driver, password: "", [FORGET]: "" } });
      const made = { name: saved.name, id: saved.driver?.charge_point_id ?? "", password: password ?? "" };
      if (stored !== null) return [t("loads.saved", made), ...(password ? [t("driver.password.made", made)] : [])].join(" ");
      if (password) return t("add.charger.done.password", made);
      return t(load === "charger" ? "add.charger.done" : "add.relay.done", { name: saved.name });
    });
  };
  const shown = draft.value;
  const part: PartProps = { id, load, draft: shown, form, edit };
  const isPasswordSet = stored?.driver !== null && stored?.driver !== undefined && "password_set" in stored.driver && stored.driver.password_set === true;
  return (
    <FormBox form={form} name={id} submit={t(stored !== null ? "site.save" : load === "charger" ? "add.charger.save" : "add.relay.save")} onSubmit={save}>
      <TextField id={`${id}-name`} label={t("add.name")} errors={form.of("name")} value={shown.name} onInput={(value) => edit({ name: value })} />
      <DriverFields
        id={id}
        load={load}
        kind={shown.kind}
        draft={shown.driver}
        form={form}
        isPasswordSet={isPasswordSet && stored?.driver?.kind === shown.kind}
        onKind={(kind) => edit({ kind, driver: emptyDriver(kind), ...(stored === null ? { lease: kind === "ocpp" ? "claimed" : "none" } : {}) })}
        onField={(field, value) => edit({ driver: { ...shown.driver, [field]: value } })}
      />
      <Numbers {...part} names={Object.keys(NUMBERS[load]).filter((field) => !RARE.has(field))} />
      <PhasesField id={`${id}-phases`} value={shown.phases} form={form} onChange={(phases) => edit({ phases })} />
      <Rare {...part} isNew={stored === null} />
    </FormBox>
  );
}
