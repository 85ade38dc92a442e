/** The same as the charts for who cannot see them, and as a file for who wants to reckon with it. */
import { amps } from "../format";
import { t, word } from "../i18n";
import type { Point } from "./readings";
import { iso, span } from "./span";
import type { Told } from "./states";
import { bands, loads, phaseNames, points, step } from "./store";
import { csvRow, save, stamp } from "./save";
import { instantIn, rangeOf } from "./times";

/** Rows that a person can still read. */
const ROWS = 60;

const stateAt = (time: number): string | null => bands.value.find((b) => time >= b.from && time < b.to)?.state ?? null;

function toldAt(told: readonly Told[], time: number): number | null {
  let value: number | null = null;
  for (const change of told) {
    if (change.time > time) break;
    value = change.value;
  }
  return value;
}

interface Group {
  time: number;
  mean: Point["mean"];
  most: Point["most"];
}

/** Points put together so that there are not more than can be read: means of means, highest of the highest. */
function groupsOf(list: readonly Point[]): Group[] {
  const size = Math.max(1, Math.ceil(list.length / ROWS));
  const groups: Group[] = [];
  for (let i = 0; i < list.length; i += size) {
    const part = list.slice(i, i + size);
    const group: Group = { time: part[0]?.time ?? 0, mean: {}, most: {} };
    for (const phase of phaseNames.value) {
      const means = part.map((p) => p.mean[phase]).filter((v): v is number => typeof v === "number");
      const highest = part.map((p) => p.most[phase]).filter((v): v is number => typeof v === "number");
      group.mean[phase] = means.length === 0 ? null : means.reduce((a, b) => a + b) / means.length;
      group.most[phase] = highest.length === 0 ? null : Math.max(...highest);
    }
    groups.push(group);
  }
  return groups;
}

export function Table() {
  const rows = groupsOf(points.value);
  const { from, to } = span.value;
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={t("timeline.table")}>
      <table class="figures" data-table="timeline">
        <caption>
          <span>{t("timeline.table.caption", { range: rangeOf(from, to) })}</span>
        </caption>
        <thead>
          <tr>
            <th scope="col">{t("decisions.time")}</th>
            {phaseNames.value.map((p) => (
              <th key={p} scope="col">
                {t("timeline.table.phase", { phase: t(`phase.${p}`) })}
              </th>
            ))}
            <th scope="col">{t("decisions.state")}</th>
            {loads.value.map((l) => (
              <th key={l.id} scope="col">
                {t("timeline.table.load", { name: l.name })}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            // The first step may begin before the span.
            const state = stateAt(Math.max(row.time, from));
            return (
              <tr key={row.time}>
                <th scope="row">
                  <time dateTime={iso(row.time)}>{instantIn(row.time, from, to)}</time>
                </th>
                {phaseNames.value.map((p) => (
                  <td key={p}>{`${amps(row.mean[p])} (${amps(row.most[p])})`}</td>
                ))}
                <td>{state === null ? "" : word("state", state)}</td>
                {loads.value.map((l) => (
                  <td key={l.id}>{amps(toldAt(l.told, row.time))}</td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** All points of the span, not only those of the table. */
export function saveCsv(): void {
  const phases = phaseNames.value;
  const head = [
    "time",
    "step_s",
    ...phases.flatMap((p) => [`${p}_a`, `${p}_max_a`]),
    "power_w",
    "state",
    ...loads.value.map((l) => `${l.id}_setpoint_a`),
  ];
  const rows = points.value.map((p) =>
    csvRow([
      iso(p.time),
      step.value,
      ...phases.flatMap((phase) => [p.mean[phase] ?? null, p.most[phase] ?? null]),
      p.power,
      stateAt(p.time),
      ...loads.value.map((l) => toldAt(l.told, p.time)),
    ]),
  );
  save(`timeline-${stamp(span.value.from)}.csv`, "text/csv;charset=utf-8", [csvRow(head), ...rows]);
}
