// A browser, a list of tests, and what every page must never do: speak to a foreign host or write an error.
// HEADROOM_SLOW=6 makes every page six times as slow, as a small computer does: what a test does not wait for, it then misses.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { chromium } from "playwright-core";

const here = dirname(fileURLToPath(import.meta.url));
/** Where screenshots go. */
export const screens = join(here, "..", "..", "target", "screens");
export const SIZES = [360, 1280];
export const SCHEMES = ["light", "dark"];
/** By then everything has come that comes by itself: a render, an answer, an event. A slow machine needs it, no other waits so long. */
export const PATIENCE_MS = 60_000;
const slowness = Number(process.env.HEADROOM_SLOW ?? 1);
/** By then has come what is claimed to come at once. Patience is for what is only waited for: it proves nothing of a time. */
export const PROMPT_MS = 10_000 * slowness;
/** How often a state is looked at that is waited for. */
const LOOK_MS = 50;

const CANDIDATES = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Console lines that the browser writes by itself for answers that a test asks for. */
const EXPECTED = [
  { text: /status of 422/, url: /\/api\/v1\// },
  // What this house has not: no demo's switches in a house that is none.
  { text: /status of 404/, url: /\/api\/v1\/(session|demo|notifications|tls)$/ },
];

/** The address of the running demo, from the environment. */
export function address() {
  const url = process.env.HEADROOM_URL;
  if (url !== undefined) return url;
  console.error("Set HEADROOM_URL to the address of a running `headroom demo`, for example http://127.0.0.1:8080.");
  process.exit(1);
}

export async function openBrowser() {
  const executablePath = CANDIDATES.find((path) => path !== undefined && existsSync(path));
  if (executablePath === undefined) throw new Error("No Chromium found: install Debian's package chromium, or set CHROMIUM.");
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
  const newContext = browser.newContext.bind(browser);
  browser.newContext = async (options) => {
    const context = await newContext(options);
    context.setDefaultTimeout(PATIENCE_MS);
    const newPage = context.newPage.bind(context);
    context.newPage = async () => {
      const page = await newPage();
      if (slowness > 1) await (await context.newCDPSession(page)).send("Emulation.setCPUThrottlingRate", { rate: slowness });
      return page;
    };
    return context;
  };
  return browser;
}

/** As it is wanted: the same value, text that fits a pattern, or what a function holds for right. */
function fits(value, wanted) {
  if (wanted instanceof RegExp) return wanted.test(String(value));
  return typeof wanted === "function" ? wanted(value) === true : isDeepStrictEqual(value, wanted);
}

/**
 * Reads until what is read is as it is `wanted`, and answers it; fails with what was read last. For everything that follows
 * an action: the page draws, asks and hears in its own time.
 */
export async function eventually(read, wanted, what = "", within = PATIENCE_MS) {
  const end = Date.now() + within;
  for (;;) {
    let found;
    let problem;
    try {
      found = await read();
      if (fits(found, wanted)) return found;
    } catch (error) {
      problem = error;
    }
    if (Date.now() >= end) {
      const last = problem === undefined ? JSON.stringify(found) : String(problem);
      const rule = wanted instanceof RegExp || typeof wanted === "function" ? String(wanted) : JSON.stringify(wanted);
      assert.fail(`${what === "" ? "" : `${what}: `}wanted ${rule}, found ${last} for ${within / 1000} s`);
    }
    await pause(LOOK_MS);
  }
}

/** The text of an element as it comes to be, in one line. */
export const reads = (locator, wanted, what) =>
  eventually(async () => (await locator.innerText({ timeout: LOOK_MS * 20 })).replace(/\s+/g, " ").trim(), wanted, what);

/** How many there come to be. */
export const counts = (locator, wanted, what) => eventually(() => locator.count(), wanted, what);

/**
 * There is none, at a single look: who waits for nothing is content with the empty moment before a thing is drawn. It is asked
 * once something stands that is not drawn before the wrong thing would be. What goes away by itself is waited for by `counts`.
 */
export const none = async (locator, what) => assert.equal(await locator.count(), 0, what);

/** The same of what is there and not to be seen. */
export const unseen = async (locator, what) => assert.equal(await locator.isVisible(), false, what);

/** A page that notes foreign requests and errors into `faults`. `at` is the part of the address behind the origin. */
export async function openPage(browser, base, faults, { width = 1280, height = 900, scheme = "light", at = "#/live", prepare } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme });
  const page = await context.newPage();
  const own = new URL(base).origin;
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== own) faults.push(`request to a foreign host: ${request.url()}`);
  });
  page.on("pageerror", (error) => faults.push(`error in the page: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    const url = message.location().url;
    if (EXPECTED.some((e) => e.text.test(message.text()) && e.url.test(url))) return;
    faults.push(`console ${message.type()}: ${message.text()} (${url})`);
  });
  await prepare?.(page);
  await page.goto(new URL(at, base).href);
  // The sentence about the fuse stands on every page once the status is there.
  await page.locator("[data-guard]").waitFor();
  if (at === "#/live") await page.locator("[data-phase]").first().waitFor();
  await drawn(page);
  return page;
}

/** GET of the API with the session of the page. */
export const api = (page, path) =>
  page.evaluate(async (p) => (await fetch(`/api/v1${p}`, { headers: { accept: "application/json" } })).json(), path);

/** A change without the page's own forms. Answers the status. */
export const call = (page, method, path, body) =>
  page.evaluate(
    async ([m, p, b]) => {
      const headers = { "content-type": "application/json", "x-csrf-token": sessionStorage.getItem("headroom_csrf") ?? "" };
      return (await fetch(`/api/v1${p}`, { method: m, headers, ...(b === undefined ? {} : { body: JSON.stringify(b) }) })).status;
    },
    [method, path, body],
  );

/** The page stands: its script has come, and the first answers that it waits for. */
export const drawn = (page) => counts(page.locator("main [data-loading]"), 0, "the page is drawn");

/** Goes to another page by its address, as a link does, and waits until it stands. */
export async function visit(page, at) {
  await page.evaluate(async (hash) => {
    if (location.hash !== hash) {
      const changed = new Promise((done) => addEventListener("hashchange", done, { once: true }));
      location.hash = hash;
      await changed;
    }
    // What the change of the address draws is drawn now, and what follows a drawing is done.
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
  }, at);
  await page.locator("[data-guard]").waitFor();
  await drawn(page);
}

const axeSource = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Fails on what axe calls serious or critical; answers how many rules passed and which lesser ones did not. */
export async function accessible(page, what) {
  // What moves is looked at when it has come to rest; what is folded is looked at too.
  const unfold = (isOpen) =>
    page.evaluate((open) => {
      globalThis.folded ??= [...document.querySelectorAll("main details:not([open])")];
      for (const details of globalThis.folded) details.open = open;
      if (!open) globalThis.folded = undefined;
    }, isOpen);
  await unfold(true);
  // Evaluated by the test's own channel, so the page's content security policy stays as it is.
  await page.evaluate(axeSource);
  const result = await page.evaluate(() =>
    globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }),
  );
  await unfold(false);
  const serious = result.violations.filter((v) => v.impact === "serious" || v.impact === "critical");
  const text = serious.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.failureSummary}`).join(" | ")}`);
  assert.deepEqual(text, [], what);
  return `${result.passes.length} rules passed${result.violations.length === 0 ? "" : `, minor: ${result.violations.map((v) => v.id).join(" ")}`}`;
}

/** A tablet on the wall. */
export const TABLET = { width: 1024, height: 600 };

/** A screenshot of the whole page as `NAME-WIDTH-SCHEME.png`; fails where something sticks out at the side. */
export async function shoot(page, name, width, scheme) {
  await mkdir(screens, { recursive: true });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= width, `${name}: nothing sticks out at ${width} px, found ${wide} px`);
  // What sticks to the top of the window would stand in the middle of the picture.
  await page.evaluate(() => scrollTo(0, 0));
  // So high that what stands at the bottom of the window stands at the bottom of the picture.
  const { height } = page.viewportSize();
  const whole = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ width, height: Math.max(height, whole) });
  await page.screenshot({ path: join(screens, `${name}-${width}-${scheme}.png`), fullPage: true });
  await page.setViewportSize({ width, height });
}

/** Runs the tests one after the other, prints each result and the sum; true when none failed. */
export async function run(tests) {
  let passed = 0;
  let failed = 0;
  for (const [name, test] of tests) {
    const start = performance.now();
    const took = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
    try {
      const note = await test();
      passed += 1;
      console.log(`ok    ${name} (${took()})${note === undefined ? "" : `: ${note}`}`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL  ${name} (${took()})\n      ${String(error?.stack ?? error).replaceAll("\n", "\n      ")}`);
    }
  }
  console.log(`browser test: ${passed} passed, ${failed} failed`);
  return failed === 0;
}
