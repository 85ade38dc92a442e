/**
 * Step 2: the main fuse and the grid. The service judges every value; a rating that is higher than the stored one is
 * typed a second time before it is sent.
 */
import { FormBox } from "../components/form-box";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Characteristic, FieldError, Grid, Site } from "../api/types";
import { SelectField, TextField } from "../components/field";
import { Loading } from "../components/loading";
import { useForm } from "../components/use-form";
import { ampere, parse } from "../format";
import { type Key, t, word } from "../i18n";
import { changeSite, isAsShipped, site } from "../state/site";
import { useDraft } from "./draft";
import { Grids } from "./grids";
import { pass } from "./steps";

/** Main fuses that houses have, in ampere. */
const COMMON: readonly number[] = [16, 20, 25, 32, 35, 40, 50, 63];
const CHARACTERISTICS: readonly Characteristic[] = ["gg", "b", "c", "d", "linky", "none"];
const FIELDS = ["name", "time_zone", "main_fuse.rating_a", "main_fuse.characteristic", "grid", "margin_a", "max_power_w"] as const;
const W_PER_KW = 1000;
/** What the service takes as a rating, in ampere. */
const RATING = { least: 1, most: 1000 } as const;
/** The field of the service in which a part of the draft goes. */
const FIELD_OF: Readonly<Record<keyof Draft, (typeof FIELDS)[number]>> = {
  name: "name",
  timeZone: "time_zone",
  rating: "main_fuse.rating_a",
  characteristic: "main_fuse.characteristic",
  grid: "grid",
  margin: "margin_a",
  cap: "max_power_w",
};

interface Draft {
  name: string;
  timeZone: string;
  rating: string;
  characteristic: Characteristic;
  grid: Grid;
  margin: string;
  cap: string;
}

const ratingText = (from: Site): string => (typeof from.main_fuse.rating_a === "number" ? String(from.main_fuse.rating_a) : "");
const highest = (from: Site): number => (typeof from.main_fuse.rating_a === "number" ? from.main_fuse.rating_a : Math.max(...from.main_fuse.rating_a));

function stored(from: Site): Draft {
  const cap = from["max_power_w"];
  return {
    name: from.name ?? "",
    // A new house most likely stands where its page is first looked at.
    timeZone: isAsShipped(from) ? Intl.DateTimeFormat().resolvedOptions().timeZone : (from.time_zone ?? "UTC"),
    // What Headroom ships with is nobody's fuse: it is not offered as if it were known.
    rating: isAsShipped(from) ? "" : ratingText(from),
    characteristic: from.main_fuse.characteristic,
    grid: from.grid,
    margin: String(from.margin_a),
    cap: typeof cap === "number" ? String(cap / W_PER_KW) : "",
  };
}

interface Numbers {
  /** `null`: the ratings per phase stay as they are. */
  rating: number | null;
  margin: number;
  capW: number | null;
}

function numbersOf(form: Draft, before: Site): Numbers | FieldError[] {
  const wrong: FieldError[] = [];
  const keepsPhases = typeof before.main_fuse.rating_a !== "number" && form.rating.trim() === "";
  const rating = parse(form.rating);
  if (rating === null && !keepsPhases) wrong.push({ field: "main_fuse.rating_a", code: "number", message: t("site.number") });
  else if (rating !== null && !(rating >= RATING.least && rating <= RATING.most)) {
    wrong.push({ field: "main_fuse.rating_a", code: "range", message: t("setup.fuse.rating.range", { most: ampere(RATING.most) }) });
  }
  const margin = parse(form.margin);
  if (margin === null) wrong.push({ field: "margin_a", code: "number", message: t("site.number") });
  const cap = parse(form.cap);
  if (cap === null && form.cap.trim() !== "") wrong.push({ field: "max_power_w", code: "number", message: t("setup.fuse.cap.bad") });
  if (wrong.length > 0) return wrong;
  return { rating, margin: margin ?? 0, capW: cap === null ? null : Math.round(cap * W_PER_KW) };
}

interface AgainProps {
  to: number;
  onYes: () => void;
  onNo: () => void;
}

/** The second pair of eyes: the rating is read from the fuse once more. */
function Again({ to, onYes, onNo }: AgainProps) {
  const typed = useSignal("");
  const wrong = useSignal(false);
  useEffect(() => document.getElementById("rating-again")?.focus(), []);
  const check = (): void => {
    if (parse(typed.value) === to) onYes();
    else wrong.value = true;
  };
  return (
    <div class="confirm" role="group" aria-labelledby="again-title" data-again="">
      <p>
        <strong id="again-title">{t("setup.fuse.again.title", { to: ampere(to) })}</strong> {t("setup.fuse.again.text")}
      </p>
      <TextField
        id="rating-again"
        label={t("setup.fuse.again.label")}
        unit="A"
        inputMode="decimal"
        errors={wrong.value ? [t("setup.fuse.again.bad", { to: ampere(to) })] : []}
        value={typed.value}
        onInput={(v) => {
          typed.value = v;
          wrong.value = false;
        }}
      />
      <div class="row">
        <button type="button" class="primary" data-act="raise" onClick={check}>
          {t("setup.fuse.again.yes", { to: ampere(to) })}
        </button>
        <button type="button" onClick={onNo}>
          {t("setup.fuse.again.no")}
        </button>
      </div>
    </div>
  );
}

export function FuseStep() {
  const draft = useDraft<Draft>("fuse");
  const form = useForm(FIELDS);
  const asked = useSignal<number | null>(null);
  const present = site.value;
  if (present === null) return <Loading />;
  const shown: Draft = { ...stored(present), ...draft.value };
  const edit = (part: Partial<Draft>): void => {
    draft.value = { ...draft.value, ...part };
    asked.value = null;
    for (const name of Object.keys(part) as (keyof Draft)[]) form.forgive(FIELD_OF[name]);
    form.message.value = "";
  };
  const save = (isSure: boolean): void => {
    const read = numbersOf(shown, present);
    if (Array.isArray(read)) {
      asked.value = null;
      form.mark(read);
      return;
    }
    if (!isSure && read.rating !== null && read.rating > highest(present)) {
      form.say("", false);
      asked.value = read.rating;
      return;
    }
    asked.value = null;
    void form.send(async () => {
      const saved = await changeSite((whole) => ({
        ...whole,
        name: shown.name.trim(),
        time_zone: shown.timeZone.trim(),
        grid: shown.grid,
        margin_a: read.margin,
        max_power_w: read.capW,
        main_fuse: { ...whole.main_fuse, rating_a: read.rating ?? whole.main_fuse.rating_a, characteristic: shown.characteristic },
      }));
      draft.value = {};
      pass("fuse");
      return t("setup.fuse.saved", {
        rating: typeof saved.main_fuse.rating_a === "number" ? ampere(saved.main_fuse.rating_a) : saved.main_fuse.rating_a.map((r) => ampere(r)).join(" / "),
        characteristic: word("fuse", saved.main_fuse.characteristic),
        grid: word("grid", saved.grid),
      });
    });
  };
  const chosen = parse(shown.rating);
  return (
    <FormBox form={form} name="setup-fuse" submit={t("setup.fuse.save")} onSubmit={() => save(false)} ask={asked.value === null ? null : <Again to={asked.value} onYes={() => save(true)} onNo={() => { asked.value = null; }} />}>
      <p>{t("setup.fuse.text")}</p>
      <div class="pair">
        <TextField id="setup-name" label={t("site.name")} errors={form.of("name")} value={shown.name} onInput={(name) => edit({ name })} />
        <TextField id="setup-zone" label={t("site.time_zone")} {...(isAsShipped(present) ? { hint: t("setup.fuse.zone.help") } : {})} errors={form.of("time_zone")} value={shown.timeZone} onInput={(timeZone) => edit({ timeZone })} />
      </div>
      <div>
        <TextField
          id="setup-rating"
          label={t("site.rating")}
          hint={typeof present.main_fuse.rating_a === "number" ? t("setup.fuse.rating.help") : t("setup.fuse.rating.phases")}
          unit="A"
          inputMode="decimal"
          errors={form.of("main_fuse.rating_a")}
          value={shown.rating}
          onInput={(rating) => edit({ rating })}
        />
        <div class="chips" role="group" aria-label={t("setup.fuse.common")}>
          {COMMON.map((rating) => (
            <button key={rating} type="button" class="small" aria-pressed={chosen === rating} onClick={() => edit({ rating: String(rating) })}>
              {ampere(rating)}
            </button>
          ))}
        </div>
      </div>
      <SelectField
        id="setup-characteristic"
        label={t("site.characteristic")}
        hint={t("setup.fuse.characteristic.help")}
        errors={form.of("main_fuse.characteristic")}
        value={shown.characteristic}
        options={CHARACTERISTICS.map((c) => [c, t(`fuse.${c}` as Key)] as const)}
        onChange={(characteristic) => edit({ characteristic })}
      />
      <Grids value={shown.grid} onChange={(grid) => edit({ grid })} />
      <details class="help" open={form.of("margin_a").length + form.of("max_power_w").length > 0}>
        <summary>{t("setup.fuse.more")}</summary>
        <div class="pair">
          <TextField id="setup-margin" label={t("site.margin")} hint={t("setup.fuse.margin.help")} unit="A" inputMode="decimal" errors={form.of("margin_a")} value={shown.margin} onInput={(margin) => edit({ margin })} />
          <TextField id="setup-cap" label={t("setup.fuse.cap")} hint={t("setup.fuse.cap.help")} unit="kW" inputMode="decimal" errors={form.of("max_power_w")} value={shown.cap} onInput={(cap) => edit({ cap })} />
        </div>
      </details>
    </FormBox>
  );
}
