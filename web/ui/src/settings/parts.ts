/** The parts of the settings, each with an address of its own: `#/settings/people`. */
import type { Key } from "../i18n";

export const PARTS = ["house", "language", "people", "notifications", "backup", "versions", "tls"] as const;
export type Part = (typeof PARTS)[number];

export const partOf = (text: string | undefined): Part => PARTS.find((part) => part === text) ?? "house";

export const titleOf = (part: Part): Key => `settings.${part}`;
