/** Where the power goes: from the grid to the house and to each load, in watt. What is not known is `null`. */
import type { ChargerStatus, LoadStatus } from "../api/types";
import { chargerConfigs } from "../state/chargers";
import { isMetered } from "../state/guard";
import { reading, status } from "../state/live";
import { site } from "../state/site";

const NOMINAL_V = 230;

function nominal(): number {
  const volts = site.value?.["nominal_voltage_v"];
  return typeof volts === "number" && volts > 0 ? volts : NOMINAL_V;
}

/** Volt between a terminal and neutral, or between the lines on a grid without. */
function voltage(line: number | undefined): number {
  const heard = line === undefined ? undefined : reading.value?.phases[line]?.voltage_v;
  return heard === null || heard === undefined || heard <= 0 ? nominal() : heard;
}

function chargerPower(load: ChargerStatus): number | null {
  const currents = load.measured_a;
  if (currents === null || currents.every((a) => a === null)) return load.connected === false ? null : load.status === "available" ? 0 : null;
  const phases = chargerConfigs.value.get(load.id)?.phases ?? null;
  const isIt = site.value?.grid === "it_3ph";
  // Between two lines one current flows, reported twice; on three lines without neutral each carries it by √3.
  if (isIt && currents.length === 2) return Math.max(...currents.map((a) => a ?? 0)) * nominal();
  const factor = isIt && currents.length === 3 ? 1 / Math.sqrt(3) : 1;
  return currents.reduce<number>((sum, a, terminal) => {
    const line = phases?.[terminal];
    return sum + (a ?? 0) * voltage(line === undefined ? undefined : Number(line.slice(1)) - 1) * factor;
  }, 0);
}

export const powerOf = (load: LoadStatus): number | null => (load.kind === "charger" ? chargerPower(load) : load.power_w);

/** Power from the grid, negative to it; from the currents where the meter tells none. */
export function gridPower(): number | null {
  const heard = reading.value?.power_w;
  if (heard !== null && heard !== undefined) return heard;
  const phases = status.value?.phases ?? [];
  if (phases.length === 0 || phases.some((phase) => phase.measured_a === null)) return null;
  const factor = site.value?.grid === "it_3ph" ? 1 / Math.sqrt(3) : 1;
  return phases.reduce((sum, phase, line) => sum + (phase.measured_a ?? 0) * voltage(line) * factor, 0);
}

export interface Flow {
  grid: number | null;
  house: number | null;
  cars: number | null;
  /** Slow loads: water heater and the like. */
  heat: number | null;
}

const sum = (powers: readonly (number | null)[]): number | null =>
  powers.length > 0 && powers.every((power) => power === null) ? null : powers.reduce<number>((all, power) => all + (power ?? 0), 0);

/**
 * The house is what is left: noise of two meters must not make it negative. Loads go on telling what they draw when the meter
 * is out; what they say now is not taken from a total of before.
 */
export function flow(): Flow {
  const loads = status.value?.loads ?? [];
  const grid = isMetered.value ? gridPower() : null;
  const cars = sum(loads.filter((load) => load.kind === "charger").map(powerOf));
  const heat = sum(loads.filter((load) => load.kind === "slow_load").map(powerOf));
  const house = grid === null ? null : Math.max(0, grid - (cars ?? 0) - (heat ?? 0));
  return { grid, house, cars, heat };
}
