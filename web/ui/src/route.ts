/**
 * Which page is shown, from the part of the address behind `#`: `#/decisions/812` is page `decisions` with rest `["812"]`.
 * A hash that does not begin with `#/` belongs to the page that is shown (an anchor) and changes nothing here.
 */
import { computed, signal } from "@preact/signals";

export interface Route {
  page: string;
  rest: readonly string[];
}

/** Shown when the address names no page. */
export const FIRST_PAGE = "live";
const PREFIX = "#/";

/** A part of the address as it was meant; what is no valid escape stays as it is. */
function plain(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function parse(hash: string): Route {
  const path = hash.slice(PREFIX.length).split("?", 1)[0] ?? "";
  const [page = "", ...rest] = path.split("/").filter((part) => part !== "").map(plain);
  return { page: page === "" ? FIRST_PAGE : page, rest };
}

const hash = signal(location.hash.startsWith(PREFIX) ? location.hash : "");

export const route = computed<Route>(() => parse(hash.value));

/** What stands behind `?` in the address of a page, for what should be linked to: filters, spans of time. */
export const query = computed(() => new URLSearchParams(hash.value.split("?", 2)[1] ?? ""));

/** Counts the changes of page, so that the focus goes along even when the same page is asked for again. */
export const visits = signal(0);

/** Address of a page, to be put into a link. */
export function href(page: string, rest: readonly string[] = [], params: Readonly<Record<string, string>> = {}): string {
  const path = [page, ...rest].map(encodeURIComponent).join("/");
  const search = new URLSearchParams(params).toString();
  return `${PREFIX}${path}${search === "" ? "" : `?${search}`}`;
}

export function go(page: string, rest: readonly string[] = []): void {
  location.hash = href(page, rest);
}

/** Changes what stands behind `?` without a step in the history of the browser and without moving the focus. */
export function keep(params: Readonly<Record<string, string>>): void {
  const { page, rest } = route.value;
  const next = href(page, rest, params);
  history.replaceState(null, "", next);
  hash.value = next;
}

export function followAddress(): void {
  window.addEventListener("hashchange", () => {
    if (location.hash !== "" && !location.hash.startsWith(PREFIX)) return;
    const before = route.value.page;
    hash.value = location.hash;
    if (route.value.page !== before) visits.value += 1;
  });
}
