/** The choice of decisions, and what may be taken along of it. */
import { useSignal } from "@preact/signals";
import { SelectField } from "../components/field";
import { explain } from "../errors";
import { plural, t, word } from "../i18n";
import { keep } from "../route";
import { loadNames } from "../state/live";
import { type Format, MOST, write } from "./export";
import { ALL, CODES, type Filter, paramsOf, searchOf, STATES } from "./filter";
import { TimeField } from "./time-field";

const put = (filter: Filter): void => keep(paramsOf(filter));

export function Filters({ filter }: { filter: Filter }) {
  const any = ["", t("decisions.filter.any")] as const;
  const change = (part: Partial<Filter>): void => put({ ...filter, ...part });
  const isWrong = filter.from !== "" && filter.to !== "" && filter.from >= filter.to;
  const isAll = Object.keys(paramsOf(filter)).length === 0;
  const names = [...loadNames.value];
  if (filter.load !== "" && !loadNames.value.has(filter.load)) names.push([filter.load, filter.load]);
  return (
    <form class="filters" aria-label={t("decisions.filter")} onSubmit={(event) => event.preventDefault()}>
      <SelectField
        id="filter-load"
        label={t("decisions.filter.load")}
        value={filter.load}
        options={[any, ...names]}
        onChange={(load) => change({ load })}
      />
      <SelectField
        id="filter-code"
        label={t("decisions.filter.code")}
        value={filter.code}
        options={[any, ...CODES.map((code) => [code as string, word("code", code)] as const)]}
        onChange={(code) => change({ code })}
      />
      <SelectField
        id="filter-state"
        label={t("decisions.filter.state")}
        value={filter.state}
        options={[any, ...STATES.map((state) => [state as string, word("state", state)] as const)]}
        onChange={(state) => change({ state })}
      />
      <TimeField id="filter-from" label={t("decisions.filter.from")} value={filter.from} onChange={(from) => change({ from })} />
      <TimeField id="filter-to" label={t("decisions.filter.to")} value={filter.to} onChange={(to) => change({ to })} />
      <div class="field check">
        <input
          id="filter-renewals"
          type="checkbox"
          checked={filter.renewals}
          aria-describedby="filter-renewals-hint"
          onChange={(event) => change({ renewals: event.currentTarget.checked })}
        />
        <label for="filter-renewals">{t("decisions.filter.renewals")}</label>
        <p class="hint" id="filter-renewals-hint">
          {t("decisions.filter.renewals.help")}
        </p>
      </div>
      {isWrong ? (
        <p class="said is-bad" role="alert">
          {t("decisions.filter.order")}
        </p>
      ) : null}
      {isAll ? null : (
        <button type="button" class="small" data-act="all" onClick={() => put(ALL)}>
          {t("decisions.filter.clear")}
        </button>
      )}
    </form>
  );
}

export function Export({ filter }: { filter: Filter }) {
  const said = useSignal("");
  const isBad = useSignal(false);
  const busy = useSignal(false);
  const take = async (format: Format): Promise<void> => {
    busy.value = true;
    isBad.value = false;
    try {
      const { count, all } = await write(filter, format, (n) => {
        said.value = t("decisions.export.busy", { n });
      });
      said.value = all ? plural(count, "decisions.export.one", "decisions.export.done", { n: count }) : t("decisions.export.most", { n: count });
    } catch (error) {
      isBad.value = true;
      said.value = t("decisions.export.failed", { error: explain(error) });
    } finally {
      busy.value = false;
    }
  };
  return (
    <p class="tools">
      <span>{t("decisions.export")}</span>
      {filter.state === "" ? (
        // The service's own file has no such end as the page's.
        <a href={`/api/v1/decisions.csv?${searchOf(filter)}`} download="decisions.csv" data-export="csv">
          {t("decisions.export.csv")}
        </a>
      ) : (
        <button type="button" class="small" disabled={busy.value} data-export="csv" onClick={() => void take("csv")}>
          {t("decisions.export.csv")}
        </button>
      )}
      <button type="button" class="small" disabled={busy.value} data-export="jsonl" title={t("decisions.export.most", { n: MOST })} onClick={() => void take("jsonl")}>
        {t("decisions.export.jsonl")}
      </button>
      <span role="status" class={isBad.value ? "said is-bad" : "note"}>
        {said.value}
      </span>
    </p>
  );
}
