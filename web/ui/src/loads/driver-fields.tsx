/** How a device is reached: the kind of driver, and what that kind asks for. */
import type { DriverKind } from "../api/loads";
import { CheckField } from "../components/check-field";
import { SelectField, TextField } from "../components/field";
import type { Form } from "../components/use-form";
import { has, type Key, t } from "../i18n";
import { DRIVER_FIELDS, DRIVER_KINDS, type DriverDraft, type DriverField, FORGET, type LoadKind, PROFILES } from "./drivers";

interface Props {
  id: string;
  load: LoadKind;
  kind: DriverKind;
  draft: DriverDraft;
  form: Form;
  /** A password is stored, so an empty field keeps it. */
  isPasswordSet: boolean;
  onKind: (kind: DriverKind) => void;
  onField: (name: string, value: string) => void;
}

/** A hint for the kind of driver if there is one, else for the field alone. */
function hintOf(kind: DriverKind, name: string): { hint?: string } {
  const key = [`driver.${kind}.${name}.help`, `driver.${name}.help`].find(has);
  return key === undefined || !has(key) ? {} : { hint: t(key) };
}

function Field({ field, ...props }: Props & { field: DriverField }) {
  const { id, load, kind, draft, form, isPasswordSet, onField } = props;
  const { name, type } = field;
  const own = `${id}-${name.replaceAll("_", "-")}`;
  const label = t(`driver.${name}` as Key);
  const errors = form.of(`driver.${name}`);
  const value = draft[name] ?? "";
  const onInput = (text: string): void => onField(name, text);
  if (type === "auth") {
    return (
      <SelectField
        id={own}
        label={label}
        errors={errors}
        value={value}
        options={[["basic", t("add.charger.auth.basic")], ["none", t("add.charger.auth.none")]]}
        onChange={onInput}
      />
    );
  }
  if (type === "password") {
    if (draft["auth"] === "none") return null;
    const hint = isPasswordSet ? t("driver.password.set") : undefined;
    return (
      <div>
        <TextField
          id={own}
          type="password"
          label={label}
          autocomplete="new-password"
          errors={errors}
          value={value}
          onInput={onInput}
          {...(hint === undefined ? hintOf(kind, name) : { hint })}
        />
        {isPasswordSet && value === "" ? (
          <CheckField
            id={`${own}-forget`}
            label={t(kind === "ocpp" ? "driver.password.anew" : "driver.password.forget")}
            checked={draft[FORGET] === "yes"}
            onChange={(isForgotten) => onField(FORGET, isForgotten ? "yes" : "")}
          />
        ) : null}
      </div>
    );
  }
  return (
    <TextField
      id={own}
      label={label}
      errors={errors}
      value={value}
      inputMode={type === "number" ? "decimal" : "text"}
      suggestions={type === "profile" ? (PROFILES[load][kind] ?? []) : []}
      onInput={onInput}
      {...hintOf(kind, name)}
    />
  );
}

export function DriverFields(props: Props) {
  const { id, load, kind, form, onKind } = props;
  return (
    <>
      <SelectField
        id={`${id}-kind`}
        label={t("driver.kind")}
        hint={t(`driver.${kind}.about` as Key)}
        errors={form.of("driver.kind")}
        value={kind}
        options={DRIVER_KINDS[load].map((k) => [k, t(`driver.${k}` as Key)] as const)}
        onChange={onKind}
      />
      <div class="pair">
        {DRIVER_FIELDS[kind].map((field) => (
          <Field key={`${kind}-${field.name}`} {...props} field={field} />
        ))}
      </div>
    </>
  );
}
