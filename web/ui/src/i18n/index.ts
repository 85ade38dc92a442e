/** Texts by key. The keys are typed by the English table, so a missing one does not compile. */
import { en } from "./en";

export type Key = keyof typeof en;
export type Table = Readonly<Record<Key, string>>;

const table: Table = en;

export function t(key: Key, params: Readonly<Record<string, string | number>> = {}): string {
  return table[key].replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params[name];
    return value === undefined ? whole : String(value);
  });
}

/** Text for a word that comes from the service; a word that this page does not know is shown as it is. */
export function word(prefix: string, value: string): string {
  const key = `${prefix}.${value}`;
  return key in table ? table[key as Key] : value.replace(/_/g, " ");
}

/** "a", "a and b", "a, b and c". */
export function list(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  const head = names.slice(0, -1);
  if (head.length === 0) return last;
  return t("list.and", { a: head.reduce((a, b) => t("list.comma", { a, b })), b: last });
}

/** The text for one or for several. */
export function plural(count: number, one: Key, many: Key): string {
  return t(count === 1 ? one : many, { count });
}
