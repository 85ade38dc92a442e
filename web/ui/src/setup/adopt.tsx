/** Taking over what has shown itself: a charge point that connected, or a device found in the network. */
import { FormBox } from "../components/form-box";
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { post } from "../api/client";
import type { Driver } from "../api/loads";
import type { LoadMade } from "../api/types";
import { SelectField, TextField } from "../components/field";
import { useForm } from "../components/use-form";
import type { LoadKind } from "../loads/drivers";
import { t } from "../i18n";
import { readUnmatched } from "../state/chargers";
import { readLoads } from "./data";
import { bodyOf, LOAD_FIELDS, LoadFields, useLoadDraft } from "./load-fields";
import { nextPassword, useUp } from "./password";

export interface Chosen {
  /** What it is called until it has a name. */
  title: string;
  driver: Driver;
}

interface Props {
  load: LoadKind;
  chosen: Chosen;
  onDone: (text: string) => void;
  onCancel: () => void;
}

function doneText(load: LoadKind, isOcpp: boolean, made: LoadMade): string {
  const password = made.driver?.password;
  if (password) return t("add.charger.done.password", { name: made.name, id: made.driver?.charge_point_id ?? "", password });
  if (load === "slow_load") return t("add.relay.done", { name: made.name });
  return t(isOcpp ? "setup.adopt.done" : "setup.adopt.done.polled", { name: made.name });
}

function Adopt({ load, chosen, onDone, onCancel }: Props) {
  const { title, driver } = chosen;
  const form = useForm([...LOAD_FIELDS, "driver.password", "driver.charge_point_id"]);
  const draft = useLoadDraft(load, title);
  const isOcpp = driver.kind === "ocpp";
  const auth = useSignal<"basic" | "none">("basic");
  const password = useSignal(isOcpp ? nextPassword.value : "");
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const prefix = load === "charger" ? "adopt" : "take";
  const save = (): void => {
    const body = bodyOf(load, draft.value, form);
    if (body === null) return;
    const secret = password.value.trim() === "" ? {} : { password: password.value.trim() };
    const proof = isOcpp ? { auth: auth.value, ...(auth.value === "none" ? {} : secret) } : secret;
    void form.send(async () => {
      const made = await post<LoadMade>(load === "charger" ? "/chargers" : "/slow-loads", { ...body, driver: { ...driver, ...proof } });
      if (isOcpp) useUp();
      void readUnmatched().catch(() => undefined);
      await readLoads().catch(() => undefined);
      onDone(doneText(load, isOcpp, made));
      return "";
    });
  };
  const cancel = (
    <button type="button" onClick={onCancel}>
      {t("setup.cancel")}
    </button>
  );
  return (
    <FormBox form={form} name={load === "charger" ? "adopt" : "take-relay"} class="adopt" submit={t("setup.adopt.save")} onSubmit={save} beside={cancel}>
      <h4 tabIndex={-1} ref={heading}>
        {t("setup.adopt.title", { name: title })}
      </h4>
      <LoadFields prefix={prefix} load={load} draft={draft} form={form} />
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
          id={`${prefix}-password`}
          type={isOcpp ? "text" : "password"}
          label={t("add.charger.password")}
          hint={t(isOcpp ? "setup.adopt.password.help" : "setup.adopt.password.polled")}
          autocomplete="new-password"
          errors={form.of("driver.password")}
          value={password.value}
          onInput={(v) => { password.value = v; }}
        />
      )}
    </FormBox>
  );
}

/** What can be taken over, the form of the one that was chosen, and the answer. */
export function TakeOver({ load, children }: { load: LoadKind; children: (choose: (chosen: Chosen) => void) => ComponentChildren }) {
  const chosen = useSignal<Chosen | null>(null);
  const done = useSignal("");
  const answer = useRef<HTMLParagraphElement>(null);
  const choose = (next: Chosen): void => {
    done.value = "";
    chosen.value = next;
  };
  const now = chosen.value;
  return (
    <>
      {children(choose)}
      {now === null ? null : (
        <Adopt
          key={JSON.stringify(now.driver)}
          load={load}
          chosen={now}
          onDone={(text) => {
            done.value = text;
            chosen.value = null;
            // The form is gone: who goes by the keyboard stands at its answer.
            answer.current?.focus();
          }}
          onCancel={() => {
            chosen.value = null;
          }}
        />
      )}
      <p class="said is-good" role="status" data-said={load === "charger" ? "chargers" : "loads"} tabIndex={-1} ref={answer}>
        {done.value}
      </p>
    </>
  );
}
