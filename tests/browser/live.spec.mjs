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
  await own.locator('[data-setpoint="0"]').waitFor({ timeout: 15_000 });
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
  await said("priorities").filter({ hasText: "Saved" }).waitFor();
  const after = (await api(page, "/priorities")).order;
  assert.notDeepEqual(after, before);
  const place = (order) => order.findIndex((line) => line.includes(load)) / order.length;
  assert.ok(place(after) < place(before), "the load is served earlier than before");

  await restoreOrder(before);
  return after.map((line) => line.join(" + ")).join(" → ");
}

/** Puts the order back without the page, whatever lines it had. */
async function restoreOrder(order) {
  const status = await page.evaluate(async (o) => {
    const headers = { "content-type": "application/json", "x-csrf-token": sessionStorage.getItem("headroom_csrf") ?? "" };
    return (await fetch("/api/v1/priorities", { method: "PUT", headers, body: JSON.stringify({ order: o }) })).status;
  }, order);
  assert.equal(status, 200);
}

async function accessible() {
  const notes = [];
  for (const scheme of SCHEMES) {
    const other = await openPage(browser, base, faults, { scheme, width: scheme === "dark" ? 360 : 1280 });
    await other.locator("[data-decision]").first().waitFor();
    for (const details of await other.locator("details.help > summary").all()) await details.click();
    // Evaluated by the test's own channel, so the page's content security policy stays as it is.
    await other.evaluate(axeSource);
    const result = await other.evaluate(() =>
      globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }),
    );
    const serious = result.violations.filter((v) => v.impact === "serious" || v.impact === "critical");
    const text = serious.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.failureSummary}`).join(" | ")}`);
    assert.deepEqual(text, [], `${scheme} theme`);
    notes.push(`${scheme} ${result.passes.length} rules passed, ${result.violations.length} minor`);
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
  ["axe finds nothing serious in both themes", accessible],
  ["screenshots at 360 and 1280 px in both themes", screenshots],
  ["a lost connection is said plainly, and mended", saysWhenItIsLost],
  ["the page is small", small],
  ["no foreign host, no error in the console", noFaults],
]);
await browser.close();
process.exitCode = good ? 0 : 1;
