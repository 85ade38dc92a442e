/** New chargers and relay loads. Charge points that knocked already are offered by name. */
import { useSignal } from "@preact/signals";
import type { ChargerSettings, FieldError, Grid, Unmatched } from "../api/types";
import { post } from "../api/client";
import { parse } from "../format";
import { t } from "../i18n";
import { addCharger, unmatched } from "../state/chargers";
import { ocppNote, ocppUrl } from "../state/ocpp";
import { site } from "../state/site";
import { SelectField, TextField } from "./field";
import { Said, Submit } from "./said";
import { type Form, useForm } from "./use-form";

/** Wirings that are offered, as the service writes them; `null`: three terminals, order not known. */
export const WIRINGS: Readonly<Record<Grid, readonly (readonly string[] | null)[]>> = {
  tn_3ph: [
    ["l1", "l2", "l3"], null, ["l1"], ["l2"], ["l3"],
    ["l2", "l3", "l1"], ["l3", "l1", "l2"], ["l1", "l3", "l2"], ["l2", "l1", "l3"], ["l3", "l2", "l1"],
  ],
  it_3ph: [["l1", "l2"], ["l2", "l3"], ["l1", "l3"], ["l1", "l2", "l3"], null],
  tn_1ph: [["l1"]],
};

export const keyOf = (wiring: readonly string[] | null): string => (wiring === null ? "" : wiring.join("-"));

function wiringText(wiring: readonly string[] | null): string {
  if (wiring === null) return t("add.phases.unknown");
  return wiring.map((p) => p.toUpperCase()).join(", ");
}

interface PhasesProps {
  id: string;
  value: string;
  form: Form;
  onChange: (value: string) => void;
}

export function PhasesField({ id, value, form, onChange }: PhasesProps) {
  const usual = WIRINGS[site.value?.grid ?? "tn_3ph"];
  // What is stored is offered too, however seldom it is.
  const offered = usual.some((w) => keyOf(w) === value) ? usual : [value.split("-"), ...usual];
  return (
    <SelectField
      id={id}
      label={t("add.phases")}
      errors={form.of("phases")}
      value={value}
      options={offered.map((w) => [keyOf(w), wiringText(w)] as const)}
      onChange={onChange}
    />
  );
}

export const phasesOf = (key: string): string[] | null => (key === "" ? null : key.split("-"));

/** Reads numbers of a form and gathers what is none. */
export function numbers(texts: Readonly<Record<string, string>>): { values: Record<string, number>; wrong: FieldError[] } {
  const values: Record<string, number> = {};
  const wrong: FieldError[] = [];
  for (const [field, text] of Object.entries(texts)) {
    const value = parse(text);
    if (value === null) wrong.push({ field, code: "number", message: t("add.number") });
    else values[field] = value;
  }
  return { values, wrong };
}

function Knocking({ onAdopt }: { onAdopt: (point: Unmatched) => void }) {
  if (unmatched.value.length === 0) return <p class="note">{t("add.charger.none")}</p>;
  return (
    <ul class="plain knocking" aria-label={t("add.charger.knocking")}>
      {unmatched.value.map((point) => (
        <li key={point.charge_point_id} data-unmatched={point.charge_point_id}>
          <span>
            <strong>{point.charge_point_id}</strong>{" "}
            <span class="note">{[point.vendor, point.model, point.remote].filter((x) => x !== null && x !== "").join(" · ")}</span>
          </span>
          <button type="button" class="small" onClick={() => onAdopt(point)}>
            {t("add.charger.adopt")}
          </button>
        </li>
      ))}
    </ul>
  );
}

const NO_CHARGER = { point: "", name: "", most: "16", safe: "0", password: "", auth: "basic" as "basic" | "none" };

function addedText(made: ChargerSettings): string {
  const password = made.driver.password;
  const name = made.name;
  const id = made.driver.charge_point_id ?? "";
  return password === undefined ? t("add.charger.done", { name }) : t("add.charger.done.password", { name, id, password });
}

export function AddCharger() {
  const form = useForm(["driver.charge_point_id", "driver.password", "name", "max_current_a", "safe_current_a", "phases"]);
  const draft = useSignal(NO_CHARGER);
  const phases = useSignal<string | null>(null);
  const wiring = phases.value ?? keyOf(WIRINGS[site.value?.grid ?? "tn_3ph"][0] ?? null);
  const edit = (part: Partial<typeof NO_CHARGER>): void => {
    draft.value = { ...draft.value, ...part };
  };
  const save = (): void => {
    const { point, name, most, safe, password, auth } = draft.value;
    const { values, wrong } = numbers({ max_current_a: most, safe_current_a: safe });
    if (point.trim() === "") wrong.push({ field: "driver.charge_point_id", code: "required", message: t("add.charger.id.bad") });
    if (wrong.length > 0) {
      form.mark(wrong);
      return;
    }
    const secret = auth === "basic" && password !== "" ? { password } : {};
    void form.send(async () => {
      const made = await addCharger({
        name: name.trim() === "" ? point.trim() : name.trim(),
        driver: { kind: "ocpp", charge_point_id: point.trim(), connector: 1, auth, ...secret },
        phases: phasesOf(wiring),
        ...values,
      });
      draft.value = NO_CHARGER;
      return addedText(made);
    });
  };
  return (
    <form
      data-form="charger"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <p class="hint">
        {t("add.charger.help", { url: ocppUrl.value })} {ocppNote.value}
      </p>
      <Knocking onAdopt={(point) => edit({ point: point.charge_point_id, name: point.model ?? "" })} />
      <div class="pair">
        <TextField id="charger-point" label={t("add.charger.id")} hint={t("add.charger.id.help")} errors={form.of("driver.charge_point_id")} value={draft.value.point} onInput={(point) => edit({ point })} />
        <TextField id="charger-name" label={t("add.name")} errors={form.of("name")} value={draft.value.name} onInput={(name) => edit({ name })} />
      </div>
      <div class="pair">
        <TextField id="charger-most" label={t("add.charger.most")} hint={t("add.charger.most.help")} unit="A" inputMode="decimal" errors={form.of("max_current_a")} value={draft.value.most} onInput={(most) => edit({ most })} />
        <TextField id="charger-safe" label={t("add.charger.safe")} hint={t("add.charger.safe.help")} unit="A" inputMode="decimal" errors={form.of("safe_current_a")} value={draft.value.safe} onInput={(safe) => edit({ safe })} />
      </div>
      <PhasesField id="charger-phases" value={wiring} form={form} onChange={(v) => { phases.value = v; }} />
      <SelectField
        id="charger-auth"
        label={t("add.charger.auth")}
        value={draft.value.auth}
        options={[["basic", t("add.charger.auth.basic")], ["none", t("add.charger.auth.none")]]}
        onChange={(auth) => edit({ auth })}
      />
      {draft.value.auth === "none" ? null : (
        <TextField id="charger-password" type="password" label={t("add.charger.password")} hint={t("add.charger.password.help")} autocomplete="new-password" errors={form.of("driver.password")} value={draft.value.password} onInput={(password) => edit({ password })} />
      )}
      <Said form={form} name="charger" />
      <div class="row">
        <Submit form={form} text={t("add.charger.save")} />
      </div>
    </form>
  );
}

const NO_RELAY = { name: "", host: "", channel: "0", rated: "2000", password: "" };

export function AddRelay() {
  const form = useForm(["driver.host", "driver.channel", "driver.password", "name", "rated_w", "phases"]);
  const draft = useSignal(NO_RELAY);
  const phases = useSignal<string | null>(null);
  const grid = site.value?.grid ?? "tn_3ph";
  const wiring = phases.value ?? (grid === "tn_3ph" ? "l1" : keyOf(WIRINGS[grid][0] ?? null));
  const edit = (part: Partial<typeof NO_RELAY>): void => {
    draft.value = { ...draft.value, ...part };
  };
  const save = (): void => {
    const { name, host, channel, rated, password } = draft.value;
    const { values, wrong } = numbers({ rated_w: rated, "driver.channel": channel });
    if (host.trim() === "") wrong.push({ field: "driver.host", code: "required", message: t("add.relay.host.bad") });
    if (wrong.length > 0) {
      form.mark(wrong);
      return;
    }
    void form.send(async () => {
      const made = await post<{ name: string }>("/slow-loads", {
        name: name.trim() === "" ? host.trim() : name.trim(),
        driver: { kind: "shelly_gen2", host: host.trim(), channel: values["driver.channel"], ...(password === "" ? {} : { password }) },
        rated_w: values["rated_w"],
        phases: phasesOf(wiring),
      });
      draft.value = NO_RELAY;
      return t("add.relay.done", { name: made.name });
    });
  };
  return (
    <form
      data-form="relay"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <p class="hint">{t("add.relay.help")}</p>
      <div class="pair">
        <TextField id="relay-host" label={t("add.relay.host")} hint={t("add.relay.host.help")} errors={form.of("driver.host")} value={draft.value.host} onInput={(host) => edit({ host })} />
        <TextField id="relay-name" label={t("add.name")} errors={form.of("name")} value={draft.value.name} onInput={(name) => edit({ name })} />
      </div>
      <div class="pair">
        <TextField id="relay-rated" label={t("add.relay.rated")} unit="W" inputMode="decimal" errors={form.of("rated_w")} value={draft.value.rated} onInput={(rated) => edit({ rated })} />
        <TextField id="relay-channel" label={t("add.relay.channel")} hint={t("add.relay.channel.help")} inputMode="decimal" errors={form.of("driver.channel")} value={draft.value.channel} onInput={(channel) => edit({ channel })} />
      </div>
      <PhasesField id="relay-phases" value={wiring} form={form} onChange={(v) => { phases.value = v; }} />
      <TextField id="relay-password" type="password" label={t("add.relay.password")} hint={t("add.relay.password.help")} autocomplete="new-password" errors={form.of("driver.password")} value={draft.value.password} onInput={(password) => edit({ password })} />
      <Said form={form} name="relay" />
      <div class="row">
        <Submit form={form} text={t("add.relay.save")} />
      </div>
    </form>
  );
}
