/** A load while it is edited: everything as it is written, and how it goes to the service. */
import type { ChargerConfig, Driver, DriverKind, SlowLoadConfig } from "../api/loads";
import type { FieldError } from "../api/types";
import { ampere } from "../format";
import { t } from "../i18n";
import { firstWiring, keyOf, phasesOf, wiringErrors } from "../components/phases-field";
import { numbers } from "../components/use-form";
import { bodyOfDriver, draftOfDriver, DRIVER_KINDS, type DriverDraft, emptyDriver, type LoadKind } from "./drivers";

export type Config = ChargerConfig | SlowLoadConfig;

/** Fields that are numbers, with what stands in them for a new load. */
export const NUMBERS: Readonly<Record<LoadKind, Readonly<Record<string, string>>>> = {
  charger: { max_current_a: "16", min_current_a: "6", safe_current_a: "0", lease_s: "120", priority: "1" },
  slow_load: { rated_w: "2000", min_on_s: "60", min_off_s: "60", max_off_s: "14400", priority: "1" },
};

export interface Draft {
  id: string;
  name: string;
  kind: DriverKind;
  driver: DriverDraft;
  numbers: Readonly<Record<string, string>>;
  /** Empty: the main fuse. */
  circuit: string;
  phases: string;
  phaseSwitching: boolean;
  lease: string;
  acceptRisk: boolean;
}

export function draftOfConfig(load: LoadKind, config: Config): Draft {
  const kind = config.driver?.kind ?? DRIVER_KINDS[load][0] ?? "ocpp";
  const stored = config as unknown as Readonly<Record<string, unknown>>;
  return {
    id: config.id,
    name: config.name,
    kind,
    driver: config.driver === null ? emptyDriver(kind) : draftOfDriver(config.driver),
    numbers: Object.fromEntries(Object.keys(NUMBERS[load]).map((name) => [name, String(stored[name] ?? "")])),
    circuit: config.circuit ?? "",
    phases: keyOf(config.phases),
    phaseSwitching: "phase_switching" in config && config.phase_switching,
    lease: "lease" in config ? config.lease : "",
    acceptRisk: false,
  };
}

/** For a new load, maybe with a driver that was found. */
export function newDraft(load: LoadKind, driver: Driver | null, name: string): Draft {
  const kind = driver?.kind ?? DRIVER_KINDS[load][0] ?? "ocpp";
  return {
    id: "",
    name,
    kind,
    driver: driver === null ? emptyDriver(kind) : { ...emptyDriver(kind), ...draftOfDriver(driver) },
    numbers: NUMBERS[load],
    circuit: "",
    phases: firstWiring(),
    phaseSwitching: false,
    // Only what falls back by itself may be taken at its word.
    lease: kind === "ocpp" ? "claimed" : "none",
    acceptRisk: false,
  };
}

/** What a car is told at least (IEC 61851-1), and what the service takes as the current of a charger at most, in ampere. */
const LEAST_A = 6;
const MOST_A = 500;

/**
 * What is wrong with the most that a charger may draw. Below its least current it could only be paused. `least`: of this
 * charger, where it is set; what no car goes below is told of every car, what somebody has set of this charger.
 */
export function breakerErrors(most: number | undefined, least = LEAST_A): FieldError[] {
  if (most === undefined || (most >= least && most <= MOST_A)) return [];
  const key = least === LEAST_A ? "setup.charger.breaker.bad" : "setup.charger.breaker.own";
  return [{ field: "max_current_a", code: "range", message: t(key, { least: ampere(least), most: ampere(MOST_A) }) }];
}

/** The body for the service, or what is no number. `stored` is what is changed, if anything is. */
export function bodyOf(load: LoadKind, draft: Draft, stored: Config | null): Record<string, unknown> | FieldError[] {
  const { values, wrong } = numbers(draft.numbers);
  wrong.push(...wiringErrors(draft.phases));
  if (load === "charger") wrong.push(...breakerErrors(values["max_current_a"], Math.min(LEAST_A, values["min_current_a"] ?? LEAST_A)));
  if (wrong.length > 0) return wrong;
  const body: Record<string, unknown> = { ...values };
  body["driver"] = bodyOfDriver(draft.kind, draft.driver);
  body["circuit"] = draft.circuit === "" ? null : draft.circuit;
  body["phases"] = phasesOf(draft.phases);
  if (draft.name.trim() !== "") body["name"] = draft.name.trim();
  if (stored === null && draft.id.trim() !== "") body["id"] = draft.id.trim();
  if (load === "charger") {
    body["phase_switching"] = draft.phaseSwitching;
    // A proof is given by the test alone: what was not touched is not sent.
    if (stored === null || !("lease" in stored) || stored.lease !== draft.lease) body["lease"] = draft.lease;
    if (draft.acceptRisk) body["accept_risk"] = true;
  }
  return body;
}
