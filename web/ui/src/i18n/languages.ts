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
