/** Where the meter is read, its keys, and at once below what is heard there. */
import { FormBox } from "./form-box";
import { Loading } from "./loading";
import { Told } from "./told";
import { useSignal } from "@preact/signals";
import type { MeterSettings } from "../api/types";
import { meterNumber, parse } from "../format";
import { t, word } from "../i18n";
import { isFrozen } from "../state/guard";
import { outdated, status } from "../state/live";
import { changeMeter, heardText, meterSettings } from "../state/meter";
import { mayConfigure } from "../state/session";
import { Badge, type Tone } from "./badge";
import { TextField } from "./field";
import type { IconName } from "./icons";
import { useForm } from "./use-form";

const FIELDS = ["source", "key", "auth_key", "ct_ratio"] as const;
/** As they are written; the words behind them are in the table of texts. */
const EXAMPLES = [
  ["serial:/dev/serial/by-id/…", "meter.example.serial"],
  ["tcp://192.0.2.5:2001", "meter.example.tcp"],
  ["homewizard://192.0.2.6", "meter.example.homewizard"],
  ["modbus://192.0.2.7:502/sdm630", "meter.example.modbus"],
  ["mqtt://192.0.2.8/house/meter", "meter.example.mqtt"],
  ["file:/home/me/capture.txt", "meter.example.file"],
] as const;

const LOOKS: Readonly<Record<string, [Tone, IconName]>> = {
  ok: ["ok", "check"],
  stale: ["warn", "warn"],
  partial: ["warn", "warn"],
  lost: ["bad", "unplug"],
};

/** What the service hears right now: this is how one sees whether the source is the right one. */
function Heard() {
  const meter = status.value?.meter;
  if (meter === undefined || outdated.value) return null;
  const isSet = meterSettings.value?.source !== null;
  const heard = heardText();
  const [tone, icon] = (isSet ? LOOKS[meter.state] : undefined) ?? (["quiet", "dots"] as const);
  const details = [meter.protocol, meter.model, meterNumber(meter), meter.serial].filter((x) => x !== null && x !== undefined && x !== "");
  return (
    <div class="heard" data-heard={meter.state}>
      <p class="heard-head">
        <strong>{t("meter.heard")}</strong>
        <Badge tone={tone} icon={icon}>
          {!isSet ? t("meter.unset") : isFrozen.value ? t("meter.frozen") : word("meter", meter.state)}
        </Badge>
      </p>
      <p data-meter-text="">{isSet ? heard === undefined ? t("meter.silent") : <Told text={heard} /> : t("meter.unset.text")}</p>
      {details.length === 0 ? null : <p class="note">{details.join(" · ")}</p>}
    </div>
  );
}

interface Draft {
  source: string;
  key: string;
  authKey: string;
  ratio: string;
  forget: boolean;
}

const stored = (from: MeterSettings): string => (from.pinned === true ? from.stored_source : from.source) ?? "";

const draftOf = (from: MeterSettings): Draft => ({
  source: stored(from),
  key: "",
  authKey: "",
  ratio: from.ct_ratio === null ? "" : String(from.ct_ratio),
  forget: false,
});

/** A key that is left empty stays as it is stored. */
function bodyOf(draft: Draft, ratio: number | null): Record<string, unknown> {
  const source = draft.source.trim();
  const body: Record<string, unknown> = { source: source === "" ? null : source, ct_ratio: ratio };
  const keys = [["key", draft.key], ["auth_key", draft.authKey]] as const;
  for (const [name, text] of keys) {
    if (draft.forget) body[name] = null;
    else if (text.trim() !== "") body[name] = text.trim();
  }
  return body;
}

export function MeterForm({ level = 3 }: { level?: 2 | 3 }) {
  const draft = useSignal<Draft | null>(null);
  const form = useForm(FIELDS);
  const present = meterSettings.value;
  const Heading = level === 2 ? "h2" : "h3";
  const heading = <Heading id="meter-heading">{t("meter.heading")}</Heading>;
  if (present === null) {
    return (
      <section class="panel" aria-labelledby="meter-heading">
        {heading}
        <Loading />
      </section>
    );
  }
  const locked = !mayConfigure.value;
  const shown = draft.value ?? draftOf(present);
  const edit = (part: Partial<Draft>): void => {
    draft.value = { ...shown, ...part };
    form.message.value = "";
  };
  const save = (): void => {
    const ratio = parse(shown.ratio);
    if (shown.ratio.trim() !== "" && ratio === null) {
      form.mark([{ field: "ct_ratio", code: "number", message: t("meter.ratio.bad") }]);
      return;
    }
    void form.send(async () => {
      const saved = await changeMeter(bodyOf(shown, ratio));
      draft.value = null;
      if (saved.pinned === true) return t("meter.saved.pinned");
      return t(saved.source === null ? "meter.saved.none" : "meter.saved");
    });
  };
  const undo = (
    <button
      type="button"
      disabled={draft.value === null}
      onClick={() => {
        draft.value = null;
        form.say("", false);
      }}
    >
      {t("site.undo")}
    </button>
  );
  const keyHint = t(present.key_set ? "meter.key.set" : "meter.key.help");
  return (
    <section class="panel" aria-labelledby="meter-heading">
      {heading}
      <p class="hint">{t("meter.help")}</p>
      {present.pinned === true ? <p class="note">{t("meter.pinned", { source: present.source ?? "" })}</p> : null}
      <FormBox form={form} name="meter" submit={t("meter.save")} locked={locked} onSubmit={save} beside={undo}>
        <TextField
          id="meter-source"
          label={t("meter.source")}
          placeholder={EXAMPLES[0][0]}
          disabled={locked}
          errors={form.of("source")}
          value={shown.source}
          onInput={(source) => {
            form.forgive("source");
            edit({ source });
          }}
        />
        {shown.source.trim().startsWith("file:") ? <p class="hint" data-file="">{t("meter.example.file")}</p> : null}
        <Heard />
        <details class="help" open={present.source === null}>
          <summary>{t("meter.examples")}</summary>
          <dl class="examples">
            {EXAMPLES.map(([source, text]) => (
              <div key={source}>
                <dt>
                  <code>{source}</code>
                </dt>
                <dd>{t(text)}</dd>
              </div>
            ))}
          </dl>
        </details>
        <details class="help" open={form.of("key").length + form.of("auth_key").length + form.of("ct_ratio").length > 0}>
          <summary>{t("meter.keys")}</summary>
          <div class="pair">
            <TextField
              id="meter-key"
              type="password"
              label={t("meter.key")}
              hint={keyHint}
              autocomplete="off"
              disabled={locked || shown.forget}
              errors={form.of("key")}
              value={shown.key}
              onInput={(key) => edit({ key })}
            />
            <TextField
              id="meter-auth-key"
              type="password"
              label={t("meter.auth_key")}
              hint={t("meter.auth_key.help")}
              autocomplete="off"
              disabled={locked || shown.forget}
              errors={form.of("auth_key")}
              value={shown.authKey}
              onInput={(authKey) => edit({ authKey })}
            />
          </div>
          {present.key_set ? (
            <div class="check">
              <input
                id="meter-forget"
                type="checkbox"
                disabled={locked}
                checked={shown.forget}
                onChange={(event) => edit({ forget: event.currentTarget.checked })}
              />
              <label for="meter-forget">{t("meter.key.forget")}</label>
            </div>
          ) : null}
          <TextField
            id="meter-ratio"
            label={t("meter.ratio")}
            hint={t("meter.ratio.help")}
            inputMode="decimal"
            disabled={locked}
            errors={form.of("ct_ratio")}
            value={shown.ratio}
            onInput={(ratio) => edit({ ratio })}
          />
        </details>
      </FormBox>
    </section>
  );
}
