/**
 * Why, in the language of the page: made from the code and the data of a reason. In English the service's own sentence
 * stands, which says the same; so it does for a code that this page does not know.
 */
import type { Reason } from "./api/types";
import { ampere } from "./format";
import { has, language, t, word } from "./i18n";
import { hypothetical } from "./observe";
import { loadNames } from "./state/live";
import { tellsUnknownPhases } from "./words";

const nameOf = (id: string | null | undefined): string => (id === null || id === undefined ? "" : (loadNames.value.get(id) ?? id));

function place(reason: Reason): string {
  const phase = reason.phase === null || reason.phase === undefined ? null : word("phase", reason.phase);
  const circuit = reason.circuit ?? "main";
  if (phase === null) return t(circuit === "main" ? "reason.place.house" : "reason.place.circuit.whole", { circuit });
  return t(circuit === "main" ? "reason.place.main" : "reason.place.circuit", { phase, circuit });
}

/** What is known beside the code, each as a sentence of its own. */
function details(reason: Reason): string[] {
  const { measured_a: measured, limit_a: limit, from_a: from, to_a: to, counterfactual } = reason;
  const said: string[] = [];
  if (measured !== null && measured !== undefined && limit !== null && limit !== undefined) {
    said.push(t("reason.carries", { measured: ampere(measured), limit: ampere(limit) }));
  }
  if (from !== null && from !== undefined && to !== null && to !== undefined && from !== to) {
    said.push(t("reason.change", { from: ampere(from), to: ampere(to) }));
  }
  if (counterfactual !== null && counterfactual !== undefined) {
    const current = ampere(counterfactual.current_a);
    const load = counterfactual.load;
    said.push(
      load === null || load === undefined
        ? t("reason.otherwise.peak", { current })
        : t("reason.otherwise.load", { load: nameOf(load), current }),
    );
  }
  return said;
}

/** What the sentence is called. One code tells of a trial, which changes a current, and of what is known without one. */
function nameOfReason({ code, from_a: from, text }: Reason): string {
  if (code !== "learning" || (from !== null && from !== undefined)) return code;
  // The data of the two are alike: the service's own sentence tells them apart.
  return tellsUnknownPhases(text) ? "map_unknown" : "phases_found";
}

function translated(reason: Reason): string {
  const key = `reason.${nameOfReason(reason)}`;
  if (!has(key)) return reason.text;
  return [t(key, { place: place(reason), load: nameOf(reason.load) }), ...details(reason)].join(" ");
}

/** Why, as one or a few sentences; empty where nothing is given. */
export function reasonText(reason: Reason | null | undefined): string {
  if (reason === null || reason === undefined) return "";
  if (language.value === "en") return reason.text;
  const text = translated(reason);
  return hypothetical(reason) === null || reason.code === "observe" ? text : `${t("reason.observe")} ${t("reason.would", { text })}`;
}

/** What would be done in control while the house is only observed, or `null` when nothing of the kind is told. */
export function wouldText(reason: Reason | null | undefined): string | null {
  const said = hypothetical(reason);
  if (said === null || language.value === "en" || reason === null || reason === undefined) return said;
  return translated(reason);
}
