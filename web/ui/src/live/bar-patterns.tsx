/** Patterns of the parts of a bar: no two neighbours look alike without their colours. */

/** How many loads get a look of their own; then it begins again, and the letters tell them apart. */
const LOOKS = 4;

/** Name of the pattern of a load by its place; -1: what cannot be told apart. */
export const patternOf = (index: number): string => (index < 0 ? "stripes" : `load${index % LOOKS}`);

/** The name of the class of a load's swatch, by its place. */
export const swatchOf = (index: number): string => (index < 0 ? "is-loads" : `is-load${index % LOOKS}`);

export function BarPatterns({ phase }: { phase: string }) {
  const id = (name: string): string => `${name}-${phase}`;
  const stripes = (name: string, angle: number, look: string) => (
    <pattern id={id(name)} width="7" height="7" patternUnits="userSpaceOnUse" patternTransform={`rotate(${angle})`}>
      <rect width="7" height="7" class={`fill-${look}`} />
      <rect width="2.2" height="7" class={`stripe-${look}`} />
    </pattern>
  );
  return (
    <defs>
      <pattern id={id("dots")} width="6" height="6" patternUnits="userSpaceOnUse">
        <rect width="6" height="6" class="fill-house" />
        <circle cx="3" cy="3" r="1" class="dot-house" />
      </pattern>
      {stripes("stripes", 45, "loads")}
      {stripes("load0", 45, "loads")}
      {stripes("load1", -45, "load1")}
      {stripes("load2", 0, "load2")}
      {stripes("load3", 90, "load3")}
      <pattern id={id("cross")} width="6" height="6" patternUnits="userSpaceOnUse">
        <rect width="6" height="6" class="fill-over" />
        <path d="M0 0 6 6M6 0 0 6" class="cross-over" />
      </pattern>
      <pattern id={id("empty")} width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)">
        <rect width="1.5" height="8" class="stripe-empty" />
      </pattern>
    </defs>
  );
}
