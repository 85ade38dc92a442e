/**
 * The form for main fuse, grid, margin and mode. The service judges every value; this form only sees to it that a
 * number is a number, and asks once more before the rating is raised.
 */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ApiError } from "../api/client";
import type { Characteristic, FieldError, Grid, Mode, Site } from "../api/types";
import { explain, messagesBeside, messagesFor } from "../errors";
import { ampere, parse } from "../format";
import { type Key, t, word } from "../i18n";
import { mayConfigure } from "../state/session";
import { changeSite, isAsShipped, readSite, site, siteFailure } from "../state/site";
import { SelectField, TextField } from "./field";
import { Icon } from "./icons";

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
  const errors = useSignal<readonly FieldError[]>([]);
  const message = useSignal("");
  const bad = useSignal(false);
  const busy = useSignal(false);
  const raise = useSignal<{ from: string; to: string } | null>(null);

  const present = site.value;
  if (present === null) {
    return (
      <section class="panel" aria-labelledby="site-heading">
        <h2 id="site-heading">{t("site.heading")}</h2>
        {siteFailure.value === null ? (
          <p class="empty">{t("settings.loading")}</p>
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
  const form = draft.value ?? draftOf(present);
  const edit = (part: Partial<Draft>): void => {
    draft.value = { ...form, ...part };
    message.value = "";
    raise.value = null;
  };
  const undo = (): void => {
    draft.value = null;
    errors.value = [];
    message.value = "";
    raise.value = null;
  };
  const say = (text: string, isBad: boolean): void => {
    message.value = text;
    bad.value = isBad;
  };

  const save = async (confirmed: boolean): Promise<void> => {
    const read = numbers(form);
    errors.value = [];
    raise.value = null;
    if (Array.isArray(read)) {
      errors.value = read;
      say(t("site.invalid"), true);
      return;
    }
    const before = present.main_fuse.rating_a;
    if (!confirmed && highest(read.rating) > highest(before)) {
      raise.value = { from: ratingText(before), to: ratingText(read.rating) };
      return;
    }
    busy.value = true;
    try {
      const saved = await changeSite((whole) => ({
        ...whole,
        name: form.name.trim(),
        time_zone: form.timeZone.trim(),
        mode: form.mode,
        grid: form.grid,
        margin_a: read.margin,
        main_fuse: { ...whole.main_fuse, rating_a: read.rating, characteristic: form.characteristic },
      }));
      draft.value = null;
      say(savedText(saved), false);
    } catch (error) {
      if (error instanceof ApiError && error.status === 422) {
        errors.value = error.errors;
        const beside = messagesBeside(error.errors, FIELDS);
        say([t("site.invalid"), ...(error.errors.length === 0 ? [error.message] : beside)].join(" "), true);
      } else {
        say(t("site.failed", { error: explain(error) }), true);
      }
    } finally {
      busy.value = false;
    }
  };

  const locked = !mayConfigure.value;
  const threePhases = form.grid !== "tn_1ph";
  const perPhase = form.perPhase && threePhases;
  const setRating = (index: number, value: string): void =>
    edit({ ratings: form.ratings.map((r, i) => (i === index || !perPhase ? value : r)) });
  const ofOnePhase = [0, 1, 2].map((i) => `main_fuse.rating_a.${i}`);
  const wholeRating = messagesFor(
    errors.value.filter((e) => messagesBeside([e], ofOnePhase).length > 0),
    "main_fuse.rating_a",
  );

  return (
    <section class="panel" aria-labelledby="site-heading">
      <h2 id="site-heading">{t("site.heading")}</h2>
      <p class="hint">{t("site.help")}</p>
      <form
        data-form="site"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void save(false);
        }}
      >
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
                errors={messagesFor(errors.value, `main_fuse.rating_a.${i}`)}
                value={form.ratings[i] ?? ""}
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
            errors={messagesFor(errors.value, "main_fuse.rating_a")}
            value={form.ratings[0] ?? ""}
            onInput={(v) => setRating(0, v)}
          />
        )}
        {threePhases ? (
          <div class="check">
            <input
              id="per-phase"
              type="checkbox"
              disabled={locked}
              checked={form.perPhase}
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
            errors={messagesFor(errors.value, "main_fuse.characteristic")}
            value={form.characteristic}
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
            errors={messagesFor(errors.value, "margin_a")}
            value={form.margin}
            onInput={(margin) => edit({ margin })}
          />
        </div>
        <SelectField
          id="grid"
          label={t("site.grid")}
          hint={t("site.grid.help")}
          disabled={locked}
          errors={messagesFor(errors.value, "grid")}
          value={form.grid}
          options={GRIDS.map((g) => [g, t(`grid.${g}` as Key)] as const)}
          onChange={(grid) => edit({ grid })}
        />
        <SelectField
          id="mode"
          label={t("site.mode")}
          hint={t(`mode.${form.mode}.long` as Key)}
          disabled={locked}
          errors={messagesFor(errors.value, "mode")}
          value={form.mode}
          options={MODES.map((m) => [m, t(`mode.${m}` as Key)] as const)}
          onChange={(mode) => edit({ mode })}
        />
        <div class="pair">
          <TextField
            id="site-name"
            label={t("site.name")}
            disabled={locked}
            errors={messagesFor(errors.value, "name")}
            value={form.name}
            onInput={(name) => edit({ name })}
          />
          <TextField
            id="time-zone"
            label={t("site.time_zone")}
            disabled={locked}
            errors={messagesFor(errors.value, "time_zone")}
            value={form.timeZone}
            onInput={(timeZone) => edit({ timeZone })}
          />
        </div>
        {raise.value === null ? null : (
          <Raise {...raise.value} onYes={() => void save(true)} onNo={undo} />
        )}
        <p class={bad.value ? "said is-bad" : "said is-good"} role="status" data-said="site">
          {message.value}
        </p>
        {locked ? null : (
          <div class="row">
            <button type="submit" class="primary" disabled={busy.value}>
              {t(busy.value ? "site.saving" : "site.save")}
            </button>
            <button type="button" disabled={draft.value === null} onClick={undo}>
              {t("site.undo")}
            </button>
          </div>
        )}
      </form>
    </section>
  );
}
