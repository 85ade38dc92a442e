/** Who draws what on a phase: the controlled part of the measured current, divided among the loads. */
import type { LoadStatus, PhaseName, PhaseStatus } from "../api/types";
import { chargerConfigs, slowLoadConfigs } from "../state/chargers";
import { site } from "../state/site";

const NOMINAL_V = 230;
/** Less than this is noise of a standing charger, and no part of the bar. */
const LEAST_A = 0.05;

export interface Share {
  /** Id of the load; `null` for what cannot be told apart. */
  load: string | null;
  name: string;
  amperes: number;
  /** The place of the load in the status: it decides sign and pattern. -1 for what cannot be told apart. */
  index: number;
}

/** A, B, C: the sign of a load in the drawing and in the legend. */
export const signOf = (index: number): string => (index < 0 ? "" : String.fromCharCode(65 + (index % 26)));

function reported(load: LoadStatus, phase: PhaseName): number {
  if (load.kind === "charger") {
    const phases = chargerConfigs.value.get(load.id)?.phases;
    const terminal = phases?.indexOf(phase) ?? -1;
    return terminal < 0 ? 0 : Math.max(0, load.measured_a?.[terminal] ?? 0);
  }
  const phases = slowLoadConfigs.value.get(load.id)?.phases ?? [];
  const voltage = site.value?.["nominal_voltage_v"];
  const volts = typeof voltage === "number" && voltage > 0 ? voltage : NOMINAL_V;
  return phases.includes(phase) && load.on !== false ? Math.max(0, load.power_w ?? 0) / volts / phases.length : 0;
}

/**
 * The parts of the controlled current. Devices and meter never agree to the tenth: what the devices say is fitted to
 * what the meter measures, and what nobody claims stands alone.
 */
export function sharesOf(phase: PhaseStatus, loads: readonly LoadStatus[]): Share[] {
  const { measured_a: measured, background_a: background } = phase;
  if (measured === null || background === null) return [];
  const controlled = Math.max(0, measured - background);
  const claims = loads
    .map((load, index) => ({ load: load.id, name: load.name, amperes: reported(load, phase.phase), index }))
    .filter((claim) => claim.amperes >= LEAST_A);
  const sum = claims.reduce((all, claim) => all + claim.amperes, 0);
  if (controlled < LEAST_A) return [];
  if (sum === 0) return [{ load: null, name: "", amperes: controlled, index: -1 }];
  const scale = sum > controlled ? controlled / sum : 1;
  const shares: Share[] = claims.map((claim) => ({ ...claim, amperes: claim.amperes * scale }));
  const rest = controlled - sum;
  return rest > 1 ? [...shares, { load: null, name: "", amperes: rest, index: -1 }] : shares;
}
