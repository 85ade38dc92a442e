/** A form field with its label, hint and errors tied to it for everybody. */
import type { ComponentChildren } from "preact";
import { Icon } from "./icons";

interface Common {
  id: string;
  label: string;
  hint?: string;
  errors?: readonly string[];
}

interface Described {
  "aria-describedby"?: string;
  "aria-invalid"?: boolean;
}

function described({ id, hint, errors = [] }: Common): Described {
  const ids = [hint === undefined ? "" : `${id}-hint`, errors.length === 0 ? "" : `${id}-error`].filter((x) => x !== "");
  return {
    ...(ids.length === 0 ? {} : { "aria-describedby": ids.join(" ") }),
    ...(errors.length === 0 ? {} : { "aria-invalid": true }),
  };
}

function Frame({ id, label, hint, errors = [], children }: Common & { children: ComponentChildren }) {
  return (
    <div class={errors.length === 0 ? "field" : "field is-bad"}>
      <label for={id}>{label}</label>
      {children}
      {errors.length === 0 ? null : (
        <p class="field-error" id={`${id}-error`}>
          <Icon name="warn" /> {errors.join(" ")}
        </p>
      )}
      {hint === undefined ? null : (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

interface TextProps extends Common {
  value: string;
  onInput: (value: string) => void;
  unit?: string;
  type?: "text" | "password";
  inputMode?: "text" | "decimal";
  autocomplete?: string;
  placeholder?: string;
  disabled?: boolean;
  /** Offered while one types; anything else may be written too. */
  suggestions?: readonly string[];
}

export function TextField(props: TextProps) {
  const { id, value, onInput, unit, type = "text", inputMode = "text", autocomplete = "off", placeholder, disabled = false, suggestions = [] } = props;
  return (
    <Frame {...props}>
      <span class="with-unit">
        <input
          id={id}
          name={id}
          {...(type === "password" ? { type } : { type })}
          inputMode={inputMode}
          autoComplete={autocomplete}
          spellcheck={false}
          disabled={disabled}
          {...(placeholder === undefined ? {} : { placeholder })}
          {...(suggestions.length === 0 ? {} : { list: `${id}-list` })}
          value={value}
          onInput={(event) => onInput(event.currentTarget.value)}
          {...described(props)}
        />
        {suggestions.length === 0 ? null : (
          <datalist id={`${id}-list`}>
            {suggestions.map((text) => (
              <option key={text} value={text} />
            ))}
          </datalist>
        )}
        {unit === undefined ? null : <span aria-hidden="true">{unit}</span>}
      </span>
    </Frame>
  );
}

interface SelectProps<T extends string> extends Common {
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
  disabled?: boolean;
}

export function SelectField<T extends string>(props: SelectProps<T>) {
  const { id, value, options, onChange, disabled = false } = props;
  return (
    <Frame {...props}>
      <select
        id={id}
        name={id}
        disabled={disabled}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value as T)}
        {...described(props)}
      >
        {options.map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
    </Frame>
  );
}
