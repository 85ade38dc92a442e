/** The page's own clock: ages tick from it, whether or not anything arrives. */
import { signal } from "@preact/signals";

/** Fast enough for a tenth of a second to be seen to move, slow enough to cost nothing. */
const TICK_MS = 200;

/** Milliseconds of the monotonic clock of the page. */
export const now = signal(performance.now());

setInterval(() => {
  now.value = performance.now();
}, TICK_MS);
