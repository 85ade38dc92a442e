/** Step 4: water heaters, heat pumps and the like behind a relay. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { post } from "../api/client";
import { AddRelay, keyOf, numbers, PhasesField, phasesOf, WIRINGS } from "../components/add-load";
import { TextField } from "../components/field";
import { RemoveLoads } from "../components/remove-load";
import { Said, Submit } from "../components/said";
import { useForm } from "../components/use-form";
import { t } from "../i18n";
import { mayConfigure } from "../state/session";
import { site } from "../state/site";
import { Configured } from "./configured";
import { found, readFound, readLoads, searching, usePoll } from "./data";
import type { Driver } from "./types";

const NETWORK_EVERY_MS = 5_000;
/** A water heater, the load that most houses can put off. */
const USUAL_W = "2000";

interface TakeProps {
  title: string;
  driver: Driver;
  onDone: (text: string) => void;
  onCancel: () => void;
}

function Take({ title, driver, onDone, onCancel }: TakeProps) {
  const form = useForm(["name", "rated_w", "phases", "driver.password"]);
  const name = useSignal(title);
  const rated = useSignal(USUAL_W);
  const password = useSignal("");
  const grid = site.value?.grid ?? "tn_3ph";
  const wiring = useSignal(grid === "tn_3ph" ? "l1" : keyOf(WIRINGS[grid][0] ?? null));
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const save = (): void => {
    const { values, wrong } = numbers({ rated_w: rated.value });
    if (name.value.trim() === "") wrong.push({ field: "name", code: "required", message: t("setup.name.bad") });
    if (wrong.length > 0) {
      form.mark(wrong);
      return;
    }
    void form.send(async () => {
      const secret = password.value === "" ? {} : { password: password.value };
      const made = await post<{ name: string }>("/slow-loads", {
        name: name.value.trim(),
        driver: { ...driver, ...secret },
        phases: phasesOf(wiring.value),
        ...values,
      });
      await readLoads().catch(() => undefined);
      onDone(t("add.relay.done", { name: made.name }));
      return "";
    });
  };
  return (
    <form
      class="adopt"
      data-form="take-relay"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <h4 tabIndex={-1} ref={heading}>
        {t("setup.adopt.title", { name: title })}
      </h4>
      <div class="pair">
        <TextField id="take-name" label={t("add.name")} errors={form.of("name")} value={name.value} onInput={(v) => { name.value = v; }} />
        <TextField id="take-rated" label={t("add.relay.rated")} unit="W" inputMode="decimal" errors={form.of("rated_w")} value={rated.value} onInput={(v) => { rated.value = v; }} />
      </div>
      <PhasesField id="take-phases" value={wiring.value} form={form} onChange={(v) => { wiring.value = v; }} />
      <TextField id="take-password" type="password" label={t("add.relay.password")} hint={t("add.relay.password.help")} autocomplete="new-password" errors={form.of("driver.password")} value={password.value} onInput={(v) => { password.value = v; }} />
      <Said form={form} name="take-relay" />
      <div class="row">
        <Submit form={form} text={t("setup.adopt.save")} />
        <button type="button" onClick={onCancel}>
          {t("setup.cancel")}
        </button>
      </div>
    </form>
  );
}

export function LoadsStep() {
  usePoll(readFound, NETWORK_EVERY_MS);
  const chosen = useSignal<{ title: string; driver: Driver } | null>(null);
  const done = useSignal("");
  const answer = useRef<HTMLParagraphElement>(null);
  const relays = (found.value ?? []).flatMap((one) => (one.kind === "relay" && one.driver !== null && !one.already_configured ? [{ one, driver: one.driver }] : []));
  const now = chosen.value;
  return (
    <>
      <p>{t("setup.loads.text")}</p>
      <h3 id="relays-heading">{t("setup.loads.found")}</h3>
      {relays.length === 0 ? (
        <p class="empty">{t(searching.value || found.value === null ? "setup.network.searching" : "setup.loads.none")}</p>
      ) : (
        <ul class="plain finds" aria-labelledby="relays-heading">
          {relays.map(({ one, driver }) => (
            <li key={`${one.name} ${one.host}`}>
              <span class="find-name">
                <strong>{one.name}</strong>
                <span class="note">{one.host}</span>
              </span>
              {mayConfigure.value ? (
                <button
                  type="button"
                  class="small"
                  aria-label={t("setup.waiting.adopt.label", { name: one.name })}
                  onClick={() => {
                    done.value = "";
                    chosen.value = { title: one.name, driver };
                  }}
                >
                  {t("add.charger.adopt")}
                </button>
              ) : null}
            </li>
          ))}
        </ul>
      )}
      {now === null ? null : (
        <Take
          key={JSON.stringify(now.driver)}
          title={now.title}
          driver={now.driver}
          onDone={(text) => {
            done.value = text;
            chosen.value = null;
            // The form is gone: who goes by the keyboard stands at its answer.
            answer.current?.focus();
          }}
          onCancel={() => {
            chosen.value = null;
          }}
        />
      )}
      <p class="said is-good" role="status" data-said="loads" tabIndex={-1} ref={answer}>
        {done.value}
      </p>
      <Configured kind="slow_load" />
      {mayConfigure.value ? (
        <>
          <details class="add">
            <summary>{t("setup.loads.manual")}</summary>
            <AddRelay />
          </details>
          <RemoveLoads />
        </>
      ) : null}
    </>
  );
}
