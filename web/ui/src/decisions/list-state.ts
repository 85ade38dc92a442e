/** The decisions of a choice, newest first, read page by page. */
import { signal } from "@preact/signals";
import { get } from "../api/client";
import type { Decision, Page } from "../api/types";
import { type Filter, matches, searchOf } from "./filter";

const PAGE = 25;
/** While the page sorts by state itself, it reads more at a time, and stops to ask after so many pages. */
const SEARCH_PAGE = 200;
const SEARCH_PAGES = 10;
/** Rows on one page: beyond this it becomes slow for everybody. */
const KEPT = 2_000;

export interface Rows {
  items: readonly Decision[];
  next: string | null;
  /** How far back was read. */
  until: string | null;
  loaded: boolean;
}

const EMPTY: Rows = { items: [], next: null, until: null, loaded: false };

export const rows = signal<Rows>(EMPTY);
export const reading = signal(false);
export const failure = signal<unknown>(null);

let turn = 0;

async function read(filter: Filter, before: Rows): Promise<void> {
  turn += 1;
  const mine = turn;
  reading.value = true;
  const searches = filter.state !== "";
  let { next, until } = before;
  const items = [...before.items];
  const wanted = items.length + PAGE;
  try {
    for (let pages = 0; pages < (searches ? SEARCH_PAGES : 1) && items.length < wanted; pages += 1) {
      const more: Record<string, string> = { limit: String(searches ? SEARCH_PAGE : PAGE) };
      if (next !== null) more["cursor"] = next;
      const page = await get<Page<Decision>>(`/decisions?${searchOf(filter, more)}`);
      if (mine !== turn) return;
      items.push(...page.items.filter((d) => matches(d, filter)));
      until = page.items.at(-1)?.time ?? until;
      next = page.next;
      if (next === null) break;
    }
    rows.value = { items, next: items.length >= KEPT ? null : next, until, loaded: true };
    failure.value = null;
  } catch (error) {
    if (mine === turn) failure.value = error;
  } finally {
    if (mine === turn) reading.value = false;
  }
}

/** Begins anew with the newest. */
export function readFirst(filter: Filter): void {
  void read(filter, EMPTY);
}

export function readMore(filter: Filter): void {
  if (rows.peek().next !== null && !reading.peek()) void read(filter, rows.peek());
}
