/** The line at each terminal of a load. It is never guessed: a wrong line would leave the right one unguarded. */
import type { FieldError, Grid } from "../api/types";
import { t } from "../i18n";
import { site } from "../state/site";
import { SelectField } from "./field";
import type { Form } from "./use-form";

/** Wirings that are offered, as the service writes them; `null`: terminals and order are not known. */
const WIRINGS: Readonly<Record<Grid, readonly (readonly string[] | null)[]>> = {
  tn_3ph: [
    ["l1", "l2", "l3"], ["l1"], ["l2"], ["l3"], null,
    ["l2", "l3", "l1"], ["l3", "l1", "l2"], ["l1", "l3", "l2"], ["l2", "l1", "l3"], ["l3", "l2", "l1"],
  ],
  it_3ph: [["l1", "l2"], ["l2", "l3"], ["l1", "l3"], ["l1", "l2", "l3"], null],
  tn_1ph: [["l1"]],
};

const UNKNOWN = "unknown";

/** A wiring as the value of the field; it is empty where nobody has chosen yet. */
export const keyOf = (wiring: readonly string[] | null): string => (wiring === null ? UNKNOWN : wiring.join("-"));

export const phasesOf = (key: string): string[] | null => (key === UNKNOWN ? null : key.split("-"));

/** What a new load begins with: the wiring of a grid that has one alone, no other. */
export function firstWiring(): string {
  const offered = WIRINGS[site.value?.grid ?? "tn_3ph"];
  return offered.length === 1 ? keyOf(offered[0] ?? null) : "";
}

/** What is wrong with a field that nobody has filled in. */
export const wiringErrors = (key: string): FieldError[] => (key === "" ? [{ field: "phases", code: "required", message: t("add.phases.bad") }] : []);

function wiringText(wiring: readonly string[] | null): string {
  if (wiring === null) return t("add.phases.unknown");
  return wiring.map((p) => p.toUpperCase()).join(", ");
}

interface Props {
  id: string;
  value: string;
  form: Form;
  onChange: (value: string) => void;
}

export function PhasesField({ id, value, form, onChange }: Props) {
  const usual = WIRINGS[site.value?.grid ?? "tn_3ph"];
  // What is stored is offered too, however seldom it is.
  const offered = value === "" || usual.some((w) => keyOf(w) === value) ? usual : [phasesOf(value), ...usual];
  const options = offered.map((w) => [keyOf(w), wiringText(w)] as const);
  return (
    <SelectField
      id={id}
      label={t("add.phases")}
      hint={t("add.phases.help")}
      errors={form.of("phases")}
      value={value}
      options={value === "" ? [["", t("add.phases.choose")] as const, ...options] : options}
      onChange={(wiring) => {
        form.forgive("phases");
        onChange(wiring);
      }}
    />
  );
}
