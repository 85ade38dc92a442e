/** Step 7: what is protected and what is not, from observing to control, and the report to print. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "../components/icons";
import { Said } from "../components/said";
import { useForm } from "../components/use-form";
import { t } from "../i18n";
import { href } from "../route";
import { status } from "../state/live";
import { mayConfigure } from "../state/session";
import { site } from "../state/site";
import { Commissioning } from "./commissioning";
import { readLoads, usePoll } from "./data";
import { guarded, protectedHeading } from "./guarded";
import { isForTests, remember, setMode } from "./trial-control";

const LOADS_EVERY_MS = 10_000;

function Summary() {
  const { yes, no } = guarded();
  return (
    <div class="pair">
      <section aria-labelledby="guard-yes">
        <h3 id="guard-yes">{protectedHeading()}</h3>
        {yes.length === 0 ? <p class="empty">{t("setup.live.nothing")}</p> : null}
        <ul class="plain verdicts">
          {yes.map((text) => (
            <li key={text} class="is-good">
              <Icon name="check" /> <span>{text}</span>
            </li>
          ))}
        </ul>
      </section>
      <section aria-labelledby="guard-no">
        <h3 id="guard-no">{t("setup.live.no")}</h3>
        <ul class="plain verdicts">
          {no.map((text) => (
            <li key={text} class="is-open">
              <Icon name="warn" /> <span>{text}</span>
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
}

/** One button, asked for a second time. */
function GoLive() {
  const form = useForm([]);
  const asks = useSignal(false);
  const yes = useRef<HTMLButtonElement>(null);
  useEffect(() => yes.current?.focus(), [asks.value]);
  const mode = status.value?.mode;
  const isLive = mode === "control" && !isForTests.value;
  const live = (): void => {
    asks.value = false;
    void form.send(async () => {
      await setMode("control");
      remember(false);
      return "";
    });
  };
  const back = (): void => {
    asks.value = false;
    void form.send(async () => {
      await setMode("observe");
      remember(false);
      return t("setup.live.observing");
    });
  };
  // Started so that nothing is commanded, whatever is stored.
  const isForbidden = mode === "observe" && site.value?.mode === "control";
  if (isForbidden) {
    return <p class="setup-note tone-warn" data-live="forbidden">{t("setup.live.forbidden")}</p>;
  }
  if (isLive) {
    return (
      <div class="setup-note tone-ok" data-live="yes">
        <p role="status">
          <Icon name="check" /> <strong>{t("setup.live.is")}</strong> {t("setup.live.is.text")}
        </p>
        <p>
          <a href={href("live")}>{t("setup.live.look")}</a>
        </p>
        <Said form={form} name="live" />
        {mayConfigure.value ? (
          <details class="help">
            <summary>{t("setup.live.back")}</summary>
            <p>{t("setup.live.back.text")}</p>
            <button type="button" class="small" data-act="observe" disabled={form.busy.value} onClick={back}>
              {t("setup.live.back.yes")}
            </button>
          </details>
        ) : null}
      </div>
    );
  }
  if (!mayConfigure.value) return <p class="setup-note">{t("setup.live.viewer")}</p>;
  return (
    <div class="confirm" data-live="no">
      <p>
        <strong>{t(mode === "control" ? "setup.live.tests" : "setup.live.not")}</strong> {t("setup.live.text")}
      </p>
      <Said form={form} name="live" />
      <div class="row">
        {asks.value ? (
          // Not where the first button was: a double click confirms nothing.
          <>
            <button key="no" type="button" onClick={() => { asks.value = false; }}>
              {t("setup.cancel")}
            </button>
            <button key="yes" type="button" class="primary" data-act="live-yes" ref={yes} disabled={form.busy.value} onClick={live}>
              {t("setup.live.yes.button")}
            </button>
          </>
        ) : (
          <>
            <button key="live" type="button" class="primary" data-act="live" disabled={form.busy.value} onClick={() => { asks.value = true; }}>
              {t("setup.live.button")}
            </button>
            {mode === "control" ? (
              <button type="button" data-act="observe" disabled={form.busy.value} onClick={back}>
                {t("setup.live.back.yes")}
              </button>
            ) : null}
          </>
        )}
      </div>
      {asks.value ? <p role="status">{t("setup.live.sure")}</p> : null}
    </div>
  );
}

export function LiveStep() {
  usePoll(readLoads, LOADS_EVERY_MS);
  return (
    <>
      <p class="no-print">{t("setup.live.intro")}</p>
      <div class="no-print stack">
        <Summary />
        <GoLive />
      </div>
      <Commissioning />
    </>
  );
}
