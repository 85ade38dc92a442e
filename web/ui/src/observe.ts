/** In observe mode the service's English sentence tells what it would do; this takes that part out of it. */
import type { Reason } from "./api/types";

/** Stands between "Observe only, nothing is commanded." and what would be done. */
const WOULD = "In control: ";

/** What would be done in control, or `null` when the reason tells nothing of the kind. */
export function hypothetical(reason: Reason | null | undefined): string | null {
  const text = reason?.text ?? "";
  const at = text.indexOf(WOULD);
  return at < 0 ? null : text.slice(at + WOULD.length);
}

/** The load that the sentence ends on: it is the one that would be told something. */
export function subjectOf(text: string, names: readonly string[]): string {
  let found = "";
  let place = -1;
  for (const name of names) {
    const at = name === "" ? -1 : text.lastIndexOf(name);
    if (at > place || (at === place && at >= 0 && name.length > found.length)) {
      found = name;
      place = at;
    }
  }
  return found;
}
