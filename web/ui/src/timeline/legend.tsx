/** What the lines are, each with a switch, and their values where the pointer is. */
import type { Signal } from "@preact/signals";
import { UNKNOWN, amps } from "../format";
import type { Drawing, Line } from "./chart";
import { DASHES } from "./theme";
import { instant } from "./times";

function Sample({ line }: { line: Line }) {
  return (
    <svg class={`sample is-${line.token}`} viewBox="0 0 26 10" width="26" height="10" aria-hidden="true" focusable="false">
      {line.kind === "dots" ? (
        <>
          <circle cx="7" cy="5" r="3" />
          <circle cx="19" cy="5" r="3" />
        </>
      ) : (
        <path d="M0 5h26" stroke-dasharray={(DASHES[line.dash] ?? []).join(" ")} />
      )}
    </svg>
  );
}

interface LegendProps {
  drawn: Signal<Drawing | null>;
  hidden: Signal<ReadonlySet<string>>;
  pointed: Signal<number | null>;
  label: string;
}

function valueAt(drawing: Drawing, line: Line, index: number | null): string {
  const series = line.series[0];
  const value = index === null || series === undefined ? undefined : drawing.data[series]?.[index];
  return value === undefined || value === null ? UNKNOWN : `${amps(value)} A`;
}

export function Legend({ drawn, hidden, pointed, label }: LegendProps) {
  const drawing = drawn.value;
  if (drawing === null) return null;
  const index = pointed.value;
  const time = index === null ? undefined : drawing.data[0][index];
  const flip = (id: string): void => {
    const next = new Set(hidden.value);
    if (!next.delete(id)) next.add(id);
    hidden.value = next;
  };
  return (
    <div class="lines" role="group" aria-label={label}>
      {drawing.lines.map((line) => (
        <label key={line.id} class="line-switch">
          <input type="checkbox" data-line={line.id} checked={!hidden.value.has(line.id)} onChange={() => flip(line.id)} />
          <Sample line={line} />
          <span>{line.label}</span>
          <span class="tabular line-value">{time === undefined ? "" : valueAt(drawing, line, index)}</span>
        </label>
      ))}
      <span class="note tabular line-time">{time === undefined ? "" : instant(time)}</span>
    </div>
  );
}
