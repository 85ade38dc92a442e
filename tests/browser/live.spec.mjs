// The page of a running `headroom demo` in a real browser.
//   HEADROOM_URL=http://127.0.0.1:8080 node live.spec.mjs
// What it changes (main fuse, order, one limit) it puts back. Screenshots go to target/screens.
import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { layCable } from "./cable.mjs";
import { api, openBrowser, openPage, run } from "./harness.mjs";
import { alarm, calm, fresh, freshSite, noMeter, openHouse, overloaded } from "./houses.mjs";

const base = process.env.HEADROOM_URL;
if (base === undefined) {
  console.error("Set HEADROOM_URL to the address of a running `headroom demo`, for example http://127.0.0.1:8080.");
  process.exit(1);
}
const here = dirname(fileURLToPath(import.meta.url));
const screens = join(here, "..", "..", "target", "screens");
const axeSource = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Budget of everything the first visit loads, compressed, in bytes. */
const BUDGET = 60_000;
const SIZES = [360, 1280];
const SCHEMES = ["light", "dark"];

const faults = [];
const browser = await openBrowser();
const page = await openPage(browser, base, faults);

const age = async () => Number(await page.locator("[data-age]").getAttribute("data-age"));
const rating = async () => (await api(page, "/site")).main_fuse.rating_a;
const said = (form) => page.locator(`[data-said="${form}"]`);

async function saveRating(value) {
  await page.locator("#rating").fill(String(value));
  await page.locator('[data-form="site"] button[type="submit"]').click();
}

async function barsWithMovingAge() {
  const status = await api(page, "/status");
  const phases = page.locator("[data-phase]");
  assert.equal(await phases.count(), status.phases.length, "one bar for each phase of the status");
  assert.equal(await page.locator('[data-phase] svg[role="img"][aria-label*="fuse"]').count(), status.phases.length);
  // The age must be seen to grow between readings, and to fall back when one arrives.
  let grew = false;
  let fell = false;
  let before = await age();
  const until = Date.now() + Math.max(10_000, (status.meter.period_s ?? 1) * 3_000);
  while (!(grew && fell) && Date.now() < until) {
    await page.waitForFunction((old) => document.querySelector("[data-age]").dataset.age !== old, before.toFixed(1));
    const now = await age();
    grew ||= now > before;
    fell ||= now < before;
    before = now;
  }
  assert.ok(grew, "the age of the reading grows");
  assert.ok(fell, "a new reading makes the age small again");
  return `reading ${before} s old`;
}

async function carThrottled() {
  const found = await page.waitForFunction(
    () => {
      for (const card of document.querySelectorAll('[data-kind="charger"]')) {
        const setpoint = card.querySelector("[data-setpoint]");
        const reason = card.querySelector(".reason");
        const { setpoint: now, max } = setpoint?.dataset ?? {};
        const text = reason?.lastChild?.textContent?.trim() ?? "";
        const held = now !== "" && max !== "" && Number(now) < Number(max);
        if (held && !["", "normal", "starting", "user", "demand"].includes(reason.dataset.reason) && text.split(" ").length >= 4) {
          return `${card.dataset.load} at ${now} A of ${max} A, "${text}"`;
        }
      }
      return null;
    },
    null,
    { timeout: 30_000 },
  );
  return found.jsonValue();
}

async function decisionsLive() {
  const rows = page.locator("[data-decision]");
  await rows.first().waitFor({ timeout: 30_000 });
  const newest = Number(await rows.first().getAttribute("data-decision"));
  // A limit above the present one would change nothing: pause, which always does unless the load is paused already.
  const card = page.locator('[data-kind="charger"]:has([data-setpoint]:not([data-setpoint="0"]):not([data-setpoint=""]))').first();
  const load = await card.getAttribute("data-load");
  const own = page.locator(`[data-load="${load}"][data-kind="charger"]`);
  await own.locator('[data-command="pause"]').click();
  await own.locator(".commands .said").filter({ hasText: /until \d\d:\d\d/ }).waitFor();
  await page.waitForFunction(
    (old) => Number(document.querySelector("[data-decision]").dataset.decision) > old,
    newest,
    { timeout: 15_000 },
  );
  await own.locator('[data-setpoint="0"]').filter({ hasText: "Paused by hand" }).waitFor({ timeout: 15_000 });
  await own.locator('[data-command="resume"]').click();
  await own.locator(".commands .said").filter({ hasText: "automatic" }).waitFor();
  // By its number: newer rows may come in above it meanwhile.
  const row = page.locator(`[data-decision="${await rows.first().getAttribute("data-decision")}"]`);
  await row.locator("details.inputs summary").click();
  await row.locator("pre").filter({ hasText: "{" }).waitFor();
  const shown = await row.locator("pre").innerText();
  assert.equal(typeof JSON.parse(shown), "object", "the inputs are shown as JSON");
  return `decision ${newest} and newer`;
}

async function fuseChanged() {
  const before = await rating();
  assert.equal(typeof before, "number", "the demo house has one rating for all phases");
  const lower = before - 5;
  await saveRating(lower);
  await said("site").filter({ hasText: `${lower} A` }).waitFor();
  assert.equal(await rating(), lower);
  await page.locator(".fuse-text").first().filter({ hasText: `${lower} A` }).waitFor();
  const limit = lower - (await api(page, "/site")).margin_a;
  await page.waitForFunction(
    async (wanted) => (await (await fetch("/api/v1/status")).json()).phases[0].limit_a === wanted,
    limit,
    { timeout: 5_000 },
  );

  const whole = JSON.stringify(await api(page, "/site"));
  for (const wrong of ["-5", "lots"]) {
    await saveRating(wrong);
    await page.locator("#rating-error").waitFor();
    assert.notEqual((await page.locator("#rating-error").innerText()).trim(), "");
    assert.equal(await page.locator("#rating").getAttribute("aria-invalid"), "true");
    assert.match(await said("site").innerText(), /Nothing was changed/);
    assert.equal(JSON.stringify(await api(page, "/site")), whole, "a wrong value changes nothing");
  }

  await saveRating(before);
  await page.locator('[data-act="raise"]').click();
  await said("site").filter({ hasText: `${before} A` }).waitFor();
  assert.equal(await rating(), before);
  return `${before} A → ${lower} A → ${before} A`;
}

async function prioritiesByKeyboard() {
  const before = (await api(page, "/priorities")).order;
  assert.ok(before.length > 1, "the demo house has more than one class of priority");
  const load = before.at(-1)[0];
  const entry = page.locator(`[data-form="priorities"] [data-load="${load}"]`);
  const focused = () => page.evaluate(() => document.activeElement?.closest("[data-load]")?.dataset.load);
  // Onto the line above (or off a shared one), then up: each move draws the list anew.
  await entry.locator('[data-act="share"], [data-act="alone"]').focus();
  await page.keyboard.press("Space");
  assert.equal(await focused(), load, "the focus goes along when a load changes its line");
  await entry.locator('[data-act="up"]').focus();
  await page.keyboard.press("Enter");
  assert.equal(await focused(), load, "the focus goes along when a load moves up");
  await said("priorities").filter({ hasText: "Not saved yet" }).waitFor();
  await page.locator('[data-act="save-order"]').focus();
  await page.keyboard.press("Enter");
  await said("priorities").filter({ hasText: "Saved and in force" }).waitFor();
  const after = (await api(page, "/priorities")).order;
  assert.notDeepEqual(after, before);
  const place = (order) => order.findIndex((line) => line.includes(load)) / order.length;
  assert.ok(place(after) < place(before), "the load is served earlier than before");

  await restoreOrder(before);
  return after.map((line) => line.join(" + ")).join(" → ");
}

/** Puts the order back without the page, whatever lines it had. */
async function restoreOrder(order) {
  assert.equal(await call("PUT", "/priorities", { order }), 200);
}

const foot = (other) => other.locator("[data-guard]");
const chip = (other) => other.locator("header [data-state] .badge");

async function overloadSeen() {
  const house = await calm(page);
  const quiet = await openHouse(browser, base, faults, house);
  assert.equal(await quiet.locator('[data-banner="alarm"]').count(), 0);
  assert.doesNotMatch(await chip(quiet).getAttribute("class"), /tone-bad/);
  assert.match(await foot(quiet).innerText(), /^The fuse is guarded/);
  await quiet.context().close();

  for (const width of SIZES) {
    const other = await openHouse(browser, base, faults, overloaded(house), {}, { width, height: 700 });
    assert.match(await chip(other).getAttribute("class"), /tone-bad/);
    assert.equal((await chip(other).innerText()).trim(), "Overload");
    const banners = other.locator('[data-banner="alarm"]');
    assert.deepEqual(await banners.evaluateAll((all) => all.map((b) => b.dataset.alarm)), ["not_obeying", "overload"]);
    const { y, height } = await banners.last().boundingBox();
    assert.ok(y + height < 700, `the banners are above the fold at ${width} px, the last ends at ${y + height}`);
    assert.doesNotMatch(await foot(other).innerText(), /is guarded/);
    assert.match(await other.title(), /^Overload/);
    await other.context().close();
  }

  // Above the limit, before it lasts long enough for an alarm; and an alarm while nothing is above the limit.
  const short = await openHouse(browser, base, faults, { ...overloaded(house), alarms: [] });
  assert.match(await chip(short).getAttribute("class"), /tone-bad/);
  await short.context().close();
  const disobeying = await openHouse(browser, base, faults, { ...house, alarms: overloaded(house).alarms.slice(1, 2) });
  assert.match(await chip(disobeying).getAttribute("class"), /tone-bad/);
  assert.equal((await chip(disobeying).innerText()).trim(), "Not obeyed");
  await disobeying.context().close();
}

async function frozenMeterNamed() {
  const house = await calm(page);
  const other = await openHouse(browser, base, faults, {
    ...house,
    state: "degraded.meter_stale",
    meter: { ...house.meter, state: "stale" },
    alarms: [alarm(1, "meter_frozen", "The meter says the same in every value: it is not believed.")],
  });
  assert.equal((await chip(other).innerText()).trim(), "Meter frozen");
  assert.equal(await other.locator("[data-phase]").first().locator(".old").count(), 2, "the large values are told to be old");
  assert.doesNotMatch(await foot(other).innerText(), /is guarded/);
  await other.context().close();
}

async function observeTellsWhatItWould() {
  const house = await calm(page);
  const [car, second] = house.loads.filter((l) => l.kind === "charger");
  const would = {
    code: "priority",
    from_a: 16,
    to_a: 10,
    text: `Observe only, nothing is commanded. In control: ${second.name} goes first: ${car.name} goes from 16 A to 10 A.`,
  };
  const rows = [
    { id: 2, time: house.time, t_ms: 2000, state: "observe", reason: would, actions: [] },
    { id: 1, time: house.time, t_ms: 1000, state: "observe", reason: { code: "observe", text: "Observe only: Headroom reads and shows, and commands nothing." }, actions: [] },
  ];
  const other = await openHouse(
    browser,
    base,
    faults,
    { ...house, state: "observe", mode: "observe", reason: would, loads: house.loads.map((l) => (l === car ? { ...l, reason: would } : l)) },
    { "/decisions": { items: rows, next: null } },
  );
  const row = other.locator('[data-decision="2"]');
  const told = (await row.locator("[data-would]").innerText()).replace(/\s+/g, " ");
  assert.equal(told.trim(), `${car.name} 16 A → 10 A would`);
  const why = await row.locator(".col-reason").innerText();
  assert.ok(why.startsWith(`${second.name} goes first`), `what would be done stands first, found: ${why}`);
  assert.equal(await other.locator('[data-decision="1"] [data-would]').count(), 0, "a row that would do nothing says so");
  const card = await other.locator(`[data-kind="charger"][data-load="${car.id}"] .reason`).innerText();
  assert.ok(card.replace(/\s+/g, " ").startsWith(`Would ${second.name} goes first`), card);
  assert.equal(await foot(other).innerText(), "Headroom only observes: it does not protect the fuse.");
  await other.context().close();
}

async function meterConfigured() {
  const site = freshSite(await api(page, "/site"));
  const other = await openHouse(browser, base, faults, fresh(await calm(page)), { "/site": site, "/meter": noMeter });
  for (const step of ["fuse", "meter", "loads", "control"]) {
    assert.equal(await other.locator(`[data-step="${step}"]`).getAttribute("data-done"), "false", step);
  }
  assert.match(await other.locator('[data-step="meter"]').innerText(), /No meter is configured/);
  assert.match(await other.locator('[data-step="fuse"]').innerText(), /16 A .* not the fuse of this house/);
  assert.match(await other.locator("[data-meter-text]").innerText(), /No meter is configured/);
  assert.match(await foot(other).innerText(), /does not protect the fuse/);
  await other.locator('[data-step="meter"] a').click();
  assert.equal(await other.evaluate(() => location.hash), "#meter-source");

  const bodies = [];
  await other.route("**/api/v1/meter", (route) => {
    if (route.request().method() !== "PUT") return route.fallback();
    bodies.push(route.request().postDataJSON());
    return route.fulfill({ json: { source: bodies.at(-1).source, key_set: bodies.at(-1).key !== undefined, ct_ratio: bodies.at(-1).ct_ratio } });
  });
  const save = async (saved) => {
    await other.locator('[data-form="meter"] button[type="submit"]').click();
    await other.locator('[data-said="meter"]').filter({ hasText: saved }).waitFor();
  };
  await other.locator("#meter-source").fill(" tcp://192.0.2.5:2001 ");
  await save("Saved");
  await other.locator('[data-form="meter"] summary').last().click();
  const key = "00112233445566778899aabbccddeeff";
  await other.locator("#meter-key").fill(key);
  await other.locator("#meter-ratio").fill("40");
  await save("Saved");
  assert.equal(await other.locator("#meter-key").inputValue(), "", "a key is not kept on the page");
  await other.locator("#meter-forget").check();
  await save("Saved");
  const source = "tcp://192.0.2.5:2001";
  assert.deepEqual(bodies, [
    { source, ct_ratio: null },
    { source, ct_ratio: 40, key },
    { source, ct_ratio: 40, key: null, auth_key: null },
  ]);
  await other.context().close();

  // The service itself: what it hears stands below the field, and a wrong source changes nothing.
  assert.match(await page.locator("[data-meter-text]").innerText(), /P1/);
  const before = JSON.stringify(await api(page, "/meter"));
  await page.locator("#meter-source").fill("nonsense");
  await page.locator('[data-form="meter"] button[type="submit"]').click();
  await page.locator("#meter-source-error").waitFor();
  assert.match(await said("meter").innerText(), /Nothing was changed/);
  assert.equal(JSON.stringify(await api(page, "/meter")), before);
  await page.locator('[data-form="meter"] button:not([type="submit"])').click();
}

async function chargerAdded() {
  const before = (await api(page, "/chargers")).items.length;
  await page.locator("details.add > summary").first().click();
  const form = page.locator('[data-form="charger"]');
  await form.locator("#charger-point").fill("BROWSER-1");
  await form.locator("#charger-name").fill("Browser's car");
  await form.locator("#charger-password").fill("short");
  await form.locator('button[type="submit"]').click();
  await page.locator("#charger-password-error").waitFor();
  assert.equal((await api(page, "/chargers")).items.length, before, "a wrong value adds nothing");

  await form.locator("#charger-password").fill("");
  await form.locator('button[type="submit"]').click();
  await said("charger").filter({ hasText: /password .* BROWSER-1 .*: \S{8,}/ }).waitFor();
  const made = (await api(page, "/chargers")).items.find((c) => c.driver.charge_point_id === "BROWSER-1");
  assert.equal(made.name, "Browser's car");
  assert.deepEqual(made.phases, ["l1", "l2", "l3"]);
  const card = page.locator(`[data-kind="charger"][data-load="${made.id}"]`);
  await card.waitFor();
  await page.locator("details.add > summary").last().click();
  const remove = page.locator(`[data-remove="${made.id}"] button`).last();
  await remove.click();
  assert.equal((await api(page, "/chargers")).items.length, before + 1, "it asks before it removes");
  await remove.click();
  await card.waitFor({ state: "detached" });
  assert.equal((await api(page, "/chargers")).items.length, before);
}

/** A change without the page's own forms. Answers the status. */
const call = (method, path, body) =>
  page.evaluate(
    async ([m, p, b]) => {
      const headers = { "content-type": "application/json", "x-csrf-token": sessionStorage.getItem("headroom_csrf") ?? "" };
      return (await fetch(`/api/v1${p}`, { method: m, headers, ...(b === undefined ? {} : { body: JSON.stringify(b) }) })).status;
    },
    [method, path, body],
  );

async function accessible() {
  const notes = [];
  const house = await calm(page);
  const site = freshSite(await api(page, "/site"));
  const opens = [
    ["demo", (options) => openPage(browser, base, faults, options)],
    ["overload", (options) => openHouse(browser, base, faults, overloaded(house), {}, options)],
    ["fresh", (options) => openHouse(browser, base, faults, fresh(house), { "/site": site, "/meter": noMeter }, options)],
  ];
  for (const [name, open] of opens) for (const scheme of SCHEMES) {
    const other = await open({ scheme, width: scheme === "dark" ? 360 : 1280 });
    await other.locator("[data-decision]").first().waitFor();
    await other.locator("details:is(.help, .add)").evaluateAll((all) => {
      for (const details of all) details.open = true;
    });
    // Evaluated by the test's own channel, so the page's content security policy stays as it is.
    await other.evaluate(axeSource);
    const result = await other.evaluate(() =>
      globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }),
    );
    const serious = result.violations.filter((v) => v.impact === "serious" || v.impact === "critical");
    const text = serious.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.failureSummary}`).join(" | ")}`);
    assert.deepEqual(text, [], `${name} house, ${scheme} theme`);
    notes.push(`${name} ${scheme} ${result.passes.length} rules passed, ${result.violations.length} minor`);
    for (const v of result.violations) notes.push(v.id);
    await other.context().close();
  }
  return notes.join(", ");
}

async function screenshots() {
  await mkdir(screens, { recursive: true });
  for (const scheme of SCHEMES) {
    for (const width of SIZES) {
      const other = await openPage(browser, base, faults, { scheme, width });
      await other.locator("[data-decision]").first().waitFor();
      const wide = await other.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= width, `nothing sticks out at ${width} px, found ${wide} px`);
      await other.screenshot({ path: join(screens, `live-${width}-${scheme}.png`), fullPage: true });
      await other.context().close();
    }
  }
  return screens;
}

async function saysWhenItIsLost() {
  // Its own list of faults: a broken connection is an error to the browser, and the aim of this test.
  const cable = await layCable(base);
  const other = await openPage(browser, cable.url, []);
  const lost = other.locator('[data-banner="lost"]');
  await other.locator('[data-link="open"]').waitFor();
  await cable.cut();
  await lost.waitFor({ timeout: 20_000 });
  assert.match(await lost.innerText(), /The page has lost Headroom; what you see is .+ old/);
  assert.equal(await other.locator(".live.is-outdated").count(), 1, "the values look old");
  await cable.mend();
  await lost.waitFor({ state: "detached", timeout: 20_000 });
  await other.locator('[data-link="open"]').waitFor();
  assert.equal(await other.locator(".live.is-outdated").count(), 0, "it comes back by itself");
  await other.context().close();
  await cable.cut();
}

async function small() {
  const html = await (await fetch(base)).text();
  const names = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((m) => m[1]);
  let total = gzipSync(html, { level: 9 }).length;
  for (const name of names) {
    const answer = await fetch(new URL(name, base));
    assert.equal(answer.status, 200, name);
    total += gzipSync(Buffer.from(await answer.arrayBuffer()), { level: 9 }).length;
  }
  assert.ok(total < BUDGET, `${total} B compressed, budget ${BUDGET} B`);
  return `${(total / 1000).toFixed(1)} kB compressed`;
}

async function noFaults() {
  assert.deepEqual(faults, []);
}

const good = await run([
  ["bars appear, the age of the reading moves", barsWithMovingAge],
  ["a car is shown throttled, with its reason", carThrottled],
  ["decisions fill live, a row opens its inputs", decisionsLive],
  ["the main fuse is changed by the form; a wrong value changes nothing", fuseChanged],
  ["priorities are re-ordered by keyboard", prioritiesByKeyboard],
  ["an overload and who does not obey stand in red at the top", overloadSeen],
  ["a frozen meter is called frozen, its values old", frozenMeterNamed],
  ["observe mode tells what it would have done", observeTellsWhatItWould],
  ["a house without a meter says so, and the form sets one", meterConfigured],
  ["a charger is added and removed by the forms", chargerAdded],
  ["axe finds nothing serious in both themes", accessible],
  ["screenshots at 360 and 1280 px in both themes", screenshots],
  ["a lost connection is said plainly, and mended", saysWhenItIsLost],
  ["the page is small", small],
  ["no foreign host, no error in the console", noFaults],
]);
await browser.close();
process.exitCode = good ? 0 : 1;
