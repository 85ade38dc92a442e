/** A chart on the page: drawn anew when its data, its lines, the theme or its width change. */
import "uplot/dist/uPlot.min.css";
import { effect, type Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";
import { language } from "../i18n";
import { type Drawing, makeChart } from "./chart";
import { listen, onKey } from "./gestures";
import { follow, show, span } from "./span";
import { theme } from "./theme";

interface PlotProps {
  name: string;
  /** Reads signals: whatever it reads makes the chart follow. */
  drawing: () => Drawing;
  height: number;
  hasTimes: boolean;
  /** Lines that are switched off, by their id. */
  hidden: Signal<ReadonlySet<string>>;
  /** Where the pointer is, as an index into the data. */
  pointed: Signal<number | null>;
  /** The last drawing, for who reads values from it. */
  drawn: Signal<Drawing | null>;
  label: string;
}

export function Plot({ name, drawing, height, hasTimes, hidden, pointed, drawn, label }: PlotProps) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = host.current;
    if (element === null) return undefined;
    let chart: uPlot | null = null;
    let shape = "";
    const switchLines = (lines: Drawing["lines"], off: ReadonlySet<string>): void => {
      for (const line of lines) {
        for (const index of line.series) {
          const isShown = !off.has(line.id);
          if (chart !== null && chart.series[index]?.show !== isShown) chart.setSeries(index, { show: isShown });
        }
      }
    };
    const stop = effect(() => {
      const next = drawing();
      const nextShape = [theme.value, language.value, ...next.series.map((s) => s.label)].join("\n");
      const begun = performance.now();
      if (chart === null || nextShape !== shape) {
        chart?.destroy();
        shape = nextShape;
        chart = makeChart(element, next, {
          height,
          hasTimes,
          chosen: show,
          pointed: (index) => {
            pointed.value = index;
          },
        });
      } else {
        chart.setData(next.data);
      }
      switchLines(next.lines, hidden.value);
      // The canvas is painted in a microtask of uPlot; the figure is for those who measure.
      const times = next.data[0];
      queueMicrotask(() => {
        performance.measure(`timeline ${name}`, { start: begun, end: performance.now(), detail: { points: times.length } });
      });
      drawn.value = next;
      element.dataset["points"] = String(times.length);
      element.dataset["from"] = String(span.value.from);
      element.dataset["to"] = String(span.value.to);
    });
    const watcher = new ResizeObserver(() => {
      if (chart !== null && chart.width !== element.clientWidth && element.clientWidth > 0) {
        chart.setSize({ width: element.clientWidth, height });
      }
    });
    watcher.observe(element);
    const deaf = listen(element, () => chart);
    return () => {
      stop();
      watcher.disconnect();
      deaf();
      chart?.destroy();
    };
  }, []);
  return (
    <div
      class="plot"
      ref={host}
      role="img"
      tabIndex={0}
      aria-label={label}
      aria-describedby="timeline-keys"
      data-plot={name}
      onKeyDown={(event) => onKey(event, () => follow(span.peek().to - span.peek().from))}
    />
  );
}
