/** The answer to what a form sent, and its button. */
import { t } from "../i18n";
import type { Form } from "./use-form";

export function Said({ form, name }: { form: Form; name: string }) {
  return (
    <p class={form.bad.value ? "said is-bad" : "said is-good"} role="status" data-said={name}>
      {form.message.value}
    </p>
  );
}

export function Submit({ form, text }: { form: Form; text: string }) {
  return (
    <button type="submit" class="primary" disabled={form.busy.value}>
      {form.busy.value ? t("site.saving") : text}
    </button>
  );
}
