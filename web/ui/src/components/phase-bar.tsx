/**
 * One phase as an upright bar: what flows now, split into the house and the loads that Headroom controls,
 * against the main fuse. The parts differ by pattern as well as by colour.
 */
import type { PhaseStatus } from "../api/types";
import { ampere, amps } from "../format";
import { t, word } from "../i18n";

const WIDTH = 108;
const HEIGHT = 232;
const TOP = 8;
const BOTTOM = 224;
const LEFT = 26;
const BAR = 44;
const RIGHT = LEFT + BAR;

/** Ampere at the top of the scale: shared by all phases, so that their bars can be compared. */
export function scaleTop(ratings: readonly number[], measured: readonly (number | null)[]): number {
  const highest = Math.max(1, ...ratings.map((r) => r * 1.2), ...measured.map((m) => (m ?? 0) * 1.04));
  return Math.ceil(highest / 5) * 5;
}

function step(top: number): number {
  if (top <= 50) return 5;
  return top <= 100 ? 10 : 25;
}

interface Props {
  phase: PhaseStatus;
  rating: number | null;
  top: number;
}

export function PhaseBar({ phase, rating, top }: Props) {
  const y = (a: number): number => BOTTOM - (Math.min(Math.max(a, 0), top) / top) * (BOTTOM - TOP);
  const measured = phase.measured_a;
  const background = measured === null ? 0 : Math.min(Math.max(phase.background_a ?? measured, 0), measured);
  const limit = phase.limit_a ?? rating;
  const ticks: number[] = [];
  for (let a = 0; a <= top; a += step(top)) ticks.push(a);
  const id = (name: string): string => `${name}-${phase.phase}`;
  const label = t("phases.svg", {
    phase: word("phase", phase.phase),
    measured: ampere(measured),
    fuse: ampere(rating),
    background: ampere(phase.background_a),
    loads: measured === null || phase.background_a === null ? ampere(null) : ampere(Math.max(0, measured - background)),
    headroom: ampere(phase.headroom_a),
  });
  return (
    <svg class="bar" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      <defs>
        <pattern id={id("dots")} width="6" height="6" patternUnits="userSpaceOnUse">
          <rect width="6" height="6" class="fill-house" />
          <circle cx="3" cy="3" r="1" class="dot-house" />
        </pattern>
        <pattern id={id("stripes")} width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <rect width="7" height="7" class="fill-loads" />
          <rect width="2.2" height="7" class="stripe-loads" />
        </pattern>
        <pattern id={id("cross")} width="6" height="6" patternUnits="userSpaceOnUse">
          <rect width="6" height="6" class="fill-over" />
          <path d="M0 0 6 6M6 0 0 6" class="cross-over" />
        </pattern>
        <pattern id={id("empty")} width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)">
          <rect width="1.5" height="8" class="stripe-empty" />
        </pattern>
      </defs>
      {ticks.map((a) => (
        <g key={a}>
          <path class="tick" d={`M${LEFT - 4} ${y(a)}H${RIGHT}`} />
          <text class="tick-text" x={LEFT - 6} y={y(a) + 3.5}>
            {a}
          </text>
        </g>
      ))}
      <rect class="trough" x={LEFT} y={TOP} width={BAR} height={BOTTOM - TOP} />
      {measured === null ? (
        <rect x={LEFT} y={TOP} width={BAR} height={BOTTOM - TOP} fill={`url(#${id("empty")})`} />
      ) : (
        <>
          <rect x={LEFT} y={y(measured)} width={BAR} height={BOTTOM - y(measured)} fill={`url(#${id("stripes")})`} />
          <rect x={LEFT} y={y(background)} width={BAR} height={BOTTOM - y(background)} fill={`url(#${id("dots")})`} />
          {limit !== null && measured > limit ? (
            <rect x={LEFT} y={y(measured)} width={BAR} height={y(limit) - y(measured)} fill={`url(#${id("cross")})`} />
          ) : null}
          <path class="surface" d={`M${LEFT - 2} ${y(measured)}h${BAR + 4}`} />
        </>
      )}
      <rect class={`frame source-${phase.source}`} x={LEFT} y={TOP} width={BAR} height={BOTTOM - TOP} />
      {limit !== null && rating !== null && limit < rating ? (
        <path class="limit-line" d={`M${LEFT - 2} ${y(limit)}H${RIGHT + 8}`} />
      ) : null}
      {rating === null ? null : (
        <>
          <path class="fuse-line" d={`M${LEFT - 2} ${y(rating)}H${RIGHT + 10}`} />
          <text class="fuse-text" x={RIGHT + 12} y={y(rating) + 4}>
            {Number.isInteger(rating) ? rating : amps(rating)} A
          </text>
        </>
      )}
    </svg>
  );
}
