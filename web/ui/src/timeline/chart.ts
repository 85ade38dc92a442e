/** The two charts, drawn by uPlot: the phases against fuse and limit, and below what the loads were told and drew. */
import uPlot from "uplot";
import type { PhaseName } from "../api/types";
import { number } from "../format";
import { t } from "../i18n";
import type { Point } from "./readings";
import { span } from "./span";
import type { Load } from "./store";
import { colour, dash, loadToken } from "./theme";
import { ticks } from "./times";

/** Width of the axis at the left and the room at the right, in pixels; the style sheet has the same for the lane between the charts. */
const LEFT = 44;
const RIGHT = 14;
const KEY = "timeline";
/** Room above the highest value. */
const ABOVE = 1.08;
/** Shortest drag that is meant as a choice of a span. */
const DRAG_PX = 8;
/** In seconds. */
const JUST_BEFORE = 0.001;

export interface Line {
  id: string;
  label: string;
  /** What shows it in the legend: a token of the style sheet and its place among the dashes. */
  token: string;
  dash: number;
  /** Series of the chart that belong to it. */
  series: number[];
  kind: "line" | "dots" | "band";
}

export interface Drawing {
  data: uPlot.AlignedData;
  series: uPlot.Series[];
  bands: uPlot.Band[];
  lines: Line[];
}

export interface Level {
  id: string;
  label: string;
  value: number;
  kind: "fuse" | "limit";
}

type Values = (number | null | undefined)[];

const X: uPlot.Series = { label: "t" };

/** Phases: the mean as a line, what lies between it and the highest value as a band; levels are straight lines. */
export function phasesDrawing(
  points: readonly Point[],
  phases: readonly PhaseName[],
  levels: readonly Level[],
  gaps: readonly (readonly [number, number])[],
): Drawing {
  const { from, to } = span.value;
  const x: number[] = [];
  const at: (Point | null)[] = [];
  let next = 0;
  for (const point of points) {
    const gap = gaps[next];
    // A point without values breaks the line: what was not measured is not drawn.
    if (gap !== undefined && point.time >= gap[1]) {
      x.push(gap[0]);
      at.push(null);
      next += 1;
    }
    x.push(point.time);
    at.push(point);
  }
  // Levels go from one end of the span to the other.
  const times = [from, ...x.filter((v) => v > from && v < to), to];
  const inside = at.filter((_, i) => (x[i] ?? 0) > from && (x[i] ?? 0) < to);
  const row = (pick: (p: Point) => number | null | undefined): Values => [
    null,
    ...inside.map((p) => (p === null ? null : (pick(p) ?? null))),
    null,
  ];
  const series: uPlot.Series[] = [X];
  const columns: Values[] = [];
  const bands: uPlot.Band[] = [];
  const lines: Line[] = [];
  const add = (one: uPlot.Series, values: Values): number => {
    series.push(one);
    columns.push(values);
    return series.length - 1;
  };
  phases.forEach((phase, i) => {
    const token = `phase-${i + 1}`;
    const mean = add(
      { label: phase, stroke: colour(token), width: 1.75, dash: dash(i), points: { show: false }, spanGaps: false },
      row((p) => p.mean[phase]),
    );
    const most = add(
      { label: `${phase} most`, stroke: colour(`${token}-most`), width: 0.75, points: { show: false }, spanGaps: false },
      row((p) => p.most[phase]),
    );
    bands.push({ series: [most, mean], fill: colour(`${token}-most`) });
    lines.push({ id: phase, label: t(`phase.${phase}`), token, dash: i, series: [mean, most], kind: "line" });
  });
  for (const level of levels) {
    const isFuse = level.kind === "fuse";
    const one = add(
      {
        label: level.id,
        stroke: colour("fuse"),
        width: isFuse ? 2.5 : 1.5,
        dash: isFuse ? [] : [6, 4],
        points: { show: false },
        spanGaps: true,
      },
      times.map(() => level.value),
    );
    lines.push({ id: level.id, label: level.label, token: "fuse", dash: isFuse ? 0 : 1, series: [one], kind: "line" });
  }
  return { data: [times, ...columns] as uPlot.AlignedData, series, bands, lines };
}

/** Loads: what each was told as steps, what it drew as dots. */
export function loadsDrawing(loads: readonly Load[]): Drawing {
  const { from, to } = span.value;
  const set = new Set<number>([from, to]);
  for (const load of loads) {
    for (const { time, value } of load.told) {
      if (time <= from || time >= to) continue;
      set.add(time);
      // A step ends with its last value, not with the next: without a value right before the end it would not be drawn up to it.
      if (value === null) set.add(time - JUST_BEFORE);
    }
    for (const { time } of load.drawn) if (time > from && time < to) set.add(time);
  }
  const x = [...set].sort((a, b) => a - b);
  const series: uPlot.Series[] = [X];
  const columns: Values[] = [];
  const lines: Line[] = [];
  const stepped = uPlot.paths.stepped?.({ align: 1 });
  const nothing = (): null => null;
  loads.forEach((load, i) => {
    const token = loadToken(i);
    let k = 0;
    let value: number | null = null;
    const told = x.map((time) => {
      for (let step = load.told[k]; step !== undefined && step.time <= time; step = load.told[k]) {
        value = step.value;
        k += 1;
      }
      return value;
    });
    const known = new Map(load.drawn.map((s) => [s.time, s.value]));
    series.push({
      label: load.id,
      stroke: colour(token),
      width: 2,
      dash: dash(i),
      points: { show: false },
      ...(stepped === undefined ? {} : { paths: stepped }),
    });
    columns.push(told);
    series.push({
      label: `${load.id} drawn`,
      stroke: colour(token),
      paths: nothing,
      points: { show: true, size: 5, fill: colour("panel"), stroke: colour(token), width: 1.5 },
    });
    columns.push(x.map((time) => known.get(time) ?? null));
    lines.push({ id: load.id, label: load.name, token, dash: i, series: [series.length - 2], kind: "line" });
    lines.push({ id: `${load.id}/drawn`, label: t("timeline.drawn", { name: load.name }), token, dash: i, series: [series.length - 1], kind: "dots" });
  });
  return { data: [x, ...columns] as uPlot.AlignedData, series, bands: [], lines };
}

/** As many decimals as the ticks need to differ. */
function digitsOf(increment: number): number {
  if (increment >= 1) return 0;
  return Number.isInteger(Math.round(increment * 1_000) / 100) ? 1 : 2;
}

interface Wiring {
  height: number;
  /** Times below the chart: only where nothing follows it. */
  hasTimes: boolean;
  chosen: (from: number, to: number) => void;
  pointed: (index: number | null) => void;
}

export function makeChart(host: HTMLElement, drawing: Drawing, wiring: Wiring): uPlot {
  const axis: uPlot.Axis = {
    stroke: colour("soft"),
    font: "12px system-ui, sans-serif",
    grid: { stroke: colour("line"), width: 1 },
    ticks: { stroke: colour("line"), width: 1, size: 5 },
  };
  const options: uPlot.Options = {
    width: Math.max(host.clientWidth, LEFT + RIGHT + 10),
    height: wiring.height,
    padding: [10, RIGHT, 0, 0],
    legend: { show: false },
    cursor: {
      drag: { x: true, y: false, setScale: false, dist: DRAG_PX },
      sync: { key: KEY, setSeries: false, scales: ["x", null] },
      points: { size: 7 },
      y: false,
      // A double click is a step out, and belongs to the page.
      bind: { dblclick: () => null },
    },
    scales: {
      x: { time: true, range: () => [span.peek().from, span.peek().to] },
      y: { range: (_u, min, max) => [Math.min(0, min ?? 0), Math.max(max ?? 0, 1) * ABOVE] },
    },
    axes: [
      {
        ...axis,
        size: wiring.hasTimes ? 30 : 6,
        space: 64,
        values: (_u, splits, _i, _space, increment) => (wiring.hasTimes ? ticks(splits, increment) : splits.map(() => "")),
      },
      { ...axis, size: LEFT, space: 28, values: (_u, splits, _i, _space, increment) => splits.map((v) => number(v, digitsOf(increment))) },
    ],
    series: drawing.series,
    bands: drawing.bands,
    hooks: {
      setSelect: [
        (u) => {
          if (u.select.width < DRAG_PX) return;
          const from = u.posToVal(u.select.left, "x");
          const to = u.posToVal(u.select.left + u.select.width, "x");
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          wiring.chosen(from, to);
        },
      ],
      setCursor: [(u) => wiring.pointed(u.cursor.idx ?? null)],
    },
  };
  return new uPlot(options, drawing.data, host);
}
