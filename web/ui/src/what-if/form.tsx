/** The question: which time, and what was to differ. */
import type { Signal } from "@preact/signals";
import { SelectField, TextField } from "../components/field";
import { ampere } from "../format";
import { t } from "../i18n";
import { TimeField } from "../decisions/time-field";
import { type Draft, HOUR, type Settings } from "./change";

const RANGES = [HOUR, 6 * HOUR, 24 * HOUR, 48 * HOUR] as const;
const RANGE_KEYS = ["whatif.range.3600", "whatif.range.21600", "whatif.range.86400", "whatif.range.172800"] as const;

interface FormProps {
  draft: Signal<Draft>;
  settings: Settings;
  wrong: readonly string[];
  /** Nothing is marked before the first try. */
  tried: boolean;
  isRangeWrong: boolean;
}

function ratingText(rating: number | number[]): string {
  return typeof rating === "number" ? ampere(rating) : rating.map((r) => ampere(r)).join(", ");
}

interface AmpsProps {
  id: string;
  label: string;
  hint?: string;
  value: string;
  errors: string[];
  onInput: (text: string) => void;
}

const Amps = (props: AmpsProps) => <TextField {...props} unit="A" inputMode="decimal" />;

export function Question({ draft, settings, wrong, tried, isRangeWrong }: FormProps) {
  const now = draft.value;
  const change = (part: Partial<Draft>): void => {
    draft.value = { ...draft.value, ...part };
  };
  const bad = (id: string): string[] => (tried && wrong.includes(id) ? [t("whatif.number")] : []);
  const flip = (id: string): void => {
    const without = new Set(now.without);
    if (!without.delete(id)) without.add(id);
    change({ without, ...(now.first === id ? { first: "" } : {}) });
  };
  const loads = [...settings.chargers, ...settings.slow];
  return (
    <>
      <fieldset>
        <legend>{t("whatif.range")}</legend>
        <SelectField
          id="whatif-range"
          label={t("timeline.span")}
          value={now.range}
          options={[...RANGES.map((r, i) => [String(r), t(RANGE_KEYS[i] ?? "whatif.range.own")] as const), ["own", t("whatif.range.own")] as const]}
          onChange={(range) => change({ range })}
        />
        {now.range !== "own" ? null : (
          <div class="pair">
            <TimeField id="whatif-from" label={t("whatif.from")} value={now.from} hint="whatif-range-hint" onChange={(from) => change({ from })} />
            <TimeField id="whatif-to" label={t("whatif.to")} value={now.to} hint="whatif-range-hint" onChange={(to) => change({ to })} />
            <p class="hint" id="whatif-range-hint">
              {t("whatif.range.help")}
            </p>
          </div>
        )}
        {tried && isRangeWrong ? <p class="field-error">{t("whatif.range.bad")}</p> : null}
      </fieldset>
      <fieldset>
        <legend>{t("whatif.site")}</legend>
        <div class="pair">
          <Amps
            id="whatif-fuse"
            label={t("whatif.fuse")}
            hint={t("whatif.fuse.help", { now: ratingText(settings.rating) })}
            value={now.fuse}
            errors={bad("fuse")}
            onInput={(fuse) => change({ fuse })}
          />
          <Amps
            id="whatif-margin"
            label={t("whatif.margin")}
            hint={t("whatif.margin.help", { now: ampere(settings.margin) })}
            value={now.margin}
            errors={bad("margin")}
            onInput={(margin) => change({ margin })}
          />
        </div>
      </fieldset>
      <fieldset>
        <legend>{t("whatif.loads")}</legend>
        <ul class="plain whatif-loads">
          {loads.map((load) => (
            <li key={load.id}>
              <span class="check">
                <input id={`with-${load.id}`} type="checkbox" checked={!now.without.has(load.id)} onChange={() => flip(load.id)} />
                <label for={`with-${load.id}`}>{t("whatif.loads.with", { name: load.name })}</label>
              </span>
              {"max" in load && typeof load.max === "number" && !now.without.has(load.id) ? (
                <Amps
                  id={`whatif-max-${load.id}`}
                  label={t("whatif.loads.max", { name: load.name })}
                  hint={t("whatif.loads.max.help", { now: ampere(load.max) })}
                  value={now.max.get(load.id) ?? ""}
                  errors={bad(`max-${load.id}`)}
                  onInput={(text) => change({ max: new Map(now.max).set(load.id, text) })}
                />
              ) : null}
            </li>
          ))}
          <li>
            <span class="check">
              <input id="whatif-add" type="checkbox" checked={now.added} onChange={() => change({ added: !now.added })} aria-describedby="whatif-add-hint" />
              <label for="whatif-add">{t("whatif.add")}</label>
            </span>
            <p class="hint" id="whatif-add-hint">
              {t("whatif.add.help")}
            </p>
            {!now.added ? null : (
              <div class="pair">
                <Amps
                  id="whatif-added-max"
                  label={t("whatif.add.max")}
                  value={now.addedMax}
                  errors={bad("added-max")}
                  onInput={(addedMax) => change({ addedMax })}
                />
                <SelectField
                  id="whatif-added-phases"
                  label={t("whatif.add.phases")}
                  value={now.addedPhases}
                  options={[
                    ["3", t("whatif.add.phases.3")],
                    ...(["l1", "l2", "l3"] as const).map((line) => [line, t("whatif.add.phases.1", { phase: t(`phase.${line}`) })] as const),
                  ]}
                  onChange={(addedPhases) => change({ addedPhases })}
                />
              </div>
            )}
          </li>
        </ul>
        <SelectField
          id="whatif-first"
          label={t("whatif.order")}
          value={now.first}
          options={[
            ["", t("whatif.order.same")],
            ...loads.filter((l) => !now.without.has(l.id)).map((l) => [l.id, t("whatif.order.first", { name: l.name })] as const),
            ["=", t("whatif.order.equal")],
          ]}
          onChange={(first) => change({ first })}
        />
      </fieldset>
    </>
  );
}
