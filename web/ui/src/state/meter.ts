/** Where the meter is read; asked again when the link comes up and when the service reads another source. */
import { computed, effect, signal } from "@preact/signals";
import { get, put } from "../api/client";
import type { MeterSettings } from "../api/types";
import { withoutPeriod } from "../words";
import { keepReading } from "./keep-reading";
import { link, status } from "./live";
import { isForgotten } from "./session";

export const meterSettings = signal<MeterSettings | null>(null);

const source = computed(() => status.value?.meter.source ?? "");

/** Read because the command line says so, and stored nowhere: after a start without that there would be no meter. */
export const isOnlyPinned = computed(() => meterSettings.value?.pinned === true && (meterSettings.value.stored_source ?? null) === null);

/**
 * What the service says of the meter, if anything. The demo's meter is timed by the clock of the computer, all else on the page
 * by the clock of the house, which may run faster: its period is told beside, and left out here.
 */
export function meterText(): string | undefined {
  const text = status.value?.meter.text;
  if (text === null || text === undefined) return undefined;
  return status.value?.demo === true ? withoutPeriod(text) : text;
}

/** The same; a source that cannot even be opened is told by its alarm alone. */
export const heardText = (): string | undefined => meterText() ?? status.value?.alarms.find((alarm) => alarm.code === "meter_source")?.text;

export async function readMeter(): Promise<void> {
  meterSettings.value = await get<MeterSettings>("/meter");
}

/** Replaces the meter. A key that is not named stays as it is stored, `null` removes it. */
export async function changeMeter(body: Readonly<Record<string, unknown>>): Promise<MeterSettings> {
  const saved = await put<MeterSettings>("/meter", body);
  meterSettings.value = saved;
  return saved;
}

/** Stores the source that the command line names. Nothing but what was set is sent: who sends back all that was read changes nothing. */
export async function keepPinned(): Promise<void> {
  const present = meterSettings.value;
  if (present !== null) await changeMeter({ source: present.source, ct_ratio: present.ct_ratio });
}

export function followMeter(): void {
  const read = keepReading(readMeter);
  effect(() => {
    void source.value;
    if (isForgotten.value) meterSettings.value = null;
    if (link.value === "open") read();
  });
}
