/**
 * One phase as an upright bar: what flows now, split into the house and each load that Headroom controls, against the
 * main fuse. The parts differ by pattern and letter as well as by colour; the reserve is the empty part below the fuse.
 */
import type { PhaseStatus } from "../api/types";
import { ampere, amps } from "../format";
import { t, word } from "../i18n";
import { BarPatterns, patternOf } from "./bar-patterns";
import { type Share, signOf } from "./shares";

const WIDTH = 108;
const HEIGHT = 232;
const TOP = 8;
const BOTTOM = 224;
const LEFT = 26;
const BAR = 44;
const RIGHT = LEFT + BAR;
/** A part lower than this has no room for its letter. */
const LETTER_HEIGHT = 13;

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
  shares: readonly Share[];
  rating: number | null;
  top: number;
}

interface StackProps {
  phase: PhaseStatus;
  shares: readonly Share[];
  limit: number | null;
  y: (a: number) => number;
}

/** The house below, the loads above it in the order of the status. */
function Stack({ phase, shares, limit, y }: StackProps) {
  const measured = phase.measured_a ?? 0;
  const id = (name: string): string => `url(#${name}-${phase.phase})`;
  const background = Math.min(Math.max(phase.background_a ?? measured, 0), measured);
  let from = background;
  const parts = shares.map((share) => {
    const low = from;
    from = Math.min(measured, from + share.amperes);
    return { share, low, high: from };
  });
  return (
    <>
      <rect x={LEFT} y={y(measured)} width={BAR} height={BOTTOM - y(measured)} fill={id(patternOf(-1))} />
      <rect x={LEFT} y={y(background)} width={BAR} height={BOTTOM - y(background)} fill={id("dots")} />
      {parts.map(({ share, low, high }) => (
        <g key={share.load ?? ""} data-share={share.load ?? ""}>
          <rect x={LEFT} y={y(high)} width={BAR} height={Math.max(0, y(low) - y(high))} fill={id(patternOf(share.index))} />
          {y(low) - y(high) < LETTER_HEIGHT || share.index < 0 ? null : (
            <>
              <circle class="letter-ground" cx={LEFT + BAR / 2} cy={(y(low) + y(high)) / 2} r="6.5" />
              <text class="letter" x={LEFT + BAR / 2} y={(y(low) + y(high)) / 2 + 3.2}>
                {signOf(share.index)}
              </text>
            </>
          )}
          <path class="part" d={`M${LEFT} ${y(low)}h${BAR}`} />
        </g>
      ))}
      {limit !== null && measured > limit ? (
        <rect x={LEFT} y={y(measured)} width={BAR} height={y(limit) - y(measured)} fill={id("cross")} />
      ) : null}
      <path class="surface" d={`M${LEFT - 2} ${y(measured)}h${BAR + 4}`} />
    </>
  );
}

export function PhaseBar({ phase, shares, rating, top }: Props) {
  const y = (a: number): number => BOTTOM - (Math.min(Math.max(a, 0), top) / top) * (BOTTOM - TOP);
  const measured = phase.measured_a;
  const limit = phase.limit_a ?? rating;
  const ticks: number[] = [];
  for (let a = 0; a <= top; a += step(top)) ticks.push(a);
  const loads = measured === null || phase.background_a === null ? null : Math.max(0, measured - phase.background_a);
  const label = t("phases.svg", {
    phase: word("phase", phase.phase),
    measured: ampere(measured),
    fuse: ampere(rating),
    background: ampere(phase.background_a),
    loads: ampere(loads),
    headroom: ampere(phase.headroom_a),
  });
  return (
    <svg class="bar" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      <BarPatterns phase={phase.phase} />
      {ticks.map((a) => (
        <g key={a}>
          <path class="tick" d={`M${LEFT - 4} ${y(a)}H${RIGHT}`} />
          <text class="tick-text" x={LEFT - 6} y={y(a) + 3.5}>
            {a}
          </text>
        </g>
      ))}
      <rect class="trough" x={LEFT} y={TOP} width={BAR} height={BOTTOM - TOP} />
      {limit === null || measured === null || measured >= limit ? null : (
        <rect class="reserve" x={LEFT} y={y(limit)} width={BAR} height={y(measured) - y(limit)} />
      )}
      {measured === null ? (
        <rect x={LEFT} y={TOP} width={BAR} height={BOTTOM - TOP} fill={`url(#empty-${phase.phase})`} />
      ) : (
        <Stack phase={phase} shares={shares} limit={limit} y={y} />
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
