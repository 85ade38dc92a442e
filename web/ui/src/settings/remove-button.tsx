/** Takes something away after one more question. */
import { useSignal } from "@preact/signals";
import { t } from "../i18n";

interface Props {
  name: string;
  disabled: boolean;
  onRemove: () => void;
}

export function RemoveButton({ name, disabled, onRemove }: Props) {
  const isAsked = useSignal(false);
  if (!isAsked.value) {
    return (
      <button type="button" class="small" data-act="ask-remove" disabled={disabled} aria-label={t("remove.ask", { name })} onClick={() => { isAsked.value = true; }}>
        {t("remove.short")}
      </button>
    );
  }
  return (
    <span class="moves">
      <button type="button" class="small" onClick={() => { isAsked.value = false; }}>
        {t("remove.no", { name })}
      </button>
      <button type="button" class="small primary" data-act="remove" disabled={disabled} onClick={() => { isAsked.value = false; onRemove(); }}>
        {t("remove.yes", { name })}
      </button>
    </span>
  );
}
