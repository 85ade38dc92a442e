/** What is asked of every load before it is taken over: its name and what its own cable and fuse bear. */
import { type Signal, useSignal } from "@preact/signals";
import type { PhaseName } from "../api/types";
import { keyOf, PhasesField, WIRINGS } from "../components/add-load";
import { TextField } from "../components/field";
import type { Form } from "../components/use-form";
import { t } from "../i18n";
import { site } from "../state/site";

export interface ChargerDraft {
  name: string;
  most: string;
  wiring: string;
}

/** How most chargers of such a grid hang: on all lines, or between two of them. */
export function usualWiring(): string {
  return keyOf(WIRINGS[site.value?.grid ?? "tn_3ph"][0] ?? null);
}

export function useChargerDraft(name: string, most = "16", phases?: readonly PhaseName[] | null): Signal<ChargerDraft> {
  return useSignal<ChargerDraft>({ name, most, wiring: phases === undefined ? usualWiring() : keyOf(phases) });
}

interface Props {
  prefix: string;
  draft: Signal<ChargerDraft>;
  form: Form;
}

export function ChargerFields({ prefix, draft, form }: Props) {
  const edit = (part: Partial<ChargerDraft>): void => {
    draft.value = { ...draft.value, ...part };
  };
  return (
    <>
      <div class="pair">
        <TextField id={`${prefix}-name`} label={t("add.name")} errors={form.of("name")} value={draft.value.name} onInput={(name) => edit({ name })} />
        <TextField
          id={`${prefix}-most`}
          label={t("setup.charger.breaker")}
          hint={t("setup.charger.breaker.help")}
          unit="A"
          inputMode="decimal"
          errors={form.of("max_current_a")}
          value={draft.value.most}
          onInput={(most) => edit({ most })}
        />
      </div>
      <PhasesField id={`${prefix}-phases`} value={draft.value.wiring} form={form} onChange={(wiring) => edit({ wiring })} />
    </>
  );
}
