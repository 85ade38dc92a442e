/**
 * The steps of the wizard, and how far each is. All of it follows from what is stored in the service, so that a killed
 * browser or service loses nothing; only which steps were passed over is remembered by the browser.
 */
import { computed, signal } from "@preact/signals";
import { status } from "../state/live";
import { isOnlyPinned, meterSettings } from "../state/meter";
import { reportOf } from "../state/reports";
import { isAsShipped, site } from "../state/site";
import { chargers } from "./data";
import { isForTests } from "./trial-control";

export const STEPS = ["welcome", "meter", "fuse", "chargers", "loads", "order", "prove", "live"] as const;
export type StepId = (typeof STEPS)[number];

/** `trouble`: saved, and something is wrong with it. `passed`: left open on purpose. */
export type Progress = "done" | "trouble" | "passed" | "open";

const KEY = "headroom_setup_passed";

function remembered(): StepId[] {
  const kept = (localStorage.getItem(KEY) ?? "").split(" ");
  return STEPS.filter((step) => kept.includes(step));
}

const passed = signal<readonly StepId[]>(remembered());

/** Notes that somebody went on from this step. */
export function pass(step: StepId): void {
  if (passed.value.includes(step)) return;
  passed.value = [...passed.value, step];
  localStorage.setItem(KEY, passed.value.join(" "));
}

export const isStep = (text: string | undefined): text is StepId => STEPS.some((step) => step === text);

function ofMeter(): Progress {
  if ((meterSettings.value?.source ?? null) === null || isOnlyPinned.value) return "open";
  return status.value?.meter.state === "ok" ? "done" : "trouble";
}

/** Somebody has entered something of this house before, here or in another browser; a meter may come from the command line. */
function isBegun(): boolean {
  const isSaved = meterSettings.value?.source != null && !isOnlyPinned.value;
  return isSaved || (site.value !== null && !isAsShipped(site.value)) || (status.value?.loads.length ?? 0) > 0;
}

function ofLoads(kind: "charger" | "slow_load"): Progress {
  const own = (status.value?.loads ?? []).filter((load) => load.kind === kind);
  if (own.length === 0) return "open";
  return own.some((load) => load.connected !== true) ? "trouble" : "done";
}

function ofProof(): Progress {
  const all = (chargers.value ?? []).map((charger) => reportOf(charger.id)?.result);
  if (all.length === 0) return "open";
  if (all.includes("failed")) return "trouble";
  return all.every((result) => result === "passed") ? "done" : "open";
}

function found(step: StepId): Progress {
  switch (step) {
    case "welcome":
      return passed.value.includes("welcome") || isBegun() ? "done" : "open";
    case "meter":
      return ofMeter();
    case "fuse": {
      const isEntered = passed.value.includes("fuse") || (site.value !== null && !isAsShipped(site.value));
      return isEntered ? "done" : "open";
    }
    case "chargers":
      return ofLoads("charger");
    case "loads":
      return ofLoads("slow_load");
    case "order":
      // There always is an order; looked at, it is decided.
      return passed.value.includes("order") ? "done" : "open";
    case "prove":
      return ofProof();
    case "live":
      return status.value?.mode === "control" && !isForTests.value ? "done" : "open";
  }
}

export const progress = computed<ReadonlyMap<StepId, Progress>>(
  () =>
    new Map(
      STEPS.map((step) => {
        const own = found(step);
        return [step, own === "open" && step !== "live" && passed.value.includes(step) ? "passed" : own] as const;
      }),
    ),
);

/** Where the wizard goes on: the first step that is open. */
export const nextStep = computed<StepId>(() => STEPS.find((step) => progress.value.get(step) === "open") ?? "live");
