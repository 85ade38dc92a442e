// The frame and the live page of a running `headroom demo` in a real browser.
//   HEADROOM_URL=http://127.0.0.1:8080 node run.mjs live
// What it changes it puts back. Screenshots go to target/screens.
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { layCable } from "./cable.mjs";
import { accessible, address, api, call, counts, drawn, eventually, none, openBrowser, openPage, PATIENCE_MS, PROMPT_MS, reads, run, SCHEMES, shoot, SIZES, TABLET, visit } from "./harness.mjs";
import { alarm, calm, fresh, freshSite, noMeter, openHouse, overloaded } from "./houses.mjs";

const base = address();
/** Budget of everything the first visit loads, compressed, in bytes. */
const BUDGET = 120_000;
const PAGES = ["live", "timeline", "decisions", "loads", "setup", "what-if", "diagnostics", "settings"];

const faults = [];
const browser = await openBrowser();
const page = await openPage(browser, base, faults);

const age = async () => Number(await page.locator("[data-age]").getAttribute("data-age"));

async function barsWithMovingAge() {
  const status = await api(page, "/status");
  const phases = page.locator("[data-phase]");
  await counts(phases, status.phases.length, "one bar for each phase of the status");
  await counts(page.locator('[data-phase] svg[role="img"][aria-label*="fuse"]'), status.phases.length);
  // The age must be seen to grow between readings, and to fall back when one arrives.
  let grew = false;
  let fell = false;
  let before = await age();
  const until = Date.now() + PATIENCE_MS;
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

/** Each phase is stacked: the house, and every load that draws there. */
async function whoUsesWhat() {
  const house = await calm(page);
  const [first, second] = house.loads.filter((l) => l.kind === "charger");
  const chargers = await api(page, "/chargers");
  const wired = chargers.items.map((c) => ({ ...c, phases: c.id === first.id ? ["l1", "l2", "l3"] : ["l3"] }));
  const loads = house.loads.map((l) =>
    l.id === first.id ? { ...l, measured_a: [6, 6, 6] } : l.id === second.id ? { ...l, measured_a: [8] } : { ...l, on: false, power_w: 0 },
  );
  const phases = house.phases.map((p, i) => ({ ...p, background_a: 4, measured_a: i === 2 ? 18 : 10, headroom_a: i === 2 ? 7 : 15 }));
  const other = await openHouse(browser, base, faults, { ...house, loads, phases }, { "/chargers": { ...chargers, items: wired } });
  const shares = (phase) => other.locator(`[data-phase="${phase}"] [data-share]`).evaluateAll((all) => all.map((s) => s.dataset.share));
  await other.locator('[data-phase="l3"] [data-share]').nth(1).waitFor();
  await eventually(() => shares("l1"), [first.id]);
  await eventually(() => shares("l3"), [first.id, second.id]);
  await reads(other.locator('[data-phase="l3"] dl'), new RegExp(`${first.name} 6\\.0 A ${second.name} 8\\.0 A Limit 25\\.0 A`));
  await other.context().close();
}

/** All of it as one drawing shows it: the house lives on while the test reads. */
async function powerFlows() {
  const watts = (said) => {
    const [, value, unit] = /([\d.]+) (kW|W)$/.exec(said.replace(/\s+/g, " ").trim()) ?? assert.fail(`no power in: ${said}`);
    return Number(value) * (unit === "kW" ? 1000 : 1);
  };
  const flow = async () => {
    const names = ["grid", "house", "cars", "heat"];
    const said = await page.evaluate((all) => all.map((part) => document.querySelector(`[data-part="${part}"]`).innerText), names);
    return said.map(watts);
  };
  const isWhole = ([grid, ...parts]) => grid > 0 && Math.abs(parts.reduce((a, b) => a + b, 0) - grid) < Math.max(1_500, grid * 0.2);
  const [grid, ...parts] = await eventually(flow, isWhole, "what comes from the grid goes into the house");
  return `${grid} W = ${parts.join(" + ")} W`;
}

async function carThrottled() {
  const found = await page.waitForFunction(
    () => {
      for (const card of document.querySelectorAll('[data-kind="charger"]')) {
        const setpoint = card.querySelector("[data-setpoint]");
        const reason = card.querySelector(".reason");
        const { setpoint: now, max } = setpoint?.dataset ?? {};
        const text = reason?.querySelector("[data-why]")?.textContent?.trim() ?? "";
        const held = now !== "" && max !== "" && Number(now) < Number(max);
        if (held && !["", "normal", "starting", "user", "demand"].includes(reason.dataset.reason) && text.split(" ").length >= 4) {
          return `${card.dataset.load} at ${now} A of ${max} A, "${text}"`;
        }
      }
      return null;
    },
    null,
    { timeout: PATIENCE_MS },
  );
  return found.jsonValue();
}

async function pausedAndEnded() {
  const newest = (await api(page, "/decisions?limit=1")).items[0].id;
  // A limit above the present one would change nothing: pause, which always does unless the load is paused already. After
  // the specs before this one all chargers may be waiting for their restart.
  const card = page.locator('[data-kind="charger"]:has([data-setpoint]:not([data-setpoint="0"]):not([data-setpoint=""]))').first();
  const load = await card.getAttribute("data-load", { timeout: 240_000 });
  const own = page.locator(`[data-load="${load}"][data-kind="charger"]`);
  await own.locator("select").selectOption("30");
  await own.locator('[data-command="pause"]').click();
  await own.locator(".commands .said").filter({ hasText: /until \d\d:\d\d/ }).waitFor();
  await own.locator('[data-setpoint="0"]').filter({ hasText: "Paused by hand" }).waitFor({ timeout: PROMPT_MS });
  await own.locator('[data-holds="pause"]').filter({ hasText: /until \d\d:\d\d/ }).waitFor();
  const link = own.locator(".to-decision");
  await page.waitForFunction(
    ([id, old]) => Number(document.querySelector(`[data-load="${id}"] .to-decision`).hash.split("/").at(-1)) > old,
    [load, newest],
  );
  const decision = await link.getAttribute("href");
  await own.locator('[data-command="end"]').click();
  await own.locator(".commands .said").filter({ hasText: "automatic" }).waitFor();
  await own.locator("[data-holds]").waitFor({ state: "detached" });
  return `${load}: ${decision}`;
}

const guard = (other) => other.locator("[data-guard]");
const chip = (other) => other.locator("header [data-state] .badge");

async function everyPageIsReached() {
  const other = await openPage(browser, base, faults);
  for (const name of PAGES.slice(1).concat("live")) {
    await other.locator(`.nav [data-page="${name}"]`).click();
    await other.locator(`.nav [data-page="${name}"][aria-current="page"]`).waitFor();
    await counts(other.locator('.nav [aria-current="page"]'), 1, name);
    await eventually(() => other.evaluate(() => document.activeElement?.id), "page-title", `the focus goes to the heading of ${name}`);
    await counts(other.locator("h1"), 1, name);
    const own = await other.locator(`.nav [data-page="${name}"]`).textContent();
    const plain = (text) => text.replaceAll("\u00ad", "").trim();
    await eventually(async () => plain(await other.locator("h1").textContent()), plain(own), `the heading names ${name}`);
    await eventually(() => other.title(), new RegExp(plain(own), "i"), "the title of the window names the page");
    await reads(guard(other), /\S/, `the sentence about the fuse stands on ${name}`);
    await chip(other).waitFor();
    await drawn(other);
    assert.doesNotMatch(await other.locator("main").innerText(), /L\d of main\b/, `${name} speaks of the main fuse`);
  }
  await other.goBack();
  await other.locator('.nav [data-page="settings"][aria-current="page"]').waitFor();
  await visit(other, "#/nowhere");
  await reads(other.locator("h1"), "No such page");
  await other.context().close();

  // On a telephone the rarer pages are behind a button; Escape puts them away again.
  const small = await openPage(browser, base, faults, { width: 360, height: 740 });
  const more = small.locator(".nav-more button");
  await more.click();
  await small.locator('[data-page="settings"]').waitFor();
  await small.keyboard.press("Escape");
  await small.locator('[data-page="settings"]').waitFor({ state: "hidden" });
  await small.locator('.nav-more button[aria-expanded="false"]').waitFor();
  await eventually(() => more.evaluate((button) => button === document.activeElement), true, "the focus goes back to the button");
  await more.click();
  await small.locator('[data-page="diagnostics"]').click();
  await small.locator("h1", { hasText: "Diagnostics" }).waitFor();
  await small.context().close();
}

async function overloadSeen() {
  const house = await calm(page);
  const quiet = await openHouse(browser, base, faults, house);
  await reads(guard(quiet), /^The fuse is guarded/);
  assert.doesNotMatch(await chip(quiet).getAttribute("class"), /tone-bad/);
  await none(quiet.locator('[data-banner="alarm"]'));
  await quiet.context().close();

  for (const width of SIZES) {
    const other = await openHouse(browser, base, faults, overloaded(house), {}, { width, height: 700 });
    await eventually(() => chip(other).getAttribute("class"), /tone-bad/);
    await reads(chip(other), "Overload");
    const banners = other.locator('[data-banner="alarm"]');
    await eventually(() => banners.evaluateAll((all) => all.map((b) => b.dataset.alarm)), ["not_obeying", "overload"]);
    const end = async () => {
      const { y, height } = await banners.last().boundingBox();
      return y + height;
    };
    await eventually(end, (y) => y < 700, `the banners are above the fold at ${width} px`);
    assert.doesNotMatch(await guard(other).innerText(), /is guarded/);
    await eventually(() => other.title(), /^Overload/);
    await visit(other, "#/settings");
    await counts(banners, 2, "the alarms stand on every page");
    await other.context().close();
  }

  // Above the limit, before it lasts long enough for an alarm; and an alarm while nothing is above the limit.
  const short = await openHouse(browser, base, faults, { ...overloaded(house), alarms: [] });
  await eventually(() => chip(short).getAttribute("class"), /tone-bad/);
  await short.context().close();
  const disobeying = await openHouse(browser, base, faults, { ...house, alarms: overloaded(house).alarms.slice(1, 2) });
  await eventually(() => chip(disobeying).getAttribute("class"), /tone-bad/);
  await reads(chip(disobeying), "Not obeyed");
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
  await reads(chip(other), "Meter frozen");
  await counts(other.locator("[data-phase]").first().locator(".old"), 2, "the large values are told to be old");
  assert.doesNotMatch(await guard(other).innerText(), /is guarded/);
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
  const other = await openHouse(browser, base, faults, {
    ...house,
    state: "observe",
    mode: "observe",
    reason: would,
    loads: house.loads.map((l) => (l === car ? { ...l, reason: would } : l)),
  });
  const card = other.locator(`[data-kind="charger"][data-load="${car.id}"] .reason`);
  await reads(card, (text) => text.startsWith(`In control ${second.name} goes first`), "the card");
  await reads(guard(other), "Headroom only observes: it does not protect the fuse.");
  await other.context().close();
}

/** A service that is busy for a moment does not leave the page without its settings. */
async function meterAskedAgain() {
  let asked = 0;
  const prepare = (fresh) =>
    fresh.route("**/api/v1/meter", (route) => {
      asked += 1;
      return asked === 1 ? route.fulfill({ status: 503, json: { code: "busy", title: "Busy" } }) : route.fallback();
    });
  // Its own list of faults: the browser tells of the answer that this test makes.
  const other = await openPage(browser, base, [], { at: "#/settings/house", prepare });
  await other.locator('[data-form="meter"]').waitFor();
  assert.ok(asked >= 2, `asked ${asked} times`);
  await other.context().close();
}

async function freshHouse() {
  const site = freshSite(await api(page, "/site"));
  const other = await openHouse(browser, base, faults, fresh(await calm(page)), { "/site": site, "/meter": noMeter });
  for (const step of ["fuse", "meter", "loads", "control"]) {
    await other.locator(`[data-step="${step}"][data-done="false"]`).waitFor();
  }
  await reads(other.locator('[data-step="meter"]'), /No meter is configured/);
  await reads(other.locator('[data-step="fuse"]'), /16 A .* not the fuse of this house/);
  await reads(guard(other), /does not protect the fuse/);
  await other.locator('[data-step="meter"] a').click();
  await other.locator("h1", { hasText: "Setup" }).waitFor();
  await other.context().close();
}

/** The oven, the cable and one more car, as a visitor of the demo house tries them. */
async function demoSwitches() {
  await visit(page, "#/live");
  await page.locator("[data-demo] > summary").click();
  const demo = async (field) => (await api(page, "/demo"))[field];
  /** One click on a switch turns it in the house, and it stays as it was set. */
  const turn = async (id, field, on) => {
    const box = page.locator(`#${id}`);
    await eventually(() => box.isChecked(), !on);
    await box.click();
    await eventually(() => demo(field), on, id);
    await eventually(() => box.isChecked(), on, `${id} on the page`);
  };
  const isOn = await demo("oven");
  await turn("demo-oven", "oven", !isOn);
  await turn("demo-oven", "oven", isOn);

  await turn("demo-cable", "meter_cable", false);
  await page.locator('[data-guard="guard.stale"], [data-guard="guard.lost"]').waitFor();
  await reads(guard(page), /old|not watched/);
  await turn("demo-cable", "meter_cable", true);
  await page.locator('[data-guard="guard.control"], [data-guard="guard.over"]').waitFor();

  const speed = page.locator("#demo-speed");
  for (const [key, wanted] of [["ArrowRight", 2], ["ArrowLeft", 1]]) {
    await speed.press(key);
    await eventually(() => demo("speed"), wanted);
    await eventually(() => speed.inputValue(), String(wanted));
  }
  await page.locator("[data-demo] > summary").click();
}

async function accessibleAndSeen() {
  const notes = [];
  const house = await calm(page);
  const site = freshSite(await api(page, "/site"));
  const houses = [
    ["live", (options) => openPage(browser, base, faults, options)],
    ["live-overload", (options) => openHouse(browser, base, faults, overloaded(house), {}, options)],
    ["live-fresh", (options) => openHouse(browser, base, faults, fresh(house), { "/site": site, "/meter": noMeter }, options)],
  ];
  for (const [name, open] of houses) for (const scheme of SCHEMES) for (const width of SIZES) {
    const other = await open({ scheme, width });
    await shoot(other, name, width, scheme);
    notes.push(await accessible(other, `${name}, ${scheme}, ${width} px`));
    await other.context().close();
  }
  return [...new Set(notes)].join("; ");
}

/** On a tablet every page fits its width, and the first window of the live page has the fuse and its phases. */
async function onTheWall() {
  for (const scheme of SCHEMES) {
    const other = await openPage(browser, base, faults, { ...TABLET, scheme });
    const end = async () => {
      const box = await other.locator("[data-phase] .phase-bar, [data-phase] svg").first().boundingBox();
      return box.y;
    };
    await eventually(end, (y) => y < TABLET.height, "the phases begin in the first window");
    for (const name of PAGES) {
      await visit(other, `#/${name}`);
      await shoot(other, name, TABLET.width, scheme);
    }
    await other.context().close();
  }
}

/** What is seldom open: the switches of the demo, the forms for a new load, the rarer pages of a telephone. */
async function unfolded() {
  for (const scheme of SCHEMES) for (const width of SIZES) {
    const other = await openPage(browser, base, faults, { width, scheme });
    await other.locator("[data-demo] > summary").click();
    await other.locator("#demo-speed").waitFor();
    await shoot(other, "live-demo", width, scheme);
    await accessible(other, `the switches, ${scheme}, ${width} px`);
    if (width === SIZES[0]) {
      await other.locator(".nav-more button").click();
      await other.locator("#nav-rest.is-open").waitFor();
      await shoot(other, "more", width, scheme);
    }
    await visit(other, "#/loads");
    for (const load of ["charger", "slow_load"]) {
      await other.locator(`[data-act="add-${load}"]`).click();
      await other.locator(load === "charger" ? "#charger-name" : "#relay-name").waitFor();
      await shoot(other, `loads-add-${load}`, width, scheme);
    }
    await other.context().close();
  }
}

async function saysWhenItIsLost() {
  // Its own list of faults: a broken connection is an error to the browser, and the aim of this test.
  const cable = await layCable(base);
  const other = await openPage(browser, cable.url, []);
  const lost = other.locator('[data-banner="lost"]');
  await other.locator('[data-link="open"]').waitFor();
  await cable.cut();
  await lost.waitFor({ timeout: PROMPT_MS });
  await reads(lost, /The page has lost Headroom; what you see is .+ old/);
  await shoot(other, "lost", 1280, "light");
  await counts(other.locator(".live.is-outdated"), 1, "the values look old");
  await reads(guard(other), /cannot tell/);
  // A page that was never loaded cannot come now, and says so; the live values are still there to go back to.
  await other.locator('.nav [data-page="settings"]').click();
  await other.locator('main [role="alert"]').filter({ hasText: "could not be loaded" }).waitFor();
  await other.locator('.nav [data-page="live"]').click();
  await cable.mend();
  // It tries again every few seconds, by itself.
  await lost.waitFor({ state: "detached", timeout: 2 * PROMPT_MS });
  await other.locator('[data-link="open"]').waitFor();
  await none(other.locator(".live.is-outdated"), "the values look new again");
  await other.context().close();
  await cable.cut();
}

/** What a browser really fetches of the page's own files until the live values stand there, and when they do. */
async function small() {
  const other = await openPage(browser, base, faults);
  const loaded = await other.evaluate(() => ({
    names: performance.getEntriesByType("resource").map((entry) => entry.name).filter((name) => !name.includes("/api/")),
    paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null,
  }));
  await other.context().close();
  let total = gzipSync(await (await fetch(base)).text(), { level: 9 }).length;
  for (const name of new Set(loaded.names)) {
    const answer = await fetch(name);
    assert.equal(answer.status, 200, name);
    total += gzipSync(Buffer.from(await answer.arrayBuffer()), { level: 9 }).length;
  }
  assert.ok(total > 20_000, `only ${total} B: something is not counted`);
  assert.ok(total < BUDGET, `${total} B compressed, budget ${BUDGET} B`);
  return `${(total / 1000).toFixed(1)} kB compressed in ${loaded.names.length} files, first paint after ${Math.round(loaded.paint)} ms`;
}

async function noFaults() {
  assert.deepEqual(faults, []);
}

const good = await run([
  ["bars appear, the age of the reading moves", barsWithMovingAge],
  ["each phase is stacked: the house and every load", whoUsesWhat],
  ["the power from the grid is what house, cars and heater take", powerFlows],
  ["a car is shown throttled, with its reason", carThrottled],
  ["a load is paused with its end, leads to its decision, and is let go", pausedAndEnded],
  ["every page is reached, by its heading, title and focus", everyPageIsReached],
  ["an overload and who does not obey stand in red at the top of every page", overloadSeen],
  ["a frozen meter is called frozen, its values old", frozenMeterNamed],
  ["observe mode tells what it would have done", observeTellsWhatItWould],
  ["settings of the meter that did not come are asked for again", meterAskedAgain],
  ["a new house says what it lacks, and leads to the wizard", freshHouse],
  ["the switches of the demo house work, a pulled cable is told", demoSwitches],
  ["axe finds nothing serious; screenshots at 360 and 1280 px in both themes", accessibleAndSeen],
  ["a tablet on the wall shows every page", onTheWall],
  ["what unfolds is seen too", unfolded],
  ["a lost connection is said plainly, and mended", saysWhenItIsLost],
  ["the first visit is small", small],
  ["no foreign host, no error in the console", noFaults],
]);
await call(page, "PATCH", "/demo", { oven: false, meter_cable: true, speed: 1 });
await browser.close();
process.exitCode = good ? 0 : 1;
