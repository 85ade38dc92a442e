/** First run (one-time code and a new password) and log-in. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { ApiError } from "../api/client";
import type { FieldError } from "../api/types";
import { explain, messagesBeside, messagesFor } from "../errors";
import { t } from "../i18n";
import { go } from "../route";
import { Language } from "../setup/language";
import { access, logIn, setUp } from "../state/session";
import { TextField } from "./field";

interface FormProps {
  heading: string;
  intro?: string;
  submit: string;
  busy: boolean;
  message: string;
  onSubmit: () => void;
  children: ComponentChildren;
}

function AccessForm({ heading, intro, submit, busy, message, onSubmit, children }: FormProps) {
  return (
    <section class="panel access" aria-labelledby="access-heading">
      <h2 id="access-heading">{heading}</h2>
      {intro === undefined ? null : <p>{intro}</p>}
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          onSubmit();
        }}
      >
        {children}
        <p class={message === "" ? "said" : "said is-bad"} role="alert">
          {message}
        </p>
        <button type="submit" class="primary" disabled={busy}>
          {busy ? t("access.setup.busy") : submit}
        </button>
      </form>
    </section>
  );
}

export function LogIn() {
  const name = useSignal("");
  const password = useSignal("");
  const message = useSignal("");
  const busy = useSignal(false);
  const submit = async (): Promise<void> => {
    busy.value = true;
    message.value = "";
    try {
      await logIn(name.value, password.value);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) message.value = t("access.login.bad");
      else if (error instanceof ApiError && error.status === 429) message.value = t("access.login.throttled");
      else message.value = explain(error);
    } finally {
      busy.value = false;
    }
  };
  return (
    <AccessForm
      heading={t("access.login.heading")}
      {...(access.value === "expired" ? { intro: t("access.login.expired") } : {})}
      submit={t("access.login.submit")} busy={busy.value} message={message.value} onSubmit={() => void submit()}>
      <TextField id="name" label={t("access.login.name")} autocomplete="username" value={name.value} onInput={(v) => { name.value = v; }} />
      <TextField
        id="password"
        type="password"
        label={t("access.login.password")}
        autocomplete="current-password"
        hint={t("access.login.forgot")}
        value={password.value}
        onInput={(v) => { password.value = v; }}
      />
    </AccessForm>
  );
}

export function SetUp() {
  const code = useSignal("");
  const name = useSignal("");
  const password = useSignal("");
  const message = useSignal("");
  const errors = useSignal<readonly FieldError[]>([]);
  const busy = useSignal(false);
  const submit = async (): Promise<void> => {
    busy.value = true;
    message.value = "";
    errors.value = [];
    try {
      await setUp(code.value.trim(), name.value.trim(), password.value);
      go("setup");
    } catch (error) {
      if (error instanceof ApiError) errors.value = error.errors;
      const beside = messagesBeside(errors.value, ["code", "name", "password"]);
      message.value = errors.value.length === 0 ? explain(error) : beside.join(" ");
    } finally {
      busy.value = false;
    }
  };
  const of = (field: string): string[] => messagesFor(errors.value, field);
  return (
    <AccessForm
      heading={t("access.setup.heading")}
      intro={t("access.setup.intro")}
      submit={t("access.setup.submit")}
      busy={busy.value}
      message={message.value}
      onSubmit={() => void submit()}
    >
      <Language />
      <TextField id="code" label={t("access.setup.code")} errors={of("code")} value={code.value} onInput={(v) => { code.value = v; }} />
      <TextField id="name" label={t("access.setup.name")} autocomplete="username" errors={of("name")} value={name.value} onInput={(v) => { name.value = v; }} />
      <TextField
        id="password"
        type="password"
        label={t("access.setup.password")}
        hint={t("access.setup.password.help")}
        autocomplete="new-password"
        errors={of("password")}
        value={password.value}
        onInput={(v) => { password.value = v; }}
      />
      <p class="hint">
        {t("setup.welcome.demo")} <code>headroom demo</code>
      </p>
    </AccessForm>
  );
}
