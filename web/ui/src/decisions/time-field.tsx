/** A field for a moment, in the way of the browser. */
import { localOf, timeOf } from "./filter";

interface Props {
  id: string;
  label: string;
  value: string;
  /** The id of its hint. */
  hint?: string;
  onChange: (time: string) => void;
}

export function TimeField({ id, label, value, hint, onChange }: Props) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        name={id}
        type="datetime-local"
        value={localOf(value)}
        onChange={(event) => onChange(timeOf(event.currentTarget.value))}
        {...(hint === undefined ? {} : { "aria-describedby": hint })}
      />
    </div>
  );
}
