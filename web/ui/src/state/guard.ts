/**
 * What may be relied upon now, from the status alone: the same answer in the chip, the banner, the title and the foot.
 */
import { computed } from "@preact/signals";
import type { Alarm } from "../api/types";
import { type Key, t, word } from "../i18n";
import { outdated, status } from "./live";

/** Above the limit by less than this is noise: the service does not act on it either. */
const NOISE_A = 0.3;
/** Alarms that a person has to end: Headroom has done what it can. */
const URGENT: ReadonlySet<string> = new Set(["overload", "not_obeying"]);

export const urgentAlarms = computed<readonly Alarm[]>(() =>
  (status.value?.alarms ?? []).filter((alarm) => URGENT.has(alarm.code)),
);

const meterState = computed(() => status.value?.meter.state ?? "waiting");

/** The meter sends the same again and again: its reading is young, and yet not believed. */
export const isFrozen = computed(() => status.value?.alarms.some((alarm) => alarm.code === "meter_frozen") === true);

/** The newest reading is young and believed, so that it may be set against what the loads say at the same time. */
export const isMetered = computed(() => (meterState.value === "ok" || meterState.value === "partial") && !isFrozen.value);

/** The values of the phases are not those of now. */
export const valuesOld = computed(
  () => outdated.value || meterState.value === "stale" || meterState.value === "lost",
);

const isOver = computed(
  () =>
    meterState.value !== "lost" &&
    (status.value?.phases.some((phase) => phase.headroom_a !== null && phase.headroom_a < -NOISE_A) === true ||
      urgentAlarms.value.some((alarm) => alarm.code === "overload")),
);

/** Something has to be seen at once. */
export const isUrgent = computed(() => isOver.value || urgentAlarms.value.length > 0);

/** The state in a word; what is urgent, or wrong with the meter, goes before the state's own name. */
export const stateWord = computed(() => {
  const state = status.value?.state ?? "";
  if (state.startsWith("failsafe")) return word("state", state);
  if (isOver.value) return t("state.over");
  if (urgentAlarms.value.length > 0) return t("state.not_obeying");
  if (state === "degraded.meter_stale" && isFrozen.value) return t("state.frozen");
  return word("state", state);
});

/** Whether the fuse is guarded now, in one sentence; `null` while nothing is known of the house. */
export const guardKey = computed<Key | null>(() => {
  const now = status.value;
  if (now === null) return null;
  if (outdated.value) return "guard.unknown";
  if (now.mode === "observe") return "guard.observe";
  switch (now.meter.state) {
    case "lost":
      return "guard.lost";
    case "stale":
      return "guard.stale";
    case "waiting":
      return "guard.waiting";
    default:
      return isUrgent.value ? "guard.over" : "guard.control";
  }
});

/** A charger that draws more than this above what it was told does not rest there by the noise of its own meter. */
const FOLLOWS_WITHIN_A = 1;

export interface Drawing {
  name: string;
  measured: number;
  /** `null`: it was told nothing since Headroom runs. */
  setpoint: number | null;
}

/** Without a meter: chargers that draw more than they were told, or were told nothing. What is told is not yet done. */
export const stillDrawing = computed<readonly Drawing[]>(() => {
  const now = status.value;
  if (now === null || (guardKey.value !== "guard.waiting" && guardKey.value !== "guard.lost")) return [];
  return now.loads.flatMap((load) => {
    if (load.kind !== "charger") return [];
    const measured = Math.max(0, ...(load.measured_a ?? []).map((a) => a ?? 0));
    const isMore = measured > (load.setpoint_a ?? 0) + FOLLOWS_WITHIN_A;
    return isMore ? [{ name: load.name, measured: Math.round(measured * 10) / 10, setpoint: load.setpoint_a }] : [];
  });
});
