/** A text to take along, with a button that copies it. Over plain HTTP browsers copy only what is selected. */
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { t } from "../i18n";

async function copied(input: HTMLInputElement): Promise<boolean> {
  input.focus();
  input.select();
  try {
    if (window.isSecureContext) {
      await navigator.clipboard.writeText(input.value);
      return true;
    }
  } catch {
    // Not allowed: the old way below.
  }
  return document.execCommand("copy");
}

interface Props {
  id: string;
  label: string;
  value: string;
  hint?: string;
}

export function Copy({ id, label, value, hint }: Props) {
  const said = useSignal("");
  const input = useRef<HTMLInputElement>(null);
  const copy = async (): Promise<void> => {
    if (input.current === null) return;
    said.value = t((await copied(input.current)) ? "setup.copy.done" : "setup.copy.selected");
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <span class="copy">
        <input id={id} ref={input} readOnly value={value} inputMode="none" {...(hint === undefined ? {} : { "aria-describedby": `${id}-hint` })} />
        <button type="button" aria-label={t("setup.copy.label", { what: label })} onClick={() => void copy()}>
          {t("setup.copy")}
        </button>
        <span class="note" role="status">
          {said.value}
        </span>
      </span>
      {hint === undefined ? null : (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}
