/**
 * Between the charts: the state of the house as bands, and decisions as marks that open them.
 * Bands differ by pattern and word, not by colour alone; marks that would overlap become one that opens the list.
 */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Decision } from "../api/types";
import { plural, t, word } from "../i18n";
import { reasonText } from "../reason";
import { href } from "../route";
import { iso, type Span, span } from "./span";
import { type Band, secondsOf } from "./states";
import { bands, decisions } from "./store";
import { instant } from "./times";

/** A mark is as large as a finger needs it. */
const MARK = 24;
/** About the width of a letter of the small text. */
const LETTER = 7.5;
/** Bands narrower than this are drawn with others of their kind into one: a year has many. */
const THINNEST = 0.5;

const PATTERNS: readonly (readonly [string, string])[] = [
  ["curtailing", "M-1 1 1 -1M0 6 6 0M5 7 7 5"],
  ["recovering", "M-1 5 1 7M0 0 6 6M5 -1 7 1"],
  ["degraded", "M0 0 6 6M6 0 0 6"],
  ["failsafe", "M0 3H6M3 0V6"],
  ["observe", "M3 3h.01"],
];

function kindOf(state: string): string {
  if (state.startsWith("failsafe")) return "failsafe";
  if (state.startsWith("degraded")) return "degraded";
  if (state === "observe" || state === "starting" || state === "manual") return "observe";
  return state.split(".")[1] ?? "normal";
}

interface Mark {
  first: Decision;
  last: Decision;
  count: number;
  x: number;
}

/** Decisions by the place where they are drawn; `changed` are those that told a load something new. */
function marksOf(items: readonly Decision[], of: Span, width: number): Mark[] {
  const marks: Mark[] = [];
  const places = Math.max(1, Math.floor(width / MARK));
  let place = -1;
  for (const decision of items) {
    const share = (secondsOf(decision.time) - of.from) / (of.to - of.from);
    const here = Math.min(places - 1, Math.max(0, Math.floor(share * places)));
    const mark = marks.at(-1);
    if (here === place && mark !== undefined) {
      mark.last = decision;
      mark.count += 1;
    } else {
      marks.push({ first: decision, last: decision, count: 1, x: ((here + 0.5) / places) * width });
      place = here;
    }
  }
  return marks;
}

function MarkLink({ mark }: { mark: Mark }) {
  const { first, last, count } = mark;
  const single = count === 1;
  const to = single
    ? href("decisions", [String(first.id)])
    : href("decisions", [], { from: iso(secondsOf(first.time)), to: iso(secondsOf(last.time) + 1) });
  const time = instant(secondsOf(first.time));
  const label = single
    ? t("timeline.mark", { time, text: reasonText(first.actions[0]?.reason ?? first.reason) })
    : plural(count, "timeline.marks", "timeline.marks", { time });
  return (
    <a href={to} class="mark" aria-label={label} data-mark={first.id} data-count={count}>
      <title>{label}</title>
      <rect x={mark.x - MARK / 2} y={0} width={MARK} height={MARK} class="mark-ground" />
      <path d={`M${mark.x} 4l6 8-6 8-6-8Z`} class={single ? "mark-sign" : "mark-sign is-many"} />
    </a>
  );
}

function BandShape({ band, of, width }: { band: Band; of: Span; width: number }) {
  const state = band.state ?? "";
  const scale = width / (of.to - of.from);
  const x = Math.max(0, (band.from - of.from) * scale);
  const wide = Math.min(width, (band.to - of.from) * scale) - x;
  if (wide < THINNEST) return null;
  const name = word("state", state);
  const kind = kindOf(state);
  return (
    <g data-band={state}>
      <title>{`${name}: ${instant(band.from)} – ${instant(band.to)}`}</title>
      <rect x={x} y={0} width={wide} height={MARK} class={`band is-${kind}`} />
      {kind === "normal" ? null : <rect x={x} y={0} width={wide} height={MARK} fill={`url(#band-${kind})`} />}
      {name.length * LETTER + 8 > wide ? null : (
        <text x={x + 5} y={16} class={`band-text is-${kind}`}>
          {name}
        </text>
      )}
    </g>
  );
}

export function Lane() {
  const host = useRef<HTMLDivElement>(null);
  const width = useSignal(0);
  useEffect(() => {
    const element = host.current;
    if (element === null) return undefined;
    const watcher = new ResizeObserver(() => {
      width.value = element.clientWidth;
    });
    watcher.observe(element);
    return () => watcher.disconnect();
  }, []);
  const of = span.value;
  const wide = width.value;
  return (
    <div class="lane" ref={host}>
      <svg width={wide} height={MARK} role="img" aria-label={t("timeline.states")} data-lane="states">
        <defs>
          {PATTERNS.map(([kind, path]) => (
            <pattern key={kind} id={`band-${kind}`} width="6" height="6" patternUnits="userSpaceOnUse">
              <path d={path} class={`band-lines is-${kind}`} />
            </pattern>
          ))}
        </defs>
        <rect width={wide} height={MARK} class="band is-unknown" />
        {wide === 0 ? null : bands.value.map((band) => <BandShape key={`${band.from} ${band.state}`} band={band} of={of} width={wide} />)}
      </svg>
      <svg width={wide} height={MARK} role="group" aria-label={t("timeline.decisions")} data-lane="decisions">
        {wide === 0 ? null : marksOf(decisions.value, of, wide).map((mark) => <MarkLink key={mark.first.id} mark={mark} />)}
      </svg>
    </div>
  );
}

/** What the patterns mean, for the states that are on the lane. */
export function LaneLegend() {
  const kinds = new Map<string, string>();
  for (const band of bands.value) if (band.state !== null) kinds.set(band.state, kindOf(band.state));
  if (kinds.size === 0) return null;
  return (
    <ul class="plain lane-legend" aria-label={t("timeline.states")}>
      {[...kinds].map(([state, kind]) => (
        <li key={state}>
          <svg width="22" height="14" aria-hidden="true" focusable="false">
            <rect width="22" height="14" class={`band is-${kind}`} />
            {kind === "normal" ? null : <rect width="22" height="14" fill={`url(#band-${kind})`} />}
          </svg>
          {word("state", state)}
        </li>
      ))}
      <li>
        <svg width="14" height="18" viewBox="0 2 14 20" aria-hidden="true" focusable="false">
          <path d="M7 4l6 8-6 8-6-8Z" class="mark-sign" />
        </svg>
        {t("timeline.mark.one")}
      </li>
      <li>
        <svg width="14" height="18" viewBox="0 2 14 20" aria-hidden="true" focusable="false">
          <path d="M7 4l6 8-6 8-6-8Z" class="mark-sign is-many" />
        </svg>
        {t("timeline.mark.many")}
      </li>
    </ul>
  );
}
