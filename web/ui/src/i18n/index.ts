/** Texts by key. The keys are typed by the English table, so a missing one does not compile. */
import { computed, signal } from "@preact/signals";
import type { en } from "./en";
import { bestOf, type Language, languages, load, localeOf, places } from "./languages";

export type Key = keyof typeof en;
/** A whole language: every key of English. */
export type Table = Readonly<Record<Key, string>>;
/** One area of a language: every key of the same area in English. */
export type Area<English> = { readonly [K in keyof English]: string };

const STORED = "headroom_language";

/** The texts of the language, each at the place of its key. */
const texts = signal<readonly string[]>([]);

/** The language of the page. */
export const language = signal<Language>("en");
export const locale = computed(() => localeOf(language.value));

function stored(): Language | null {
  try {
    const name = localStorage.getItem(STORED);
    return languages.find((known) => known === name) ?? null;
  } catch {
    // A browser that keeps nothing: the language is asked of it each time.
    return null;
  }
}

async function use(wanted: Language): Promise<void> {
  texts.value = await load(wanted);
  language.value = wanted;
  document.documentElement.lang = wanted;
}

/** The language of the last visit, or of the browser. English where its table cannot be loaded; throws without that. */
export const startLanguage = (): Promise<void> => use(stored() ?? bestOf(navigator.languages)).catch(() => use("en"));

/** Changes the language at once, and for later visits. Throws where its table cannot be loaded; nothing changes then. */
export async function choose(wanted: Language): Promise<void> {
  await use(wanted);
  try {
    localStorage.setItem(STORED, wanted);
  } catch {
    // It holds for this visit only.
  }
}

export type Params = Readonly<Record<string, string | number>>;

/** The build puts the place of its text for a key that stands in the call itself. */
function textOf(key: string | number): string | undefined {
  const place = typeof key === "number" ? key : places.get(key);
  return place === undefined ? undefined : texts.value[place];
}

export function t(key: Key, params: Params = {}): string {
  // A key that is put together from a word of the service may have no text: the word is shown then.
  return (textOf(key) ?? String(key)).replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params[name];
    return value === undefined ? whole : String(value);
  });
}

/** Whether there is a text for a key that is put together from a word of the service. */
export const has = (key: string): key is Key => places.has(key);

/** Text for a word that comes from the service; a word that this page does not know is shown as it is. */
export function word(prefix: string, value: string): string {
  const key = `${prefix}.${value}`;
  return has(key) ? t(key) : value.replace(/_/g, " ");
}

const listFormat = computed(() => new Intl.ListFormat(locale.value, { type: "conjunction" }));
const pluralRules = computed(() => new Intl.PluralRules(locale.value));

/** "a", "a and b", "a, b and c". */
export const list = (names: readonly string[]): string => listFormat.value.format(names);

/** The text for one or for several, as the language counts. `{count}` is in both. */
export function plural(count: number, one: Key, many: Key, params: Params = {}): string {
  return t(pluralRules.value.select(count) === "one" ? one : many, { count, ...params });
}
