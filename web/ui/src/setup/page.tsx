/**
 * From the box to "it works", step by step. Each step stands at its own address and shows what is stored, so that it can be
 * left, skipped and come back to at any time; nothing waits for a later step to be saved.
 */
import type { ComponentType } from "preact";
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Icon, type IconName } from "../components/icons";
import { Loading } from "../components/loading";
import { type Key, t } from "../i18n";
import type { PageProps } from "../pages";
import { href } from "../route";
import { status } from "../state/live";
import { isOnlyPinned, meterSettings, readMeter } from "../state/meter";
import { reports } from "../state/reports";
import { mayConfigure } from "../state/session";
import { readSite, site, siteFailure } from "../state/site";
import { ChargersStep } from "./chargers";
import { chargers, readLoads, usePoll } from "./data";
import { FuseStep } from "./fuse";
import { KeepMeter } from "./keep-meter";
import { LiveStep } from "./live";
import { LoadsStep } from "./loads";
import { MeterStep } from "./meter";
import { OrderStep } from "./order";
import { ProveStep } from "./prove";
import { isStep, nextStep, pass, type Progress, progress, type StepId, STEPS } from "./steps";
import { Welcome } from "./welcome";
import "./setup.css";
import "./paper.css";

const CONTENTS: Readonly<Record<StepId, ComponentType>> = {
  welcome: Welcome,
  meter: MeterStep,
  fuse: FuseStep,
  chargers: ChargersStep,
  loads: LoadsStep,
  order: OrderStep,
  prove: ProveStep,
  live: LiveStep,
};

const LOADS_EVERY_MS = 10_000;
/** What did not come at the first try is asked for again this often. */
const MISSING_EVERY_MS = 3_000;

/** The wizard cannot tell where it goes on before it has read all of it. */
async function readMissing(): Promise<void> {
  const all = [meterSettings.value === null ? readMeter() : null, site.value === null ? readSite() : null, chargers.value === null || reports.value === null ? readLoads() : null];
  await Promise.all(all);
}

const LOOKS: Readonly<Record<Progress, IconName | null>> = { done: "check", trouble: "warn", passed: null, open: null };

const titleOf = (step: StepId): string => t(`setup.step.${step}` as Key);

function Steps({ here }: { here: StepId }) {
  return (
    <nav class="wizard-steps no-print" aria-label={t("setup.steps")}>
      <ol class="plain">
        {STEPS.map((step, i) => {
          const own = progress.value.get(step) ?? "open";
          const look = LOOKS[own];
          return (
            <li key={step} data-step={step} data-progress={own}>
              <a href={href("setup", [step])} {...(step === here ? { "aria-current": "step" as const } : {})}>
                <span class="step-sign" aria-hidden="true">
                  {look === null ? i + 1 : <Icon name={look} />}
                </span>
                <span class="step-name">{titleOf(step)}</span>
                <span class="visually-hidden">{t(`setup.progress.${own}` as Key)}</span>
              </a>
            </li>
          );
        })}
      </ol>
    </nav>
  );
}

function Foot({ here }: { here: StepId }) {
  const at = STEPS.indexOf(here);
  const before = STEPS[at - 1];
  const after = STEPS[at + 1];
  const own = progress.value.get(here);
  // A meter that was heard is taken over from the command line; one that is silent may be the wrong one.
  const keeps = here === "meter" && mayConfigure.value && isOnlyPinned.value && (status.value?.meter.age_s ?? null) !== null;
  const isDone = own === "done" || here === "welcome" || here === "order" || here === "loads";
  return (
    <div class="wizard-foot no-print">
      {before === undefined ? <span /> : (
        <a class="button" data-act="back" href={href("setup", [before])}>
          {t("setup.back", { step: titleOf(before) })}
        </a>
      )}
      {after === undefined ? (
        <a class="button" href={href("live")} data-act="leave">
          {t("setup.leave")}
        </a>
      ) : keeps ? (
        <KeepMeter then={after} title={titleOf(after)} />
      ) : (
        <a class={isDone ? "button primary" : "button"} data-act={isDone ? "next" : "skip"} href={href("setup", [after])} onClick={() => pass(here)}>
          {t(isDone ? "setup.next" : own === "trouble" ? "setup.go_on" : "setup.skip", { step: titleOf(after) })}
        </a>
      )}
      {isDone || keeps || after === undefined ? null : <p class="note">{t(own === "trouble" ? "setup.go_on.text" : (`setup.skip.${here}` as Key))}</p>}
    </div>
  );
}

export function SetupPage({ rest }: PageProps) {
  usePoll(readLoads, LOADS_EVERY_MS);
  usePoll(readMissing, MISSING_EVERY_MS);
  const asked = rest[0];
  const isReady = status.value !== null && site.value !== null && meterSettings.value !== null && chargers.value !== null;
  const here: StepId | null = isStep(asked) ? asked : isReady ? nextStep.value : null;
  const resumed = useSignal<StepId | null>(null);
  // The address always names the step: a reload, or a browser that was killed, comes back to it.
  useEffect(() => {
    if (here === null || asked === here) return;
    resumed.value = here;
    location.replace(href("setup", [here]));
  }, [here, asked]);
  const heading = useRef<HTMLHeadingElement>(null);
  const shown = useRef<StepId | null>(null);
  useEffect(() => {
    if (shown.current !== null && shown.current !== here) {
      window.scrollTo(0, 0);
      heading.current?.focus({ preventScroll: true });
    }
    shown.current = here;
  }, [here]);
  if (here === null || status.value === null || site.value === null) {
    return siteFailure.value === null ? <Loading /> : <p class="empty">{t("setup.unread")}</p>;
  }
  const Content = CONTENTS[here];
  return (
    <div class="wizard" data-wizard={here}>
      <Steps here={here} />
      <section class="panel wizard-step" aria-labelledby="step-heading">
        <p class="eyebrow no-print">{t("setup.count", { n: STEPS.indexOf(here) + 1, of: STEPS.length })}</p>
        <h2 id="step-heading" tabIndex={-1} ref={heading}>
          {titleOf(here)}
        </h2>
        {resumed.value === here && here !== "welcome" ? <p class="setup-note tone-info no-print" data-resumed="">{t("setup.resumed")}</p> : null}
        {mayConfigure.value ? null : <p class="setup-note tone-info no-print">{t("setup.role")}</p>}
        {/* Who may not change anything sees the same, with every field locked. */}
        <fieldset class="bare" disabled={!mayConfigure.value && here !== "welcome" && here !== "order" && here !== "live"}>
          <Content key={here} />
        </fieldset>
        <Foot here={here} />
      </section>
    </div>
  );
}
