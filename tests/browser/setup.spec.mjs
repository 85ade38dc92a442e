// The wizard, from the set-up code to "live", on the real service: a fresh data directory, a meter on a pseudo-terminal
// and a charge point that others wrote. In the middle the service is killed and the browser is thrown away.
//   node setup.spec.mjs            HEADROOM_BIN, HEADROOM_PYTHON and CHROMIUM choose what is driven
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { accessible, api, call, counts, eventually, none, openBrowser, reads, run, SCHEMES, screens, shoot, SIZES, unseen } from "./harness.mjs";
import { binary, python, startChargePoint, startMeter, startService } from "./setup-rig.mjs";

const program = binary();
const peers = python();
if (program === null || peers === null) {
  const lacks = program === null ? "no headroom binary (cargo build, or HEADROOM_BIN)" : "no Python with the charge point's library (./check installs it, or HEADROOM_PYTHON)";
  if (process.env.HEADROOM_REQUIRE_PEERS === "1") {
    console.error(`setup.spec.mjs: ${lacks}`);
    process.exit(1);
  }
  console.log(`browser test: skipped, ${lacks}`);
  process.exit(0);
}

const CHARGE_POINT = "CP1";
const PERSON = { name: "kari", password: "a long sentence will do" };
/** Short, so that the cut test sees it run out. */
const LEASE_S = 10;
const QUICK = { raise_after_s: 2, restart_after_s: 3, hold_s: 3, stale_after_s: null, lost_after_s: 12, frozen_after_s: 60 };
/** The follow test and the cut test with that lease. */
const TEST = 240_000;

const dir = await mkdtemp(join(tmpdir(), "headroom-setup-"));
const meter = await startMeter(join(dir, "meter"));
const service = await startService(program, join(dir, "data"));
const browser = await openBrowser();
let chargePoint = null;
const faults = [];
/** While the service is dead, the browser says so by itself. */
let dead = false;
let page = null;
const began = performance.now();
let liveAfter = null;

async function open(at = "", { width = 1280, scheme = "light" } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme });
  const fresh = await context.newPage();
  const own = new URL(service.url).origin;
  fresh.on("request", (request) => {
    if (new URL(request.url()).origin !== own) faults.push(`request to a foreign host: ${request.url()}`);
  });
  fresh.on("pageerror", (error) => faults.push(`error in the page: ${error.message}`));
  fresh.on("console", (message) => {
    // Answers that the test asks for: wrong input, no session yet, no report yet, and a service that is dead.
    if (message.type() !== "error" || dead || /status of (401|404|409|422)/.test(message.text())) return;
    faults.push(`console: ${message.text()} (${message.location().url})`);
  });
  await fresh.goto(service.url + at);
  return fresh;
}

async function close(old) {
  const context = old.context();
  await context.close();
}

const at = (step) => page.locator(`[data-wizard="${step}"]`);
const said = (form) => page.locator(`[data-said="${form}"]`);
const onward = () => page.locator('[data-act="next"], [data-act="skip"]').click();
const progressed = (step, how) => page.locator(`.wizard-steps [data-step="${step}"][data-progress="${how}"]`).waitFor();
const isBad = (id) => page.locator(`#${id}[aria-invalid="true"]`).waitFor();

/** The step is shown, axe finds nothing serious, and there is a picture of it in both themes and sizes. */
async function look(name) {
  const found = await accessible(page, name);
  await page.locator("main details").evaluateAll((all) => {
    for (const details of all) details.open = false;
  });
  const size = page.viewportSize();
  for (const width of SIZES) {
    for (const scheme of SCHEMES) {
      await page.emulateMedia({ colorScheme: scheme });
      await page.setViewportSize({ width, height: 900 });
      await shoot(page, `setup-${name}`, width, scheme);
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(size);
  return found;
}

async function setUp() {
  page = await open();
  await page.locator("#code").waitFor();
  const first = performance.now() - began;
  await look("code");
  await page.locator("#code").fill("WRNG-0000");
  await page.locator("#name").fill(PERSON.name);
  await page.locator("#password").fill(PERSON.password);
  await page.locator('button[type="submit"]').click();
  await page.locator('[role="alert"]').filter({ hasText: /\w/ }).waitFor();
  await page.locator("#code").fill(service.code);
  await page.locator("#password").fill("short");
  await page.locator('button[type="submit"]').click();
  await isBad("password");
  // Nobody is let in yet, so no link is lost, however long it takes: longer than the page waits for one.
  await page.waitForFunction(() => performance.now() > 4_000);
  assert.doesNotMatch(await page.locator("body").textContent(), /No connection/);
  await page.locator("#password").fill(PERSON.password);
  await page.locator('button[type="submit"]').click();
  await at("welcome").waitFor();
  await eventually(() => page.url(), /#\/setup\/welcome$/, "the address names the step");
  assert.equal((await api(page, "/site")).mode, "observe");
  await look("welcome");
  return `form after ${first.toFixed(0)} ms`;
}

async function meterHeard() {
  await onward();
  await at("meter").waitFor();
  const manual = page.locator("details.add");
  await manual.locator("summary").first().click();
  await page.locator("#meter-source").fill("serial");
  await page.locator('[data-form="meter"] button[type="submit"]').click();
  await isBad("meter-source");
  // Saved, not working: a port that is not there is told, and blocks nothing.
  await page.locator("#meter-source").fill(`serial:${join(dir, "nothing-here")}`);
  await page.locator('[data-form="meter"] button[type="submit"]').click();
  await page.locator("[data-silent]").waitFor();
  await look("meter-silent");
  await progressed("meter", "trouble");
  await manual.locator("summary").first().click();
  // A file has no cable and needs no group; it is not there.
  const file = `file:${join(dir, "nothing-here.txt")}`;
  await page.locator("#meter-source").fill(file);
  await page.locator('[data-form="meter"] button[type="submit"]').click();
  await reads(page.locator("[data-silent-file]"), /not there/);
  await none(page.locator("[data-silent] li"), "no talk of cables");
  await page.locator(`[data-source="${file}"]`).waitFor();
  await page.locator("#meter-source").fill(meter.source);
  const saved = performance.now();
  await page.locator('[data-form="meter"] button[type="submit"]').click();
  await page.locator('[data-heard="ok"] [data-line="l3"]').waitFor();
  const took = performance.now() - saved;
  await counts(page.locator(`[data-source="${file}"]`), 0, "what was written by hand and is read no more was not found here");
  await eventually(() => page.locator('[data-line="l1"] [data-current]').getAttribute("data-current"), "2");
  await reads(page.locator('[data-line="l3"]'), /3\.0 A 690 W/);
  await page.locator("[data-silent]").waitFor({ state: "detached" });
  await look("meter");
  return `first value ${(took / 1000).toFixed(1)} s after saving`;
}

async function fuseEntered() {
  await onward();
  await at("fuse").waitFor();
  await eventually(() => page.locator("#setup-rating").inputValue(), "", "nobody's fuse is not offered as if it were known");
  const hint = page.locator('[data-suggests="it_3ph"]');
  await none(hint);
  meter.threeWire(true);
  await hint.waitFor();
  await look("fuse-hint");
  meter.threeWire(false);
  await hint.waitFor({ state: "detached" });
  const save = page.locator('[data-form="setup-fuse"] button[type="submit"]');
  await page.locator("#setup-rating").fill("plenty");
  await save.click();
  await isBad("setup-rating");
  // What is typed anew is not wrong any more until it is saved, and more than the service takes is not asked about.
  await page.locator("#setup-rating").fill("5000");
  await counts(page.locator("#setup-rating[aria-invalid]"), 0, "the error was of another value");
  await save.click();
  await isBad("setup-rating");
  await reads(page.locator("#setup-rating-error"), /1 A to 1000 A/);
  await none(page.locator("#rating-again"));
  await page.locator("#setup-rating").fill("25,5");
  await counts(page.locator("#setup-rating[aria-invalid]"), 0);
  await save.click();
  await reads(page.locator("[data-again]"), /Is 25\.5 A printed/);
  assert.equal((await api(page, "/site")).main_fuse.rating_a, 16, "a wrong value changes nothing");
  await page.locator(".chips button", { hasText: "25 A" }).click();
  await page.locator("#setup-name").fill("Test house");
  // A reload in the middle of a form loses nothing of it.
  await page.reload();
  await at("fuse").waitFor();
  await eventually(() => page.locator("#setup-rating").inputValue(), "25");
  await eventually(() => page.locator("#setup-name").inputValue(), "Test house");
  const zone = await page.evaluate(() => Intl.DateTimeFormat().resolvedOptions().timeZone);
  await eventually(() => page.locator("#setup-zone").inputValue(), zone, "the time zone of the browser is offered");
  await page.locator("#setup-zone").fill("Europe/Oslo");
  await save.click();
  await page.locator("#rating-again").fill("35");
  await page.locator('[data-act="raise"]').click();
  await isBad("rating-again");
  assert.equal((await api(page, "/site")).main_fuse.rating_a, 16, "another value the second time changes nothing");
  await look("fuse-again");
  await page.locator("#rating-again").fill("25");
  await page.locator('[data-act="raise"]').click();
  await said("setup-fuse").filter({ hasText: "25 A" }).waitFor();
  const site = await api(page, "/site");
  assert.deepEqual([site.main_fuse.rating_a, site.name, site.mode, site.time_zone], [25, "Test house", "observe", "Europe/Oslo"]);
  await look("fuse");
}

async function chargerAdopted() {
  await onward();
  await at("chargers").waitFor();
  const password = await eventually(() => page.locator("#ocpp-password").inputValue(), /^[a-z2-9]{16}$/);
  await page.locator(".waiting").waitFor();
  await look("chargers-waiting");
  chargePoint = startChargePoint(peers, service.ocpp, CHARGE_POINT, password);
  // Its terminal hangs on L2: what is configured at first is wrong, and the test finds it.
  meter.add(() => [0, chargePoint.draw()[0], 0]);
  const waiting = page.locator(`[data-find="${CHARGE_POINT}"]`);
  await waiting.waitFor();
  await reads(waiting, /firmware/);
  await look("chargers-found");
  await waiting.locator("button").click();
  await page.locator("#adopt-most").fill("a lot");
  await page.locator('[data-form="adopt"] button[type="submit"]').click();
  await isBad("adopt-most");
  for (const wrong of ["5", "-16", "0"]) {
    await page.locator("#adopt-most").fill(wrong);
    await counts(page.locator("#adopt-most[aria-invalid]"), 0);
    await page.locator('[data-form="adopt"] button[type="submit"]').click();
    await reads(page.locator("#adopt-most-error"), /6 A to 500 A/);
    assert.doesNotMatch(await page.locator('[data-form="adopt"]').textContent(), /_a\b/, "no names of the API");
  }
  await page.locator("#adopt-most").fill("16");
  await page.locator("#adopt-name").fill("");
  await page.locator('[data-form="adopt"] button[type="submit"]').click();
  await isBad("adopt-name");
  await page.locator("#adopt-name").fill("Garage");
  await page.locator('[data-form="adopt"] button[type="submit"]').click();
  await isBad("adopt-phases");
  assert.equal((await api(page, "/chargers")).items.length, 0, "nobody's wiring is guessed");
  await page.locator("#adopt-phases").selectOption("l1");
  await look("chargers-adopt");
  await page.locator('[data-form="adopt"] button[type="submit"]').click();
  await said("chargers").filter({ hasText: "Garage is saved" }).waitFor();
  await eventually(() => page.locator("#ocpp-password").inputValue(), (next) => next !== password, "the next charger gets another password");
  const own = page.locator('[data-configured="garage"]');
  await own.waitFor();
  const adopted = performance.now();
  await page.locator('[data-configured="garage"][data-connected="true"]').waitFor();
  await look("chargers");
  return `back with its password after ${((performance.now() - adopted) / 1000).toFixed(1)} s`;
}

/** kill -9, and a start on the same data. */
async function restart() {
  dead = true;
  await service.kill();
  await page.locator('[data-banner="lost"]').waitFor();
  await service.start();
  await page.locator('[data-banner="lost"]').waitFor({ state: "detached" });
  dead = false;
}

/** The car charges once it is allowed to. */
const charges = () =>
  page.waitForFunction(async () => {
    const status = await (await fetch("/api/v1/status")).json();
    return (status.loads.find((load) => load.id === "garage")?.measured_a?.[0] ?? 0) >= 15;
  });

async function killedInTheMiddle() {
  await restart();
  await counts(at("chargers"), 1, "the wizard stays where it was");
  await page.locator('[data-configured="garage"]').waitFor();
  // Another browser, after a kill of the first: it goes on at the first step that is open.
  await close(page);
  page = await open("#/setup");
  await page.locator("#name").fill(PERSON.name);
  await page.locator("#password").fill("not the password of hers");
  await page.locator('button[type="submit"]').click();
  await page.locator('[role="alert"]').filter({ hasText: /\w/ }).waitFor();
  await page.locator("#password").fill(PERSON.password);
  await page.locator('button[type="submit"]').click();
  await at("loads").waitFor();
  await page.locator("[data-resumed]").waitFor();
  for (const step of ["welcome", "meter", "fuse"]) {
    await progressed(step, "done");
  }
  assert.equal((await api(page, "/site")).main_fuse.rating_a, 25, "nothing that was saved is lost");
  assert.equal((await api(page, "/status")).mode, "observe");
}

async function relayAndOrder() {
  await page.locator("details.add summary").first().click();
  await page.locator("#relay-host").fill("127.0.0.1:9");
  await page.locator("#relay-rated-w").fill("hot");
  await page.locator('[data-form="relay"] button[type="submit"]').click();
  await isBad("relay-rated-w");
  await isBad("relay-phases");
  await page.locator("#relay-rated-w").fill("2000");
  await page.locator("#relay-phases").selectOption("l1");
  await page.locator("#relay-name").fill("Water heater");
  await page.locator('[data-form="relay"] button[type="submit"]').click();
  // Nothing answers there: it is saved, the reason is told, and the wizard goes on.
  const relay = page.locator('[data-configured="water_heater"], [data-configured="water-heater"]');
  await relay.filter({ hasText: "Because:" }).waitFor();
  await look("loads");
  await onward();
  await at("order").waitFor();
  const story = page.locator('[data-sentence="priorities"]');
  await reads(story, /slows? to 6 A|share/);
  // New loads share one line; the car is to go first.
  await page.locator('[data-load="garage"] [data-act="up"]').click();
  await story.filter({ hasText: /first Water heater waits, then Garage slows to 6 A, then Garage pauses/ }).waitFor();
  await page.locator('[data-act="save-order"]').click();
  await said("priorities").filter({ hasText: "Saved" }).waitFor();
  await look("order");
  return await story.innerText();
}

/**
 * Waits for the end of the test that runs. A test that the house ended (a busy machine is late with a telegram) tells nothing:
 * it is made again, as a person would.
 */
async function result(tries = 3) {
  await page.locator('[data-proof="garage"]:not([data-result="running"])').waitFor({ timeout: TEST });
  // The report comes a moment after the end.
  const found = await page.waitForFunction(async (since) => {
    const answer = await fetch("/api/v1/chargers/garage/report");
    const report = answer.ok ? await answer.json() : null;
    return report !== null && Date.parse(report.started) >= since ? report : null;
  }, begun);
  const report = await found.jsonValue();
  if (report.result !== "aborted" || tries === 1) return report;
  console.log(`      a test ended early: ${report.text}`);
  await charges();
  await begin();
  return result(tries - 1);
}

/** When the last test was begun. */
let begun = 0;
async function begin() {
  // The service tells whole milliseconds, and its clock is this computer's.
  begun = Date.now() - 1;
  await page.locator('[data-proof="garage"] [data-act="test"]').click();
  await page.locator('[data-proof="garage"][data-result="running"]').waitFor();
}

async function proven() {
  await onward();
  await at("prove").waitFor();
  assert.equal(await call(page, "PATCH", "/chargers/garage", { lease_s: LEASE_S }), 200);
  const site = await api(page, "/site");
  assert.equal(await call(page, "PUT", "/site", { ...site, tuning: QUICK }), 200);
  const start = page.locator('[data-proof="garage"] [data-act="test"]');
  // In observe-only nothing is commanded.
  await page.locator('[data-proof="garage"] [data-act="test"]:disabled').waitFor();
  await look("prove-observe");
  await page.locator('[data-act="control-for-tests"]').click();
  await page.locator('[data-control="tests"]').waitFor();
  await charges();
  // Begun, seen, stopped.
  await start.click();
  await page.locator("[data-test-step]").waitFor();
  await page.locator('[data-act="abort"]').click();
  await page.locator('[data-proof="garage"][data-result="aborted"]').waitFor();
  // Killed in the middle of a test: the test is gone, and the wizard does not wait for it.
  await charges();
  await start.click();
  await page.locator("[data-test-step]").waitFor();
  await restart();
  await page.locator('[data-proof="garage"]:not([data-result="running"])').waitFor();
  await page.locator('[data-control="tests"]').waitFor();
  await charges();
  await begin();
  await page.locator('[data-test-step="2"]').waitFor();
  // What was told, reported and metered is shown.
  await page.locator(".test-steps tbody tr").first().waitFor();
  // A reload in the middle of a test shows it again.
  await page.reload();
  await page.locator("[data-test-step]").waitFor();
  await look("prove-running");
  // It follows and falls back, and hangs on L2 and not on L1: that is found, said, and offered to be taken over.
  const report = await result();
  await page.locator('[data-proof="garage"][data-result="failed"]').waitFor();
  assert.deepEqual(report.follow.phases_found, ["l2"], JSON.stringify(report.follow));
  await look("prove-failed");
  await page.locator('[data-take-phases="l2"] button').click();
  await page.locator('[data-take-phases="l2"]').waitFor({ state: "detached" });
  const charger = await api(page, "/chargers/garage");
  assert.deepEqual(charger.phases, ["l2"]);
  await charges();
  await begin();
  const passed = await result();
  await page.locator('[data-proof="garage"][data-result="passed"]').waitFor();
  await page.waitForFunction(async () => (await (await fetch("/api/v1/chargers/garage")).json()).lease === "proven");
  await look("prove-passed");
  return `reaction ${passed.follow.reaction_ms} ms, error ${passed.follow.error_a} A, fell ${passed.cut.fell_after_ms} ms after the silence began`;
}

async function goneLive() {
  await onward();
  await at("live").waitFor();
  await page.locator('[data-act="observe"]').click();
  await said("live").filter({ hasText: "Nothing is commanded" }).waitFor();
  assert.equal((await api(page, "/site")).mode, "observe");
  // While nothing is commanded nothing is called protected, and what does not answer is named.
  await page.locator("#guard-yes").filter({ hasText: "not yet" }).waitFor();
  await page.locator(".verdicts .is-open").filter({ hasText: "Water heater does not answer" }).waitFor();
  await look("live-before");
  await page.locator('[data-act="live"]').click();
  await page.locator('[data-act="live-yes"]').click();
  await page.locator('[data-live="yes"]').waitFor();
  assert.equal((await api(page, "/status")).mode, "control");
  liveAfter = performance.now() - began;
  await page.locator("#paper-electrician").fill("Kari Nordmann");
  const paper = page.locator("[data-paper]");
  await paper.filter({ hasText: "proven" }).waitFor();
  await look("live");
  // Only the report goes to paper.
  await page.emulateMedia({ media: "print" });
  await page.locator(".signature").waitFor();
  for (const other of [".wizard-steps", "nav.nav"]) await unseen(page.locator(other), other);
  for (const wanted of ["25 A", "HEADROOM-TEST", "Garage", "L2", "Passed", "Kari Nordmann"]) {
    await page.locator(".sheet").filter({ hasText: wanted }).waitFor();
  }
  await page.emulateMedia({ media: "screen" });
}

async function viewerOnlyLooks() {
  const password = "another long sentence";
  assert.equal(await call(page, "POST", "/users", { name: "ola", password, role: "viewer" }), 201);
  await close(page);
  page = await open("#/setup/fuse");
  await page.locator("#name").fill("ola");
  await page.locator("#password").fill(password);
  await page.locator('button[type="submit"]').click();
  await at("fuse").waitFor();
  await page.locator("#setup-rating:disabled").waitFor();
  await reads(page.locator(".wizard-step .setup-note").first(), /Log in as installer/);
  await look("viewer");
}

async function nothingElse() {
  assert.deepEqual(faults, []);
}

/** Each step needs the one before: after a failure the rest would only wait. */
let isBroken = false;
const inTurn = (tests) =>
  tests.map(([name, test]) => [
    name,
    async () => {
      if (isBroken) throw new Error("not tried: a step before failed");
      isBroken = true;
      try {
        const note = await test();
        isBroken = false;
        return note;
      } catch (error) {
        await page?.screenshot({ path: join(screens, "setup-failed.png"), fullPage: true }).catch(() => undefined);
        throw error;
      }
    },
  ]);

let good = false;
try {
  good = await run(inTurn([
    ["code and password, then the wizard", setUp],
    ["the meter is heard", meterHeard],
    ["the main fuse is typed twice", fuseEntered],
    ["a charger that waits is taken over", chargerAdopted],
    ["a kill in the middle loses nothing", killedInTheMiddle],
    ["a relay that does not answer, and the order", relayAndOrder],
    ["the tests of the charger, their phases taken over", proven],
    ["live, with a report to print", goneLive],
    ["a viewer only looks", viewerOnlyLooks],
    ["no foreign host, no error in the page", nothingElse],
  ]));
  if (liveAfter !== null) console.log(`benchmark: first load to live ${(liveAfter / 1000).toFixed(0)} s, pictures, wrong input, two kills and the tests of the charger included`);
} finally {
  await browser.close();
  await chargePoint?.end();
  await service.end();
  await meter.end();
  await rm(dir, { recursive: true, force: true });
}
process.exitCode = good ? 0 : 1;
