/** Decisions as files: what is chosen, all of it and not only what is on the page. */
import { get } from "../api/client";
import type { Decision, Page } from "../api/types";
import { csvRow, save } from "../timeline/save";
import { type Filter, matches, searchOf } from "./filter";

const PAGE = 500;
/** Decisions of one file that the page writes: some 20 MB in memory. */
export const MOST = 20_000;

const COLUMNS = [
  "id", "time", "state", "reason_code", "reason", "command", "load", "limit_a", "on", "phases", "renewal", "action_code", "action_reason",
  "outcome", "sent_at", "acknowledged_at", "seen_at",
] as const;

/** One row for each command, as the service's own CSV has them. */
function csvOf(decision: Decision): string {
  const head = [decision.id, decision.time, decision.state, decision.reason?.code, decision.reason?.text];
  if (decision.actions.length === 0) return csvRow([...head, ...new Array<null>(COLUMNS.length - head.length).fill(null)]);
  return decision.actions
    .map((a) =>
      csvRow([
        ...head, a.command, a.load, a.limit_a, a.on, a.phases, a.renewal, a.reason?.code, a.reason?.text, a.outcome ?? "pending",
        a.sent_at, a.acknowledged_at, a.seen_at,
      ]),
    )
    .join("");
}

export type Format = "csv" | "jsonl";

/** Reads all that is chosen and hands the file to the browser. Answers how many decisions are in it. */
export async function write(filter: Filter, format: Format, progress: (n: number) => void): Promise<{ count: number; all: boolean }> {
  const parts: string[] = format === "csv" ? [csvRow(COLUMNS)] : [];
  let count = 0;
  let next: string | null = null;
  do {
    const more: Record<string, string> = { limit: String(PAGE) };
    if (next !== null) more["cursor"] = next;
    const page: Page<Decision> = await get<Page<Decision>>(`/decisions?${searchOf(filter, more)}`);
    for (const decision of page.items) {
      if (!matches(decision, filter)) continue;
      parts.push(format === "csv" ? csvOf(decision) : `${JSON.stringify(decision)}\n`);
      count += 1;
    }
    next = page.next;
    progress(count);
  } while (next !== null && count < MOST);
  save(`decisions.${format}`, format === "csv" ? "text/csv;charset=utf-8" : "application/jsonl", parts);
  return { count, all: next === null };
}
