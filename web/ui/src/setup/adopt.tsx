/** Taking over a charger that has shown itself: a charge point that connected, or a device found in the network. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { numbers, phasesOf } from "../components/add-load";
import { SelectField, TextField } from "../components/field";
import { Said, Submit } from "../components/said";
import { useForm } from "../components/use-form";
import { t } from "../i18n";
import { addCharger } from "../state/chargers";
import { readLoads } from "./data";
import { ChargerFields, useChargerDraft } from "./load-fields";
import { nextPassword, useUp } from "./password";
import type { Driver } from "./types";

interface Props {
  /** What it is called until it has a name. */
  title: string;
  driver: Driver;
  onDone: (text: string) => void;
  onCancel: () => void;
}

export function Adopt({ title, driver, onDone, onCancel }: Props) {
  const form = useForm(["name", "max_current_a", "phases", "driver.password", "driver.charge_point_id"]);
  const draft = useChargerDraft(title);
  const isOcpp = driver.kind === "ocpp";
  const auth = useSignal<"basic" | "none">("basic");
  const password = useSignal(isOcpp ? nextPassword.value : "");
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const save = (): void => {
    const { values, wrong } = numbers({ max_current_a: draft.value.most });
    if (draft.value.name.trim() === "") wrong.push({ field: "name", code: "required", message: t("setup.name.bad") });
    if (wrong.length > 0) {
      form.mark(wrong);
      return;
    }
    const secret = password.value.trim() === "" ? {} : { password: password.value.trim() };
    const proof = isOcpp ? { auth: auth.value, ...(auth.value === "none" ? {} : secret) } : secret;
    void form.send(async () => {
      const made = await addCharger({
        name: draft.value.name.trim(),
        driver: { ...driver, ...proof },
        phases: phasesOf(draft.value.wiring),
        ...values,
      });
      if (isOcpp) useUp();
      await readLoads().catch(() => undefined);
      const told = made.driver.password;
      const text =
        told !== undefined
          ? t("add.charger.done.password", { name: made.name, id: made.driver.charge_point_id ?? "", password: told })
          : t(isOcpp ? "setup.adopt.done" : "setup.adopt.done.polled", { name: made.name });
      onDone(text);
      return text;
    });
  };
  return (
    <form
      class="adopt"
      data-form="adopt"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <h4 tabIndex={-1} ref={heading}>
        {t("setup.adopt.title", { name: title })}
      </h4>
      <ChargerFields prefix="adopt" draft={draft} form={form} />
      {isOcpp ? (
        <SelectField
          id="adopt-auth"
          label={t("add.charger.auth")}
          value={auth.value}
          options={[["basic", t("add.charger.auth.basic")], ["none", t("add.charger.auth.none")]]}
          onChange={(v) => { auth.value = v; }}
        />
      ) : null}
      {isOcpp && auth.value === "none" ? null : (
        <TextField
          id="adopt-password"
          type={isOcpp ? "text" : "password"}
          label={t("add.charger.password")}
          hint={t(isOcpp ? "setup.adopt.password.help" : "setup.adopt.password.polled")}
          errors={form.of("driver.password")}
          value={password.value}
          onInput={(v) => { password.value = v; }}
        />
      )}
      <Said form={form} name="adopt" />
      <div class="row">
        <Submit form={form} text={t("setup.adopt.save")} />
        <button type="button" onClick={onCancel}>
          {t("setup.cancel")}
        </button>
      </div>
    </form>
  );
}
