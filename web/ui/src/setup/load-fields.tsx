/** What is asked of every load before it is taken over: its name, what it draws at most, and where it hangs. */
import { type Signal, useSignal } from "@preact/signals";
import type { PhaseName } from "../api/types";
import { TextField } from "../components/field";
import { firstWiring, keyOf, PhasesField, phasesOf, wiringErrors } from "../components/phases-field";
import { type Form, numbers } from "../components/use-form";
import type { LoadKind } from "../loads/drivers";
import { t } from "../i18n";
import { breakerErrors } from "../loads/draft";

export interface LoadDraft {
  name: string;
  /** Of a charger ampere, of a relay load watt. */
  most: string;
  wiring: string;
}

/** The field of the API in which `most` goes. */
const MOST: Readonly<Record<LoadKind, string>> = { charger: "max_current_a", slow_load: "rated_w" };
/** A car's usual breaker, and a water heater, the load that most houses can put off. */
const USUAL: Readonly<Record<LoadKind, string>> = { charger: "16", slow_load: "2000" };

export const LOAD_FIELDS = ["name", "max_current_a", "rated_w", "phases"] as const;

export const useLoadDraft = (load: LoadKind, name: string, most = USUAL[load], phases?: readonly PhaseName[] | null): Signal<LoadDraft> =>
  useSignal<LoadDraft>({ name, most, wiring: phases === undefined ? firstWiring() : keyOf(phases) });

/** The fields for the service; `null` where the form was marked with what is wrong. `least`: what a charger is told at least, in ampere. */
export function bodyOf(load: LoadKind, draft: LoadDraft, form: Form, least?: number): Record<string, unknown> | null {
  const { values, wrong } = numbers({ [MOST[load]]: draft.most });
  if (load === "charger") wrong.push(...breakerErrors(values["max_current_a"], least));
  if (draft.name.trim() === "") wrong.push({ field: "name", code: "required", message: t("setup.name.bad") });
  wrong.push(...wiringErrors(draft.wiring));
  if (wrong.length === 0) return { name: draft.name.trim(), phases: phasesOf(draft.wiring), ...values };
  form.mark(wrong);
  return null;
}

interface Props {
  prefix: string;
  load: LoadKind;
  draft: Signal<LoadDraft>;
  form: Form;
}

export function LoadFields({ prefix, load, draft, form }: Props) {
  const edit = (part: Partial<LoadDraft>): void => {
    draft.value = { ...draft.value, ...part };
  };
  const most = load === "charger" ? { label: t("setup.charger.breaker"), hint: t("setup.charger.breaker.help"), unit: "A" } : { label: t("add.relay.rated"), unit: "W" };
  return (
    <>
      <div class="pair">
        <TextField id={`${prefix}-name`} label={t("add.name")} errors={form.of("name")} value={draft.value.name} onInput={(name) => { form.forgive("name"); edit({ name }); }} />
        <TextField {...most} id={`${prefix}-most`} inputMode="decimal" errors={form.of(MOST[load])} value={draft.value.most} onInput={(value) => { form.forgive(MOST[load]); edit({ most: value }); }} />
      </div>
      <PhasesField id={`${prefix}-phases`} value={draft.value.wiring} form={form} onChange={(wiring) => edit({ wiring })} />
    </>
  );
}
