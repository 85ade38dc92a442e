/** The newest decisions, newest first: live ones are merged in by their number. */
import { signal } from "@preact/signals";
import { get } from "../api/client";
import type { Decision, Page } from "../api/types";

const PAGE = 12;
/** The page stays light however long it is open: beyond this it starts again from the newest rows. */
const KEEP = 2_000;
/** Outcomes arrive within the charger's time-out; so long after a pending one, the list is read again. */
const OUTCOME_AFTER_MS = 2_500;
const OUTCOME_TRIES = 4;

export const decisions = signal<Decision[]>([]);
const loaded = signal(false);

/** A step that only renewed leases tells nothing new. */
const tells = (decision: Decision): boolean =>
  decision.actions.length === 0 || decision.actions.some((action) => action.renewal !== true);

const byNewest = (a: Decision, b: Decision): number => b.id - a.id;

function union(present: Decision[], incoming: Decision[]): Decision[] {
  const rows = new Map(present.map((row) => [row.id, row]));
  for (const row of incoming) if (tells(row)) rows.set(row.id, row);
  return [...rows.values()].sort(byNewest);
}

let outcomeTimer: ReturnType<typeof setTimeout> | undefined;
let outcomeTries = 0;

function awaitOutcomes(): void {
  const pending = decisions.value.slice(0, PAGE).some((d) => d.actions.some((a) => a.outcome === "pending"));
  if (!pending) {
    outcomeTries = 0;
    return;
  }
  if (outcomeTimer !== undefined || outcomeTries >= OUTCOME_TRIES) return;
  outcomeTries += 1;
  outcomeTimer = setTimeout(() => {
    outcomeTimer = undefined;
    refreshDecisions();
  }, OUTCOME_AFTER_MS);
}

export function mergeDecision(decision: Decision): void {
  const rows = union(decisions.value, [decision]);
  decisions.value = rows;
  if (rows.length > KEEP) {
    loaded.value = false;
    refreshDecisions();
  }
  outcomeTries = 0;
  awaitOutcomes();
}

/** Reads the newest page. After a long gap the old rows are dropped rather than shown with a hole among them. */
export function refreshDecisions(): void {
  get<Page<Decision>>(`/decisions?limit=${PAGE}`).then(
    (page) => {
      const newest = decisions.value[0]?.id;
      const oldest = page.items.at(-1)?.id;
      const joined = newest !== undefined && oldest !== undefined && oldest <= newest;
      if (joined && loaded.value) {
        decisions.value = union(decisions.value, page.items);
      } else {
        decisions.value = union([], page.items);
      }
      loaded.value = true;
      awaitOutcomes();
    },
    // The list of decisions tells when the journal cannot be read; the next one that comes is merged all the same.
    () => undefined,
  );
}
