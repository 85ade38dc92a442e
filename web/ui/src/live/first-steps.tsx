/** What a new house still lacks before Headroom can guard it; gone once fuse, meter and loads are there. */
import { Told } from "../components/told";
import type { ComponentChildren } from "preact";
import { ampere } from "../format";
import { t } from "../i18n";
import { href } from "../route";
import { status } from "../state/live";
import { meterSettings } from "../state/meter";
import { isAsShipped, site } from "../state/site";
import { Icon } from "../components/icons";

interface StepProps {
  name: string;
  done: boolean;
  children: ComponentChildren;
}

function Step({ name, done, children }: StepProps) {
  return (
    <li data-step={name} data-done={done}>
      <Icon name={done ? "check" : "warn"} />
      <span>{children}</span>
    </li>
  );
}

export function FirstSteps() {
  const now = status.value;
  const settings = site.value;
  const meter = meterSettings.value;
  if (now === null || settings === null || meter === null) return null;
  const hasMeter = meter.source !== null;
  const isHeard = now.meter.age_s !== null;
  const hasFuse = !isAsShipped(settings);
  const hasLoads = now.loads.length > 0;
  if (hasMeter && hasFuse && hasLoads) return null;
  return (
    <section class="panel steps" aria-labelledby="steps-heading">
      <h2 id="steps-heading">{t("steps.heading")}</h2>
      <ol>
        <Step name="fuse" done={hasFuse}>
          {hasFuse ? (
            t("steps.fuse.done")
          ) : (
            <>
              <strong>{t("steps.fuse")}</strong> {t("steps.fuse.text", { rating: ampere(16) })}{" "}
              <a href={href("setup", ["fuse"])}>{t("steps.fuse.link")}</a>
            </>
          )}
        </Step>
        <Step name="meter" done={hasMeter && isHeard}>
          {hasMeter && isHeard ? (
            t("steps.meter.done")
          ) : hasMeter ? (
            <>
              <strong>{t("steps.meter.silent")}</strong> <Told text={now.meter.text} />{" "}
              <a href={href("setup", ["meter"])}>{t("steps.meter.link")}</a>
            </>
          ) : (
            <>
              <strong>{t("steps.meter")}</strong> {t("steps.meter.text")}{" "}
              <a href={href("setup", ["meter"])}>{t("steps.meter.link")}</a>
            </>
          )}
        </Step>
        <Step name="loads" done={hasLoads}>
          {hasLoads ? (
            t("steps.loads.done")
          ) : (
            <>
              <strong>{t("steps.loads")}</strong> <a href={href("setup", ["chargers"])}>{t("steps.loads.link")}</a>
            </>
          )}
        </Step>
        <Step name="control" done={now.mode === "control"}>
          {t(now.mode === "control" ? "steps.control.done" : "steps.control")}
        </Step>
      </ol>
    </section>
  );
}
