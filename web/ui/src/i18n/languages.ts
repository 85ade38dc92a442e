/** The languages of the page, and where their tables lie: each is a file of its own, of which a visitor loads one. */

/** Each in its own words, so that everybody finds the own one. */
export const NAMES = {
  en: "English",
  nb: "Norsk bokmål",
  sv: "Svenska",
  da: "Dansk",
  fi: "Suomi",
  et: "Eesti",
  nl: "Nederlands",
  de: "Deutsch",
  fr: "Français",
} as const;

export type Language = keyof typeof NAMES;

/** Put in by the build: the address of each table that there is. */
declare const LANGUAGE_FILES: Readonly<Partial<Record<string, string>>>;

/** Put in by the build: the keys that go by their names, parted by spaces, in the order of their texts, and the version of all. */
declare const TEXT_KEYS: string;
declare const TEXT_KEYS_VERSION: string;

/** The place of the text of a key in each table; the first place is the version of the keys. */
export const places: ReadonlyMap<string, number> = new Map(TEXT_KEYS.split(" ").map((key, i) => [key, i + 1]));

export const fileOf = (language: Language): string | undefined => LANGUAGE_FILES[language];

/** Languages that can be chosen: those with a table. */
export const languages: readonly Language[] = (Object.keys(NAMES) as Language[]).filter(
  (language) => fileOf(language) !== undefined,
);

/** Tags that mean one of ours under another name. */
const ALIASES: Readonly<Record<string, Language>> = { no: "nb", nn: "nb" };

/** The first language that is spoken here of those that the browser asks for, the dearest first. */
export function bestOf(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const short = tag.toLowerCase().split("-", 1)[0] ?? "";
    const name = ALIASES[short] ?? short;
    const found = languages.find((language) => language === name);
    if (found !== undefined) return found;
  }
  return "en";
}

/** For dates and numbers: English is written as in Europe, where the meters are. */
export const localeOf = (language: Language): string => (language === "en" ? "en-GB" : language);

/** The texts of a language by their place. Throws where they cannot be loaded, or belong to another build of the page. */
export async function load(language: Language): Promise<readonly string[]> {
  const file = fileOf(language);
  if (file === undefined) throw new Error(`no table for ${language}`);
  const texts = ((await import(file)) as { default: readonly string[] }).default;
  if (texts[0] !== TEXT_KEYS_VERSION) throw new Error(`the table for ${language} is of another build`);
  return texts;
}
