/** One decision: the sentence, what was done, what bound it, what every load got, what then happened, and what was known. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ApiError, get } from "../api/client";
import type { Decision, Page } from "../api/types";
import { StateBadge } from "../components/badge";
import { Loading } from "../components/loading";
import { explain } from "../errors";
import { t } from "../i18n";
import { reasonText, wouldText } from "../reason";
import { href } from "../route";
import { houseTime, loadNames } from "../state/live";
import { iso } from "../timeline/span";
import { instant } from "../timeline/times";
import { ActionLine, before, Would } from "./action";
import { Bound } from "./bound";
import { Got } from "./got";
import { Happened } from "./happened";
import { Known } from "./known";
import { changes, type Whole } from "./whole";

/** So long after a decision its outcome and the readings around it may still come. */
const SETTLED_MS = 35_000;
const AGAIN_MS = 3_000;
/** Around the decision on the timeline, in seconds. */
const AROUND = 450;
/** Within these times after it the next decision is looked for, in seconds: an hour to a year. */
const AHEAD = [3_600, 86_400, 604_800, 31_536_000] as const;

async function olderOf(decision: Decision): Promise<number | null> {
  const page = await get<Page<Decision>>(`/decisions?cursor=${decision.id}&limit=1`);
  return page.items[0]?.id ?? null;
}

async function newerOf(decision: Decision): Promise<number | null> {
  const begin = Date.parse(decision.time) / 1_000;
  for (const ahead of AHEAD) {
    let found: number | null = null;
    let cursor: string | null = null;
    do {
      const more: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const page: Page<Decision> = await get<Page<Decision>>(
        `/decisions?from=${iso(Math.floor(begin))}&to=${iso(Math.ceil(begin + ahead))}&limit=500${more}`,
      );
      // Newest first: the last of those that are newer is the next one.
      found = page.items.filter((d) => d.id > decision.id).at(-1)?.id ?? found;
      cursor = page.items.some((d) => d.id <= decision.id) ? null : page.next;
    } while (cursor !== null);
    if (found !== null) return found;
  }
  return null;
}

function Step({ name, find }: { name: "older" | "newer"; find: () => Promise<number | null> }) {
  const ended = useSignal(false);
  const move = async (): Promise<void> => {
    const id = await find().catch(() => null);
    if (id === null) ended.value = true;
    else location.hash = href("decisions", [String(id)]);
  };
  return (
    <>
      <button type="button" class="small" data-act={name} onClick={() => void move()}>
        {t(`decision.${name}`)}
      </button>
      <span role="status" class="note">
        {ended.value ? t("decision.end") : ""}
      </span>
    </>
  );
}

function Head({ decision }: { decision: Whole }) {
  const names = loadNames.value;
  const actions = changes(decision);
  const would = actions.length === 0 ? wouldText(decision.reason) : null;
  const begin = Date.parse(decision.time) / 1_000;
  const sentence = actions.length > 0 ? reasonText(actions[0]?.reason ?? decision.reason) : (would ?? reasonText(decision.reason));
  return (
    <section class="panel" aria-labelledby="decision-heading">
      <p class="tools">
        <a href={href("decisions")}>{t("decision.back")}</a>
        <Step name="older" find={() => olderOf(decision)} />
        <Step name="newer" find={() => newerOf(decision)} />
        <a href={href("timeline", [], { from: iso(Math.round(begin - AROUND)), to: iso(Math.round(begin + AROUND)) })}>{t("decision.timeline")}</a>
      </p>
      <div class="panel-head">
        <h2 id="decision-heading" tabIndex={-1}>
          {t("decision.heading", { id: decision.id })}
        </h2>
        <StateBadge state={decision.state} />
      </div>
      <p>
        <time class="tabular" dateTime={decision.time}>
          {instant(begin)}
        </time>
      </p>
      <p class="sentence-big" data-sentence={decision.id}>
        {sentence}
      </p>
      {would !== null ? (
        <Would decision={decision} text={would} names={[...names.values()]} />
      ) : actions.length === 0 ? (
        <p class="note">{t(decision.actions.length === 0 ? "decision.actions.none" : "decision.actions.renewed")}</p>
      ) : (
        <ul class="plain" aria-label={t("decision.actions")}>
          {actions.map((a) => (
            <ActionLine key={a.command} action={a} from={before(a, undefined)} name={names.get(a.load) ?? a.load} />
          ))}
        </ul>
      )}
    </section>
  );
}

export function DecisionView({ id }: { id: string }) {
  const found = useSignal<Whole | null>(null);
  const failure = useSignal<unknown>(null);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let gone = false;
    const read = (): void => {
      get<Whole>(`/decisions/${encodeURIComponent(id)}`).then(
        (whole) => {
          if (gone) return;
          const isFirst = found.peek() === null;
          found.value = whole;
          failure.value = null;
          // From one decision to the next the page stays the same, so nobody else moves the focus.
          if (isFirst) setTimeout(() => root.current?.querySelector<HTMLElement>("#decision-heading")?.focus({ preventScroll: true }));
          const isFresh = houseTime.peek() - Date.parse(whole.time) < SETTLED_MS;
          if (isFresh) timer = setTimeout(read, AGAIN_MS);
        },
        (error: unknown) => {
          if (!gone) failure.value = error;
        },
      );
    };
    read();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [id]);
  const decision = found.value;
  const error = failure.value;
  if (decision === null) {
    const isMissing = error instanceof ApiError && error.status === 404;
    return (
      <section class="panel">
        {error === null ? (
          <Loading text="decisions.loading" />
        ) : (
          <p class="said is-bad" role="alert">
            {isMissing ? t("decision.missing", { id }) : t("decisions.list.failed", { error: explain(error) })}
          </p>
        )}
        <p>
          <a href={href("decisions")}>{t("decision.back")}</a>
        </p>
      </section>
    );
  }
  return (
    <div class="sheets decision" ref={root} data-decision-view={decision.id}>
      <Head decision={decision} />
      <Bound decision={decision} />
      <Got decision={decision} />
      <Happened decision={decision} />
      <Known decision={decision} />
    </div>
  );
}
