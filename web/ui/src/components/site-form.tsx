/**
 * The form for main fuse, grid, margin and mode. The service judges every value; this form only sees to it that a
 * number is a number, and asks once more before the rating is raised.
 */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Characteristic, FieldError, Grid, Mode, Site } from "../api/types";
import { explain } from "../errors";
import { ampere, parse } from "../format";
import { type Key, t, word } from "../i18n";
import { mayConfigure } from "../state/session";
import { changeSite, isAsShipped, readSite, site, siteFailure } from "../state/site";
import { SelectField, TextField } from "./field";
import { FormBox } from "./form-box";
import { Icon } from "./icons";
import { Loading } from "./loading";
import { useForm } from "./use-form";

const CHARACTERISTICS: readonly Characteristic[] = ["gg", "b", "c", "d", "linky", "none"];
const GRIDS: readonly Grid[] = ["tn_3ph", "it_3ph", "tn_1ph"];
const MODES: readonly Mode[] = ["control", "observe"];
const FIELDS = ["name", "time_zone", "main_fuse.rating_a", "main_fuse.characteristic", "grid", "margin_a", "mode"] as const;

interface Draft {
  name: string;
  timeZone: string;
  ratings: string[];
  perPhase: boolean;
  characteristic: Characteristic;
  grid: Grid;
  margin: string;
  mode: Mode;
}

function draftOf(from: Site): Draft {
  const rating = from.main_fuse.rating_a;
  const one = typeof rating === "number" ? String(rating) : String(rating[0] ?? "");
  // A new house most likely stands where its page is first looked at.
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return {
    name: from.name ?? "",
    timeZone: isAsShipped(from) ? here : (from.time_zone ?? "UTC"),
    ratings: typeof rating === "number" ? [one, one, one] : [0, 1, 2].map((i) => String(rating[i] ?? one)),
    perPhase: typeof rating !== "number",
    characteristic: from.main_fuse.characteristic,
    grid: from.grid,
    margin: String(from.margin_a),
    mode: from.mode,
  };
}

const highest = (rating: number | number[]): number => (typeof rating === "number" ? rating : Math.max(...rating));

const ratingText = (rating: number | number[]): string =>
  typeof rating === "number" ? ampere(rating) : rating.map((r) => ampere(r)).join(" / ");

function savedText(saved: Site): string {
  return t("site.saved", {
    rating: ratingText(saved.main_fuse.rating_a),
    characteristic: word("fuse", saved.main_fuse.characteristic),
    margin: ampere(saved.margin_a),
    grid: word("grid", saved.grid),
    mode: word("mode", saved.mode),
  });
}

type Numbers = { rating: number | number[]; margin: number };

/** The draft's numbers, or what is wrong with them. */
function numbers(draft: Draft): Numbers | FieldError[] {
  const wrong: FieldError[] = [];
  const read = (text: string, field: string): number => {
    const value = parse(text);
    if (value === null) wrong.push({ field, code: "number", message: t("site.number") });
    return value ?? 0;
  };
  const perPhase = draft.perPhase && draft.grid !== "tn_1ph";
  const rating = perPhase
    ? draft.ratings.map((r, i) => read(r, `main_fuse.rating_a.${i}`))
    : read(draft.ratings[0] ?? "", "main_fuse.rating_a");
  const margin = read(draft.margin, "margin_a");
  return wrong.length > 0 ? wrong : { rating, margin };
}

function Raise({ from, to, onYes, onNo }: { from: string; to: string; onYes: () => void; onNo: () => void }) {
  const yes = useRef<HTMLButtonElement>(null);
  useEffect(() => yes.current?.focus(), []);
  return (
    <div class="confirm" role="group" aria-label={t("site.raise.title", { from, to })}>
      <p>
        <strong>{t("site.raise.title", { from, to })}</strong> {t("site.raise.text", { from, to })}
      </p>
      <div class="row">
        <button type="button" class="primary" data-act="raise" ref={yes} onClick={onYes}>
          {t("site.raise.yes", { from, to })}
        </button>
        <button type="button" onClick={onNo}>
          {t("site.raise.no", { from, to })}
        </button>
      </div>
    </div>
  );
}

export function SiteForm() {
  const draft = useSignal<Draft | null>(null);
  const form = useForm(FIELDS);
  const raise = useSignal<{ from: string; to: string } | null>(null);

  const present = site.value;
  if (present === null) {
    return (
      <section class="panel" aria-labelledby="site-heading">
        <h2 id="site-heading">{t("site.heading")}</h2>
        {siteFailure.value === null ? (
          <Loading />
        ) : (
          <>
            <p class="said is-bad">{t("settings.unread", { error: explain(siteFailure.value) })}</p>
            <button type="button" onClick={() => void readSite().catch(() => undefined)}>
              {t("settings.again")}
            </button>
          </>
        )}
      </section>
    );
  }
  const shown = draft.value ?? draftOf(present);
  const edit = (part: Partial<Draft>): void => {
    draft.value = { ...shown, ...part };
    form.message.value = "";
    raise.value = null;
  };
  const forget = (): void => {
    draft.value = null;
    raise.value = null;
    form.mark([]);
  };

  const save = (confirmed: boolean): void => {
    const read = numbers(shown);
    raise.value = null;
    if (Array.isArray(read)) {
      form.mark(read);
      return;
    }
    const before = present.main_fuse.rating_a;
    if (!confirmed && highest(read.rating) > highest(before)) {
      form.say("", false);
      raise.value = { from: ratingText(before), to: ratingText(read.rating) };
      return;
    }
    void form.send(async () => {
      const saved = await changeSite((whole) => ({
        ...whole,
        name: shown.name.trim(),
        time_zone: shown.timeZone.trim(),
        mode: shown.mode,
        grid: shown.grid,
        margin_a: read.margin,
        main_fuse: { ...whole.main_fuse, rating_a: read.rating, characteristic: shown.characteristic },
      }));
      draft.value = null;
      return savedText(saved);
    });
  };

  const locked = !mayConfigure.value;
  const threePhases = shown.grid !== "tn_1ph";
  const perPhase = shown.perPhase && threePhases;
  const setRating = (index: number, value: string): void =>
    edit({ ratings: shown.ratings.map((r, i) => (i === index || !perPhase ? value : r)) });
  // What is wrong with one phase stands at its field.
  const ofOnePhase = [0, 1, 2].flatMap((i) => form.of(`main_fuse.rating_a.${i}`));
  const wholeRating = form.of("main_fuse.rating_a").filter((message) => !ofOnePhase.includes(message));
  const undo = (
    <button type="button" disabled={draft.value === null} onClick={forget}>
      {t("site.undo")}
    </button>
  );
  const ask = raise.value === null ? null : <Raise {...raise.value} onYes={() => save(true)} onNo={forget} />;

  return (
    <section class="panel" aria-labelledby="site-heading">
      <h2 id="site-heading">{t("site.heading")}</h2>
      <p class="hint">{t("site.help")}</p>
      <FormBox form={form} name="site" submit={t("site.save")} locked={locked} ask={ask} beside={undo} onSubmit={() => save(false)}>
        {perPhase ? (
          <div class="thirds">
            {(["l1", "l2", "l3"] as const).map((p, i) => (
              <TextField
                key={p}
                id={`rating-${p}`}
                label={t("site.rating.phase", { phase: word("phase", p) })}
                unit="A"
                inputMode="decimal"
                disabled={locked}
                errors={form.of(`main_fuse.rating_a.${i}`)}
                value={shown.ratings[i] ?? ""}
                onInput={(v) => setRating(i, v)}
              />
            ))}
            {wholeRating.length === 0 ? null : (
              <p class="field-error" id="rating-error">
                <Icon name="warn" /> {wholeRating.join(" ")}
              </p>
            )}
          </div>
        ) : (
          <TextField
            id="rating"
            label={t("site.rating")}
            unit="A"
            inputMode="decimal"
            disabled={locked}
            errors={form.of("main_fuse.rating_a")}
            value={shown.ratings[0] ?? ""}
            onInput={(v) => setRating(0, v)}
          />
        )}
        {threePhases ? (
          <div class="check">
            <input
              id="per-phase"
              type="checkbox"
              disabled={locked}
              checked={shown.perPhase}
              aria-describedby="per-phase-hint"
              onChange={(event) => edit({ perPhase: event.currentTarget.checked })}
            />
            <label for="per-phase">{t("site.perphase")}</label>
            <span class="hint" id="per-phase-hint">{t("site.perphase.help")}</span>
          </div>
        ) : null}
        <div class="pair">
          <SelectField
            id="characteristic"
            label={t("site.characteristic")}
            hint={t("site.characteristic.help")}
            disabled={locked}
            errors={form.of("main_fuse.characteristic")}
            value={shown.characteristic}
            options={CHARACTERISTICS.map((c) => [c, t(`fuse.${c}` as Key)] as const)}
            onChange={(characteristic) => edit({ characteristic })}
          />
          <TextField
            id="margin"
            label={t("site.margin")}
            hint={t("site.margin.help")}
            unit="A"
            inputMode="decimal"
            disabled={locked}
            errors={form.of("margin_a")}
            value={shown.margin}
            onInput={(margin) => edit({ margin })}
          />
        </div>
        <SelectField
          id="grid"
          label={t("site.grid")}
          hint={t("site.grid.help")}
          disabled={locked}
          errors={form.of("grid")}
          value={shown.grid}
          options={GRIDS.map((g) => [g, t(`grid.${g}` as Key)] as const)}
          onChange={(grid) => edit({ grid })}
        />
        <SelectField
          id="mode"
          label={t("site.mode")}
          hint={t(`mode.${shown.mode}.long` as Key)}
          disabled={locked}
          errors={form.of("mode")}
          value={shown.mode}
          options={MODES.map((m) => [m, t(`mode.${m}` as Key)] as const)}
          onChange={(mode) => edit({ mode })}
        />
        <div class="pair">
          <TextField
            id="site-name"
            label={t("site.name")}
            disabled={locked}
            errors={form.of("name")}
            value={shown.name}
            onInput={(name) => edit({ name })}
          />
          <TextField
            id="time-zone"
            label={t("site.time_zone")}
            disabled={locked}
            errors={form.of("time_zone")}
            value={shown.timeZone}
            onInput={(timeZone) => edit({ timeZone })}
          />
        </div>
      </FormBox>
    </section>
  );
}
