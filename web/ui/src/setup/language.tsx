/** The language of the page, changed at once. */
import { useSignal } from "@preact/signals";
import { SelectField } from "../components/field";
import { choose, language, t } from "../i18n";
import { type Language as Name, languages, NAMES } from "../i18n/languages";

export function Language() {
  const failed = useSignal(false);
  return (
    <>
      <SelectField
        id="setup-language"
        label={t("setup.language")}
        errors={failed.value ? [t("setup.language.failed")] : []}
        value={language.value}
        options={languages.map((name) => [name, NAMES[name]] as const)}
        onChange={(name: Name) => {
          failed.value = false;
          choose(name).catch(() => {
            failed.value = true;
          });
        }}
      />
    </>
  );
}
