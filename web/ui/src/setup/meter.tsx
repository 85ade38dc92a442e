/** Step 1: where the meter is read, what is heard there at once, and what to do when nothing is. */
import { FormBox } from "../components/form-box";
import { useSignal } from "@preact/signals";
import { Badge, type Tone } from "../components/badge";
import { TextField } from "../components/field";
import type { IconName } from "../components/icons";
import { MeterForm } from "../components/meter-form";
import { Said } from "../components/said";
import { useForm } from "../components/use-form";
import { t, word } from "../i18n";
import { status } from "../state/live";
import { changeMeter, meterSettings } from "../state/meter";
import { mayConfigure } from "../state/session";
import { candidates, found, readCandidates, readFound, searching, usePoll } from "./data";
import { Heard, Silent, isSilent, wantsKey } from "./heard";

/** Ports come and go by hand; a person who plugs one in looks at the page a moment later. */
const PORTS_EVERY_MS = 3_000;
const NETWORK_EVERY_MS = 5_000;

interface Place {
  source: string;
  title: string;
}

/** What was found, or is read now: a source that was written by hand and is read no more was not found here. */
const isHere = (source: string): boolean => source.startsWith("serial:") || source === status.value?.meter.source;

/** Ports of this computer first, then what announces itself in the network. */
function places(): Place[] {
  const ports = (candidates.value ?? []).filter(({ source }) => isHere(source)).map(({ source }) => ({ source, title: titleOf(source) }));
  const known = new Set(ports.map((port) => port.source));
  const meters = (found.value ?? []).flatMap((one) =>
    one.kind === "meter" && one.source !== null && !known.has(one.source)
      ? [{ source: one.source, title: t("setup.meter.network", { name: one.name, host: one.host }) }]
      : [],
  );
  return [...ports, ...meters];
}

function titleOf(source: string): string {
  const port = /^serial:(?:\/dev\/)?(?:serial\/by-id\/)?([^?]+)/.exec(source)?.[1];
  return port === undefined ? source : t("setup.meter.port", { port });
}

/** A light with its word: whether this place is read, and whether a meter is heard there. */
function Light({ source }: { source: string }) {
  const meter = status.value?.meter;
  let look: readonly [Tone, IconName, string] = ["quiet", "dots", t("setup.meter.light.off")];
  if (meter !== undefined && meter.source === source) {
    if (meter.state === "ok") look = ["ok", "check", t("setup.meter.light.ok")];
    else if (wantsKey(meter)) look = ["warn", "warn", t("setup.meter.light.key")];
    else if (meter.state === "waiting") look = ["info", "clock", t("setup.meter.light.listening")];
    else look = ["warn", "warn", word("meter", meter.state)];
  }
  return (
    <Badge tone={look[0]} icon={look[1]}>
      {look[2]}
    </Badge>
  );
}

function Places() {
  const form = useForm(["source"]);
  const inUse = status.value?.meter.source ?? null;
  const all = places();
  const take = (place: Place): void => {
    void form.send(async () => {
      const ratio = meterSettings.value?.ct_ratio ?? null;
      const saved = await changeMeter({ source: place.source, ct_ratio: ratio });
      void readCandidates().catch(() => undefined);
      return saved.pinned === true ? t("meter.saved.pinned") : t("setup.meter.taken", { name: place.title });
    });
  };
  return (
    <>
      <h3 id="places-heading">{t("setup.meter.places")}</h3>
      {all.length === 0 ? (
        <p class="empty">{t(candidates.value === null ? "settings.loading" : searching.value ? "setup.meter.none.yet" : "setup.meter.none")}</p>
      ) : (
        <ul class="plain finds" aria-labelledby="places-heading">
          {all.map((place) => (
            <li key={place.source} data-source={place.source} class={place.source === inUse ? "is-taken" : ""}>
              <span class="find-name">
                <strong>{place.title}</strong>
                <code>{place.source}</code>
              </span>
              <Light source={place.source} />
              {place.source === inUse || !mayConfigure.value ? null : (
                <button type="button" class="small" disabled={form.busy.value} aria-label={t("setup.meter.take.label", { name: place.title })} onClick={() => take(place)}>
                  {t("setup.meter.take")}
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      <Said form={form} name="places" />
    </>
  );
}

/** An encrypted meter was recognised: its key, and nothing else. */
function Key() {
  const form = useForm(["key", "auth_key"]);
  const key = useSignal("");
  const present = meterSettings.value;
  const meter = status.value?.meter;
  if (present === null || meter === undefined || !wantsKey(meter)) return null;
  const save = (): void => {
    if (key.value.trim() === "") {
      form.mark([{ field: "key", code: "required", message: t("setup.meter.key.bad") }]);
      return;
    }
    void form.send(async () => {
      const source = present.pinned === true ? (present.stored_source ?? null) : present.source;
      await changeMeter({ source, ct_ratio: present.ct_ratio, key: key.value.trim() });
      key.value = "";
      return t("setup.meter.key.saved");
    });
  };
  return (
    <FormBox form={form} name="setup-key" class="confirm" submit={t("setup.meter.key.save")} onSubmit={save}>
      <p>
        <strong>{t("setup.meter.key.title")}</strong> {t("setup.meter.key.text")}
      </p>
      <TextField id="setup-key" type="password" label={t("meter.key")} autocomplete="off" errors={form.of("key")} value={key.value} onInput={(v) => { key.value = v; }} />
    </FormBox>
  );
}

export function MeterStep() {
  usePoll(readCandidates, PORTS_EVERY_MS);
  usePoll(readFound, NETWORK_EVERY_MS);
  const isSet = (meterSettings.value?.source ?? null) !== null;
  return (
    <>
      <p>{t("setup.meter.text")}</p>
      <Places />
      <Key />
      {isSet ? <Heard /> : null}
      {isSet && isSilent() ? <Silent /> : null}
      <details class="add">
        <summary>{t("setup.meter.manual")}</summary>
        <MeterForm />
      </details>
    </>
  );
}
