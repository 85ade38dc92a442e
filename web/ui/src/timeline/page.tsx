/** The phases against their limits, what the loads were told, the states and the decisions, all on one axis of time; and energy. */
import "./timeline.css";
import { signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Loading } from "../components/loading";
import { explain } from "../errors";
import { ampere, number } from "../format";
import { t } from "../i18n";
import { query } from "../route";
import { link, status } from "../state/live";
import { ratingOf, site } from "../state/site";
import { type Drawing, type Level, loadsDrawing, phasesDrawing } from "./chart";
import { Energy } from "./energy";
import { Lane, LaneLegend } from "./lane";
import { Legend } from "./legend";
import { Plot } from "./plot";
import { earlier, follow, fromAddress, later, span, SPANS, zoom } from "./span";
import { busy, decidedSince, decisions, failure, gaps, loads, phaseNames, points, progress, refresh, start, step } from "./store";
import { saveCsv, Table } from "./table";
import { instant, rangeOf } from "./times";
import { MOST } from "./states";

const HEIGHT_PHASES = 260;
const HEIGHT_LOADS = 190;
const ZOOM = 2;

/** Lines that are switched off stay so until the page is left. */
const hiddenPhases = signal<ReadonlySet<string>>(new Set());
const hiddenLoads = signal<ReadonlySet<string>>(new Set());
const phasesPointed = signal<number | null>(null);
const loadsPointed = signal<number | null>(null);
const phasesDrawn = signal<Drawing | null>(null);
const loadsDrawn = signal<Drawing | null>(null);

/** Fuse and limit of now. Phases with the same value share a line; a limit that is the fuse's needs none. */
function levels(): Level[] {
  const found = new Map<string, Level & { phases: string[] }>();
  const add = (kind: Level["kind"], value: number | null, phase: string): void => {
    if (value === null) return;
    const id = `${kind} ${value}`;
    const known = found.get(id) ?? { id, kind, value, label: "", phases: [] };
    known.phases.push(phase);
    found.set(id, known);
  };
  const now = status.value?.phases ?? [];
  for (const phase of now) {
    const rating = ratingOf(phase, site.value);
    add("fuse", rating, t(`phase.${phase.phase}`));
    if (phase.limit_a !== rating) add("limit", phase.limit_a, t(`phase.${phase.phase}`));
  }
  return [...found.values()].map((level) => {
    const where = level.phases.length === now.length ? "" : ` ${level.phases.join(", ")}`;
    return { ...level, label: `${t(level.kind === "fuse" ? "timeline.fuse" : "timeline.limit")}${where} ${ampere(level.value)}` };
  });
}

const drawPhases = (): Drawing => phasesDrawing(points.value, phaseNames.value, levels(), gaps.value);
const drawLoads = (): Drawing => loadsDrawing(loads.value);

/** The chart in one sentence. */
function phasesLabel(): string {
  const { from, to } = span.value;
  const highest = phaseNames.value.map((phase) => {
    const most = points.value.reduce<number | null>((max, p) => {
      const value = p.most[phase] ?? null;
      return value === null ? max : Math.max(max ?? value, value);
    }, null);
    return `${t(`phase.${phase}`)} ${ampere(most)}`;
  });
  return t("timeline.phases.label", { range: rangeOf(from, to), highest: highest.join(", ") });
}

function Chooser() {
  const { from, to, live } = span.value;
  const width = to - from;
  return (
    <div class="controls">
      <div class="chooser" role="group" aria-label={t("timeline.span")}>
        {SPANS.map((seconds) => (
          <button
            key={seconds}
            type="button"
            class="small"
            data-span={seconds}
            aria-pressed={live && width === seconds}
            onClick={() => follow(seconds)}
          >
            {t(`timeline.span.${seconds}`)}
          </button>
        ))}
      </div>
      <div class="chooser" role="group" aria-label={t("timeline.move")}>
        <button type="button" class="small" data-act="earlier" onClick={earlier}>
          <span aria-hidden="true">←</span> {t("timeline.earlier")}
        </button>
        <button type="button" class="small" data-act="later" disabled={live} onClick={later}>
          {t("timeline.later")} <span aria-hidden="true">→</span>
        </button>
        <button type="button" class="small" data-act="in" onClick={() => zoom(1 / ZOOM)}>
          <span aria-hidden="true">+</span> {t("timeline.in")}
        </button>
        <button type="button" class="small" data-act="out" onClick={() => zoom(ZOOM)}>
          <span aria-hidden="true">−</span> {t("timeline.out")}
        </button>
        <button type="button" class="small" data-act="live" aria-pressed={live} onClick={() => follow(width)}>
          {t("timeline.live")}
        </button>
      </div>
    </div>
  );
}

/** What the charts do not show, said beside them. */
function Notes() {
  const { from } = span.value;
  const since = decidedSince.value;
  const isCut = since > from + 1 && decisions.value.length > 0;
  const waiting = progress.value;
  return (
    <>
      <p class="note tabular timeline-state" data-busy={busy.value}>
        {t("timeline.now", { range: rangeOf(from, span.value.to), step: stepWords(step.value) })}
        {/* Only what has to be waited for is read out: the time itself moves on each second. */}
        <span role="status">{waiting === null ? "" : ` ${t("timeline.reading", { done: waiting.done, of: waiting.of })}`}</span>
      </p>
      {isCut ? <p class="note">{t("timeline.cut", { n: MOST, since: instant(since) })}</p> : null}
      {failure.value === null ? null : (
        <p class="said is-bad" role="alert">
          {t("timeline.failed", { error: explain(failure.value) })}{" "}
          <button type="button" class="small" onClick={() => void refresh()}>
            {t("timeline.again")}
          </button>
        </p>
      )}
    </>
  );
}

function stepWords(seconds: number): string {
  if (seconds < 60) return `${number(seconds, 0)} s`;
  if (seconds < 3_600) return `${number(seconds / 60, 0)} min`;
  return `${number(seconds / 3_600, 0)} h`;
}

export function TimelinePage() {
  const isTable = useSignal(false);
  const ready = status.value !== null && link.value !== "connecting";
  const address = query.value.toString();
  useEffect(() => {
    if (ready) fromAddress();
  }, [ready, address]);
  useEffect(() => {
    if (!ready) return undefined;
    return start();
  }, [ready]);
  if (!ready) return <Loading text="app.loading" />;
  const hasLoads = loads.value.length > 0;
  const isEmpty = points.value.length === 0 && !busy.value;
  return (
    <div class="sheets timeline">
      <section class="panel" aria-labelledby="timeline-heading">
        <h2 id="timeline-heading">{t("timeline.heading")}</h2>
        <Chooser />
        <Notes />
        {isEmpty && failure.value === null ? <p class="empty">{t("timeline.none")}</p> : null}
        <h3>{t("timeline.phases")}</h3>
        <Legend drawn={phasesDrawn} hidden={hiddenPhases} pointed={phasesPointed} label={t("timeline.phases")} />
        <Plot
          key={`phases ${hasLoads}`}
          name="phases"
          drawing={drawPhases}
          height={HEIGHT_PHASES}
          hasTimes={!hasLoads}
          hidden={hiddenPhases}
          pointed={phasesPointed}
          drawn={phasesDrawn}
          label={phasesLabel()}
        />
        <Lane />
        {hasLoads ? (
          <>
            <h3>{t("timeline.loads")}</h3>
            <Legend drawn={loadsDrawn} hidden={hiddenLoads} pointed={loadsPointed} label={t("timeline.loads")} />
            <Plot
              name="loads"
              drawing={drawLoads}
              height={HEIGHT_LOADS}
              hasTimes={true}
              hidden={hiddenLoads}
              pointed={loadsPointed}
              drawn={loadsDrawn}
              label={t("timeline.loads.label")}
            />
          </>
        ) : null}
        <LaneLegend />
        <p class="tools">
          <button type="button" class="small" data-act="table" aria-pressed={isTable.value} onClick={() => { isTable.value = !isTable.value; }}>
            {t("timeline.as_table")}
          </button>
          <button type="button" class="small" data-act="csv" onClick={saveCsv}>
            {t("timeline.csv")}
          </button>
        </p>
        {isTable.value ? <Table /> : null}
        <p class="note" id="timeline-keys">
          {t("timeline.keys")}
        </p>
        <p class="note">{t("timeline.help")}</p>
      </section>
      <Energy />
    </div>
  );
}
