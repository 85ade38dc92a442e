/** The language of this browser. Nobody else's page changes. */
import { useSignal } from "@preact/signals";
import { SelectField } from "../components/field";
import { choose, language, t } from "../i18n";
import { type Language, languages, NAMES } from "../i18n/languages";

export function LanguagePart() {
  const message = useSignal("");
  const bad = useSignal(false);
  const change = async (wanted: Language): Promise<void> => {
    try {
      await choose(wanted);
      bad.value = false;
      message.value = t("language.done");
    } catch {
      bad.value = true;
      message.value = t("language.failed");
    }
  };
  return (
    <section class="panel narrow" aria-labelledby="language-heading">
      <h2 id="language-heading">{t("settings.language")}</h2>
      <form data-form="language" onSubmit={(event) => event.preventDefault()}>
        <SelectField
          id="language"
          label={t("language.label")}
          hint={t("language.help")}
          value={language.value}
          options={languages.map((one) => [one, NAMES[one]] as const)}
          onChange={(wanted) => void change(wanted)}
        />
      </form>
      <p class={bad.value ? "said is-bad" : "said is-good"} role="status" data-said="language">{message.value}</p>
    </section>
  );
}
