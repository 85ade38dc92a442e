/** The journal of decisions: the list with its choice, or one of them. */
import "../timeline/timeline.css";
import { useEffect, useState } from "preact/hooks";
import { explain } from "../errors";
import { moment } from "../format";
import { plural, t } from "../i18n";
import { query } from "../route";
import { decisions as newest } from "../state/decisions";
import { access } from "../state/session";
import { DecisionView } from "./detail";
import { Export, Filters } from "./filters";
import { type Filter, filterOf, paramsOf } from "./filter";
import { failure, readFirst, reading, readMore, rows } from "./list-state";
import { DecisionTable } from "./table";

/** From there on the choice and the first decisions have room in one window. */
const WIDE = "(min-width: 48rem)";

/** Newer ones are offered, not pushed in: who reads keeps the place. */
function Newer({ filter }: { filter: Filter }) {
  const shown = rows.value.items[0]?.id ?? 0;
  const isOpen = filter.to === "" && filter.load === "" && filter.code === "" && filter.state === "";
  const newer = newest.value[0]?.id ?? 0;
  if (!isOpen || !rows.value.loaded || newer <= shown) return null;
  return (
    <button type="button" class="small" data-act="newer" onClick={() => readFirst(filter)}>
      {t("decisions.newer")}
    </button>
  );
}

function DecisionList() {
  const search = query.value.toString();
  const filter = filterOf(query.value);
  const granted = access.value === "granted";
  useEffect(() => {
    if (granted) readFirst(filterOf(query.peek()));
  }, [search, granted]);
  const { items, next, until, loaded } = rows.value;
  const isAll = Object.keys(paramsOf(filter)).length === 0;
  // On a telephone the decisions come first; what is chosen already is always seen.
  const [isOpen] = useState(() => !isAll || matchMedia(WIDE).matches);
  return (
    <div class="sheets">
      <section class="panel" aria-labelledby="filter-heading">
        <details class="choice" open={isOpen}>
          <summary>
            <h2 id="filter-heading">{t("decisions.filter")}</h2>
          </summary>
          <Filters filter={filter} />
          <Export filter={filter} />
        </details>
      </section>
      <section class="panel decisions-panel" aria-labelledby="decisions-heading">
        <h2 id="decisions-heading">{t("decisions.list")}</h2>
        {failure.value === null ? null : (
          <p class="said is-bad" role="alert">
            {t("decisions.list.failed", { error: explain(failure.value) })}{" "}
            <button type="button" class="small" onClick={() => readFirst(filter)}>
              {t("decisions.again")}
            </button>
          </p>
        )}
        <p class="note" role="status" data-count={loaded ? items.length : ""} {...(reading.value && items.length === 0 ? { "data-loading": "" } : {})}>
          {reading.value && items.length === 0
            ? t("decisions.loading")
            : loaded
              ? `${items.length === 0 ? t(isAll ? "decisions.none" : "decisions.none.filtered") : plural(items.length, "decisions.count", "decisions.counts")}${
                  filter.state !== "" && until !== null ? ` ${t("decisions.searched", { time: moment(until) })}` : ""
                }`
              : ""}
        </p>
        <Newer filter={filter} />
        {items.length === 0 ? null : <DecisionTable rows={items} labelled="decisions-heading" />}
        {next === null ? null : (
          <button type="button" class="more" disabled={reading.value} data-act="more" onClick={() => readMore(filter)}>
            {t(reading.value ? "decisions.more.busy" : filter.state === "" ? "decisions.more" : "decisions.search.more")}
          </button>
        )}
      </section>
    </div>
  );
}

export function DecisionsPage({ rest }: { rest: readonly string[] }) {
  const id = rest[0];
  return id === undefined ? <DecisionList /> : <DecisionView key={id} id={id} />;
}
