// Houses that the demo is not: a real status, changed in the browser on its way to the page. Nothing reaches the service.
import { api, openPage } from "./harness.mjs";

/** Stands for the stream of events: it opens, and then nothing changes. */
export function still() {
  globalThis.EventSource = class extends EventTarget {
    constructor() {
      super();
      setTimeout(() => this.onopen?.(), 0);
    }
    close() {}
  };
}

/** A calm house in control, made from the present status of the demo. */
export async function calm(page) {
  const status = await api(page, "/status");
  return {
    ...status,
    state: "operating.normal",
    mode: "control",
    reason: { code: "normal", text: "Every load has what it can use." },
    phases: status.phases.map((p) => ({ ...p, measured_a: 12, background_a: 6, headroom_a: 13, limit_a: 25, thermal: 0.2, source: "measured" })),
    meter: { ...status.meter, state: "ok", age_s: 0.4 },
    alarms: [],
  };
}

export const alarm = (id, code, text, load = null) => ({ id, code, load, since: "2026-01-15T11:00:00Z", text });

/** An overload that lasts since a car does not obey. */
export const overloaded = (house) => {
  const car = house.loads.find((l) => l.kind === "charger");
  const text = `${car.name} draws 16 A although it was told 0 A: that and what it may add are counted for it, and others get less. Check that the charger allows control from outside.`;
  const reason = { code: "not_obeying", load: car.id, text };
  return {
    ...house,
    state: "operating.curtailing",
    reason,
    phases: house.phases.map((p, i) => (i === 0 ? { ...p, measured_a: 30, background_a: 14, headroom_a: -5, thermal: 0.9 } : p)),
    loads: house.loads.map((l) =>
      l === car
        ? { ...l, status: "charging", setpoint_a: 0, acknowledged_a: 0, measured_a: l.measured_a?.map((_, i) => (i === 0 ? 16 : 0)) ?? null, following: false, reason }
        : l,
    ),
    alarms: [
      alarm(1, "slow_load_lost", "The heater cannot be reached."),
      alarm(2, "not_obeying", text, car.id),
      alarm(3, "overload", "L1 of the main fuse carries 30 A of 25 A for more than half a minute."),
    ],
  };
};

/** The first start: no meter, no loads, the fuse that Headroom ships with. */
export const fresh = (house) => ({
  ...house,
  demo: undefined,
  state: "starting",
  mode: "observe",
  reason: { code: "starting", text: "Waiting for the first readings of the meter: nothing is raised until they come, and a charger keeps what it has until its lease runs out or the meter counts as lost." },
  phases: house.phases.map((p) => ({ ...p, measured_a: null, background_a: null, headroom_a: null, limit_a: 16, thermal: 0, source: "worst_case" })),
  meter: { ...house.meter, state: "waiting", age_s: null, period_s: null, protocol: null, meter_id: null, model: null, source: null, serial: null, text: null },
  loads: [],
});
export const freshSite = (site) => ({ ...site, name: "Home", time_zone: "UTC", mode: "observe", main_fuse: { ...site.main_fuse, rating_a: 16, characteristic: "gg" } });
export const noMeter = { source: null, key_set: false, ct_ratio: null };

/** Opens the page on a house. `answers` holds more answers of the service by their path. */
export function openHouse(browser, base, faults, status, answers = {}, options = {}) {
  const prepare = async (page) => {
    await options.prepare?.(page);
    await page.addInitScript(still);
    for (const [path, body] of Object.entries({ "/status": status, ...answers })) {
      await page.route(
        (url) => url.pathname === `/api/v1${path}`,
        (route) => (route.request().method() === "GET" ? route.fulfill({ json: body }) : route.fallback()),
      );
    }
  };
  return openPage(browser, base, faults, { ...options, prepare });
}

/** Prepares a page that speaks this language from its first sentence on. */
export const spoken = (language) => (page) => page.addInitScript((name) => localStorage.setItem("headroom_language", name), language);
