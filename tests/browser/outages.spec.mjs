// What the page says when something is out: the meter, the version of the service, the address that it had. On a running
// `headroom demo`; every house here is made in the browser, nothing reaches the service.
//   HEADROOM_URL=http://127.0.0.1:8080 node run.mjs outages
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { accessible, address, api, eventually, none, openBrowser, openPage, PROMPT_MS, reads, run, SCHEMES, SIZES, shoot, visit } from "./harness.mjs";
import { alarm, calm, fresh, freshSite, openHouse, spoken, still } from "./houses.mjs";

/** Sentences of the service that the page takes apart: its own tests hold it to them. */
const words = JSON.parse(await readFile(new URL("words.json", import.meta.url), "utf8"));
const wordsOf = (key, load) => words[key].replace("{load}", load).replace("{steps}", "3 steps");

const base = address();
const faults = [];
const browser = await openBrowser();
const page = await openPage(browser, base, faults);

/** The page as it stands, in both themes and sizes. */
async function pictures(other, name) {
  for (const scheme of SCHEMES) for (const width of SIZES) {
    await other.emulateMedia({ colorScheme: scheme });
    await other.setViewportSize({ width, height: 900 });
    await shoot(other, name, width, scheme);
  }
}

/** A house in control whose meter is out while its first car goes on drawing more than it was told. */
async function withoutMeter(state) {
  const house = await calm(page);
  const [first] = house.loads.filter((load) => load.kind === "charger");
  const loads = house.loads.map((load) => {
    if (load.kind !== "charger") return load;
    return load.id === first.id ? { ...load, measured_a: [13, 13, 13], setpoint_a: 6 } : { ...load, measured_a: [0], setpoint_a: 0 };
  });
  return { house: { ...house, state: state === "waiting" ? "starting" : "failsafe.meter_lost", meter: { ...house.meter, state, age_s: 90 }, loads }, name: first.name };
}

async function noWrongHouse() {
  for (const state of ["lost", "stale", "waiting"]) {
    const { house } = await withoutMeter(state);
    const other = await openHouse(browser, base, faults, house);
    const part = (name) => other.locator(`[data-part="${name}"]`);
    await reads(part("cars"), /8\.\d\d kW$/, `${state}: what the cars say themselves is shown`);
    await reads(part("house"), /–$/, `${state}: no house from an old total`);
    await reads(part("grid"), /–$/, `${state}: no old total beside live cars`);
    await other.locator("[data-flow]", { hasText: "no fresh reading" }).waitFor();
    await other.context().close();
  }
}

async function saysWhatIsDrawn() {
  for (const state of ["lost", "waiting"]) {
    const { house, name } = await withoutMeter(state);
    const other = await openHouse(browser, base, faults, house);
    const told = state === "lost" ? "are told to go to their safe current" : "chargers keep what they have";
    await reads(other.locator("[data-guard]"), new RegExp(`${told}.*${name} was told 6 A and draws 13 A now\\.`));
    await pictures(other, `outage-${state}`);
    await other.context().close();
  }
}

async function periodUnknown() {
  const house = await calm(page);
  const other = await openHouse(browser, base, faults, { ...house, meter: { ...house.meter, period_s: 0.004 } });
  assert.doesNotMatch(await reads(other.locator("[data-age]"), /\d/), /every/, "a period that is not learnt yet is not told");
  await other.context().close();
}

/** The demo's meter speaks by the clock of the computer, the house lives by its own. */
async function onePeriod() {
  const house = await calm(page);
  // A model may be called anything.
  const [, ...heard] = words.meter_period.split(" telegrams");
  const text = `P1 telegrams of the model, every 7.0 s.${heard.join(" telegrams")} Nothing more.`;
  const other = await openHouse(browser, base, faults, { ...house, demo: true, meter: { ...house.meter, period_s: 1.1, text } });
  await reads(other.locator("[data-age]"), /one every 1\.1 s/);
  const said = await reads(other.locator(".meter-note"), /telegrams/);
  assert.match(said, /telegrams of the model, every 7\.0 s\. at 115200 8N1\. Nothing more\.$/, "one notion of a second");
  // It says that the page hears the service, not that the house is "live".
  await reads(other.locator('[data-link="open"]'), /^Connected$/);
  await other.context().close();
}

/** One code tells of a trial, of phases that are not known and of those that were found. */
async function learningTranslated() {
  const house = await calm(page);
  const { id } = house.loads.find((load) => load.kind === "charger");
  // A name says nothing of what is known.
  for (const name of ["Garage", "not known"]) {
    const sentences = [
      [{ text: wordsOf("phases_unknown", name) }, `Die Phasen von ${name} sind nicht bekannt`],
      [{ text: `${wordsOf("phases_unknown", name)} Seen so far in 1 step of its current.` }, `Die Phasen von ${name} sind nicht bekannt`],
      [{ text: wordsOf("phases_found", name) }, `Der Verbrauch von ${name} hat die Phasen gezeigt`],
      [{ text: wordsOf("phases_order", name) }, `Der Verbrauch von ${name} hat die Phasen gezeigt`],
      [{ text: `${name} is lowered for a moment.`, from_a: 16, to_a: 10 }, `${name} wurde kurz gesenkt`],
    ];
    const loads = house.loads.map((load) => (load.id === id ? { ...load, name } : load));
    for (const [reason, wanted] of sentences) {
      const status = { ...house, loads, state: "degraded.map_unknown", reason: { code: "learning", load: id, ...reason } };
      const other = await openHouse(browser, base, faults, status, {}, { prepare: spoken("de") });
      await other.locator("main").filter({ hasText: wanted }).waitFor({ timeout: PROMPT_MS });
      await other.context().close();
    }
  }
}

/** A file that cannot be read, one that is none, and what the path says of neither. */
async function silentFile() {
  const house = fresh(await calm(page));
  const tries = [
    [words.file_unread.replace("{path}", "/srv/meter.txt"), /^The file is not there/],
    [`${words.file_unread.replace("{path}", "/srv/meter.txt")} Trying again in 32 s.`, /^The file is not there/],
    ["/srv/os error/meter.txt: it is no file. Trying again in 2 s.", /^A recording of a meter/],
    ["The file has been played to its end.", /^A recording of a meter/],
  ];
  for (const [text, wanted] of tries) {
    const source = "file:/srv/meter.txt";
    const meter = { ...house.meter, state: "waiting", source, text };
    const answers = { "/site": freshSite(await api(page, "/site")), "/meter": { source, key_set: false, ct_ratio: null } };
    const other = await openHouse(browser, base, faults, { ...house, meter }, answers, { at: "#/setup/meter" });
    assert.match(await reads(other.locator("[data-silent-file]"), /\w/), wanted, text);
    await other.context().close();
  }
}

/** The order of the terminals that the service has seen is the one that the report of a test offers first. */
async function orderOffered() {
  const house = await calm(page);
  const chargers = await api(page, "/chargers");
  const [{ id }] = chargers.items;
  const items = chargers.items.map((one) => (one.id === id ? { ...one, phases: ["l1", "l2", "l3"] } : one));
  const follow = {
    passed: false, reaction_ms: 900, error_a: 0.2, lowest_a: 6, pauses: true, resumes: true, phases_agree: false, text: "Other lines moved.",
    phases_configured: ["l1", "l2", "l3"], phases_expected: ["l1"], phases_found: ["l2"],
  };
  const report = {
    charger: id, started: "2026-01-15T10:00:00Z", ended: "2026-01-15T10:05:00Z", version: "0.1.0", result: "failed", text: "Other lines moved.",
    follow, cut: null, limits: {}, steps: [],
  };
  const answers = { "/chargers": { ...chargers, items }, "/reports": { items: [report], next: null } };
  const offered = [];
  for (const text of [wordsOf("phases_found", "Garage"), wordsOf("phases_order", "hang on L3, L2 and L1, in this order")]) {
    const status = { ...house, alarms: [alarm(9, "phases_found", text, id)] };
    const other = await openHouse(browser, base, faults, status, answers, { at: "#/setup/prove" });
    await other.locator('[data-take-phases="l2"]').waitFor();
    offered.push(await other.locator(`#take-${id}`).inputValue());
    await other.context().close();
  }
  assert.deepEqual(offered, ["l2-l1-l3", "l2-l3-l1"]);
}

async function alarmTranslated() {
  const house = await calm(page);
  const alarms = [alarm(7, "meter_source", "permission denied at the port.")];
  const other = await openHouse(browser, base, faults, { ...house, alarms });
  await other.evaluate(() => localStorage.setItem("headroom_language", "de"));
  await other.reload();
  await reads(other.locator('[data-alarm="meter_source"]').last(), /Der Zähler kann nicht gelesen werden\. Permission denied/);
  await other.context().close();
}

/** A page of its own, whose errors are what the test is about. */
async function bare(prepare, at = "#/live") {
  const context = await browser.newContext({ viewport: { width: SIZES[0], height: 800 } });
  const other = await context.newPage();
  // The stream of the demo would tell its own status.
  await other.addInitScript(still);
  await prepare(other);
  await other.goto(new URL(at, base).href);
  return other;
}

const reload = (other) => other.locator('[data-banner="reload"]');

async function shapesDiffer() {
  const house = await calm(page);
  for (const status of [{ version: house.version }, { ...house, version: "9.0.0" }, { ...house, loads: {} }, { ...house, loads: [null] }]) {
    const other = await bare((fresh) => fresh.route("**/api/v1/status", (route) => route.fulfill({ json: status })));
    await reload(other).filter({ hasText: "Load it again" }).waitFor();
    await other.context().close();
  }
  // Fit at first sight, and not to be drawn.
  const other = await bare((fresh) => fresh.route("**/api/v1/status", (route) => route.fulfill({ json: { ...house, loads: [{}], phases: [{}] } })));
  await reload(other).waitFor();
  await other.context().close();
}

async function chunkGone() {
  const other = await bare((fresh) => fresh.route(/\/(page|chunk)-[^/]*\.js/, (route) => (fresh.gone ? route.fulfill({ status: 404 }) : route.fallback())));
  await other.locator("[data-phase]").first().waitFor();
  other.gone = true;
  await visit(other, "#/timeline");
  await reload(other).waitFor();
  other.gone = false;
  await reload(other).locator('[data-act="reload"]').click();
  await other.locator("main canvas").first().waitFor();
  await eventually(() => other.url(), /#\/timeline$/, "the place stays");
  await other.context().close();
}

/** Texts of another build would stand at the wrong places. */
async function tableOfAnotherBuild() {
  const other = await openHouse(browser, base, faults, await calm(page), {}, { at: "#/settings/language" });
  await other.route(/\/de\.js/, (route) => route.fulfill({ contentType: "text/javascript", body: 'export default ["another", "Falsch"];' }));
  await other.locator("main select").first().selectOption("de");
  await other.locator("main", { hasText: "The language could not be loaded" }).waitFor();
  await eventually(() => other.locator("html").getAttribute("lang"), "en");
  await reads(other.locator("h1"), "Settings");
  await other.context().close();
}

/** The service comes back as another version while the page is open. */
async function renewed() {
  const house = await calm(page);
  let version = house.version;
  const other = await openHouse(browser, base, faults, house);
  await other.route("**/api/v1/status", (route) => route.fulfill({ json: { ...house, version } }));
  await none(reload(other));
  version = `${house.version.split(".")[0]}.99.0`;
  // A link that is silent is tested after some seconds.
  await reload(other).filter({ hasText: version }).waitFor({ timeout: 2 * PROMPT_MS });
  await other.context().close();
}

async function beginsAtTheBeginning() {
  const house = fresh(await calm(page));
  const site = freshSite(await api(page, "/site"));
  const empty = { items: [], next: null };
  const pinned = { source: "serial:/dev/ttyUSB0", key_set: false, ct_ratio: null, pinned: true, stored_source: null };
  const heard = { ...house, meter: { ...house.meter, state: "ok", age_s: 0.4, source: pinned.source } };
  const other = await openHouse(browser, base, faults, heard, { "/site": site, "/meter": pinned, "/chargers": empty, "/slow-loads": empty }, { at: "#/setup" });
  await other.locator('[data-wizard="welcome"]').waitFor();
  await none(other.locator("[data-resumed]"));
  await other.context().close();
}

/** A meter that only the command line names is read, and yet open: going on stores it. */
async function pinnedIsKept() {
  const house = fresh(await calm(page));
  const empty = { items: [], next: null };
  const pinned = { source: "serial:/dev/ttyUSB0", key_set: false, ct_ratio: 40, pinned: true, stored_source: null };
  const answers = { "/site": freshSite(await api(page, "/site")), "/meter": pinned, "/chargers": empty, "/slow-loads": empty };
  for (const [age, act] of [[null, "skip"], [0.4, "next"]]) {
    const heard = { ...house, meter: { ...house.meter, state: age === null ? "waiting" : "ok", age_s: age, source: pinned.source } };
    const other = await openHouse(browser, base, faults, heard, answers, { at: "#/setup/meter" });
    const sent = [];
    await other.route("**/api/v1/meter", (route) => {
      if (route.request().method() !== "PUT") return route.fallback();
      sent.push(route.request().postDataJSON());
      const refused = { title: "Not valid", status: 422, code: "invalid", errors: [{ field: "source", code: "format", message: "is no source" }] };
      return route.fulfill(sent.length === 1 ? { status: 422, json: refused } : { json: { ...pinned, stored_source: pinned.source } });
    });
    const step = other.locator('.wizard-steps [data-step="meter"]');
    await other.locator(`[data-act="${act}"]`).waitFor();
    await eventually(() => step.getAttribute("data-progress"), "open");
    if (act === "next") {
      await other.locator("[data-keeps]").filter({ hasText: pinned.source }).waitFor();
      await accessible(other, "a meter that is only pinned");
      await pictures(other, "setup-meter-pinned");
      await other.locator('[data-act="next"]').click();
      await other.locator('[data-said="keep-meter"].is-bad').filter({ hasText: /\w/ }).waitFor();
      assert.match(other.url(), /setup\/meter$/, "what was not stored is not done");
      await other.locator('[data-act="next"]').click();
      await other.locator('[data-wizard="fuse"]').waitFor();
      const body = { source: pinned.source, ct_ratio: pinned.ct_ratio };
      assert.deepEqual(sent, [body, body], "what is only read is not sent back");
      await eventually(() => step.getAttribute("data-progress"), "done");
    }
    await other.context().close();
  }
}

async function tlsAsksFirst() {
  const sent = [];
  const tls = { mode: "off", names: [], ca_fingerprint: null, not_after: null };
  const other = await openHouse(browser, base, faults, await calm(page), { "/tls": tls }, { at: "#/settings/tls" });
  await other.route("**/api/v1/tls", (route) => {
    if (route.request().method() !== "PUT") return route.fallback();
    sent.push(route.request().postDataJSON());
    return route.fulfill({ json: { ...tls, mode: "self_signed" } });
  });
  const { host, hostname } = new URL(base);
  await other.locator("#tls-mode").selectOption("self_signed");
  await other.locator('[data-form="tls"] button[type="submit"]').click();
  const ask = other.locator(".confirm");
  await ask.filter({ hasText: `https://${host}/` }).waitFor();
  assert.deepEqual(sent, [], "it asks before it changes the address");
  await ask.locator('[data-act="tls"]').click();
  await other.locator(`a[href="https://${host}/#/settings/tls"]`).waitFor();
  assert.deepEqual(sent, [{ mode: "self_signed", names: [hostname] }], "without a name it takes that of the address");
  await other.context().close();
}

async function noFaults() {
  assert.deepEqual(faults, []);
}

const good = await run([
  ["no power of the house from an old total", noWrongHouse],
  ["without a meter: what was told, and what is drawn all the same", saysWhatIsDrawn],
  ["a period that is not known is not told", periodUnknown],
  ["the demo tells one period, that of its house", onePeriod],
  ["what is known of phases is told in the language of the page", learningTranslated],
  ["a file that is not there is told from one that is over", silentFile],
  ["the order that was seen is the one that is offered", orderOffered],
  ["an alarm has a title in the language of the page", alarmTranslated],
  ["a service of another shape or version: load the page again", shapesDiffer],
  ["a part of the page that is gone: load the page again", chunkGone],
  ["the texts of another build are not taken", tableOfAnotherBuild],
  ["an update while the page is open is told", renewed],
  ["the wizard begins at its beginning, whatever the command line names", beginsAtTheBeginning],
  ["a meter that only the command line names is stored by going on", pinnedIsKept],
  ["encryption asks before it changes the address", tlsAsksFirst],
  ["no foreign host, no error in the console", noFaults],
]);
await browser.close();
process.exit(good ? 0 : 1);
