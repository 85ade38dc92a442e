/** A box to tick, with its label and hint. */
interface Props {
  id: string;
  label: string;
  hint?: string;
  checked: boolean;
  disabled?: boolean;
  onChange: (checked: boolean) => void;
}

export function CheckField({ id, label, hint, checked, disabled = false, onChange }: Props) {
  return (
    <div class="check">
      <input
        id={id}
        type="checkbox"
        disabled={disabled}
        checked={checked}
        {...(hint === undefined ? {} : { "aria-describedby": `${id}-hint` })}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <label for={id}>{label}</label>
      {hint === undefined ? null : (
        <span class="hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
    </div>
  );
}
