/** Colours of the charts, taken from the style sheet: the canvas knows no classes. */
import { signal } from "@preact/signals";

/** Counts the changes of theme, so that charts are made anew. */
export const theme = signal(0);

const changed = (): void => {
  theme.value += 1;
};
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
new MutationObserver(changed).observe(document.documentElement, { attributes: true, attributeFilter: ["class", "data-theme"] });

export function colour(token: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${token}`).trim();
}

/** Lines are told apart by their dashes too. */
export const DASHES: readonly (readonly number[])[] = [[], [8, 4], [2, 3], [10, 3, 2, 3], [4, 4], [12, 6]];
/** Colours for loads, in their order; their tokens are in the style sheet. */
export const LOAD_TOKENS = ["load-1", "load-2", "load-3", "load-4", "load-5", "load-6"] as const;

export const loadToken = (index: number): string => LOAD_TOKENS[index % LOAD_TOKENS.length] ?? LOAD_TOKENS[0];
export const dash = (index: number): number[] => [...(DASHES[index % DASHES.length] ?? [])];
