/** Who is told of an alarm, and how: each once when it begins and once when it ends. */
import { FormBox } from "../components/form-box";
import { useSignal } from "@preact/signals";
import type { Notifications } from "../api/admin";
import { post, put } from "../api/client";
import { CheckField } from "../components/check-field";
import { SelectField, TextField } from "../components/field";
import { ResourceState } from "../components/resource-state";
import { type Form, useForm } from "../components/use-form";
import { useResource } from "../components/use-resource";
import { type Key, t, word } from "../i18n";
import { NAMES } from "../i18n/languages";
import { mayConfigure } from "../state/session";
import { bodyOf, type ChannelDraft, type ChannelName, CHANNELS, draftOf, type NotificationsDraft } from "./channels";

const FIELDS = ["language", "webhook.url", "webhook.token", "ntfy.url", "ntfy.token", ...["host", "port", "tls", "user", "password", "from", "to"].map((f) => `email.${f}`)];

interface ChannelProps {
  name: ChannelName;
  draft: ChannelDraft;
  form: Form;
  isStored: boolean;
  onChange: (draft: ChannelDraft) => void;
  onTest: () => void;
}

function Field({ name, field, draft, form, onChange }: ChannelProps & { field: string }) {
  const id = `notify-${name}-${field}`;
  const label = t(`notify.${field}` as Key);
  const errors = form.of(`${name}.${field}`);
  const set = (value: string): void => onChange({ ...draft, fields: { ...draft.fields, [field]: value } });
  const value = draft.fields[field] ?? "";
  if (field === "tls") {
    return (
      <SelectField
        id={id}
        label={label}
        errors={errors}
        value={value}
        options={["starttls", "tls", "none"].map((mode) => [mode, word("notify.tls", mode)] as const)}
        onChange={set}
      />
    );
  }
  const isSecret = field === "token" || field === "password";
  const hint = isSecret ? t(draft.isSecretSet ? "notify.secret.set" : "notify.secret.help") : undefined;
  return (
    <TextField
      id={id}
      label={label}
      type={isSecret ? "password" : "text"}
      inputMode={field === "port" ? "decimal" : "text"}
      autocomplete={isSecret ? "new-password" : "off"}
      errors={errors}
      value={value}
      onInput={set}
      {...(hint === undefined ? (field === "url" ? { hint: t(`notify.${name}.help` as Key) } : {}) : { hint })}
    />
  );
}

function ChannelFields(props: ChannelProps) {
  const { name, draft, form, isStored, onChange, onTest } = props;
  return (
    <fieldset class="channel" data-channel={name}>
      <legend class="visually-hidden">{t(`notify.${name}`)}</legend>
      <CheckField id={`notify-${name}`} label={t(`notify.${name}`)} checked={draft.on} disabled={!mayConfigure.value} onChange={(on) => onChange({ ...draft, on })} />
      {draft.on ? (
        <>
          <div class="pair">
            {Object.keys(draft.fields).map((field) => (
              <Field key={field} {...props} field={field} />
            ))}
          </div>
          <div class="row">
            <button type="button" class="small" data-act={`test-${name}`} disabled={!isStored || form.busy.value} onClick={onTest}>
              {t("notify.test")}
            </button>
            {isStored ? null : <span class="note">{t("notify.test.first")}</span>}
          </div>
        </>
      ) : null}
    </fieldset>
  );
}

export function NotificationsPart() {
  const stored = useResource<Notifications>("/notifications");
  const draft = useSignal<NotificationsDraft | null>(null);
  const form = useForm(FIELDS);
  const present = stored.value.value;
  if (stored.missing) return <p class="empty panel">{t("settings.missing")}</p>;
  if (present === null) return <ResourceState resource={stored} />;
  const shown = draft.value ?? draftOf(present);
  const save = (): void =>
    void form.send(async () => {
      await put("/notifications", bodyOf(shown));
      await stored.read();
      draft.value = null;
      return t("notify.saved");
    });
  const test = (channel: ChannelName): void =>
    void form.send(async () => {
      await post("/notifications/test", { channel });
      return t("notify.tested", { channel: t(`notify.${channel}`) });
    });
  return (
    <section class="panel narrow" aria-labelledby="notify-heading">
      <h2 id="notify-heading">{t("settings.notifications")}</h2>
      <p class="hint">{t("notify.help")}</p>
      <FormBox form={form} name="notifications" submit={t("site.save")} locked={!mayConfigure.value} onSubmit={save}>
        {CHANNELS.map((name) => (
          <ChannelFields
            key={name}
            name={name}
            draft={shown[name]}
            form={form}
            isStored={present[name] !== null && draft.value === null}
            onChange={(channel) => { draft.value = { ...shown, [name]: channel }; }}
            onTest={() => test(name)}
          />
        ))}
        <SelectField
          id="notify-language"
          label={t("notify.language")}
          disabled={!mayConfigure.value}
          errors={form.of("language")}
          value={shown.language}
          options={Object.entries(NAMES)}
          onChange={(language) => { draft.value = { ...shown, language }; }}
        />
      </FormBox>
    </section>
  );
}
