// Every language on every page of a running `headroom demo`, at the width of a telephone.
//   HEADROOM_URL=http://127.0.0.1:8080 node run.mjs languages
// Screenshots go to target/screens where HEADROOM_LANGUAGE_SCREENS names languages ("de fi").
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { address, api, eventually, openBrowser, openPage, run, SIZES, shoot, visit } from "./harness.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const base = address();
const SETTINGS = ["house", "language", "people", "notifications", "backup", "versions", "tls"];
const STEPS = ["welcome", "meter", "fuse", "chargers", "loads", "order", "prove", "live"];
const PLACES = ["live", "timeline", "decisions", "loads", ...STEPS.map((step) => `setup/${step}`), "what-if", "diagnostics", ...SETTINGS.map((part) => `settings/${part}`)];
const screensOf = (process.env.HEADROOM_LANGUAGE_SCREENS ?? "").split(/\s+/).filter((name) => name !== "");

const faults = [];
const browser = await openBrowser();

/** What is wrong with the page as it is seen now: raw keys, parameters that were not filled in, what sticks out or is cut off. */
function flaws(keys) {
  const found = [];
  const known = new Set(keys);
  for (const details of document.querySelectorAll("main details")) details.open = true;
  const labels = [...document.querySelectorAll("[aria-label], [placeholder], [title]")].flatMap((e) => [e.getAttribute("aria-label"), e.title]);
  const text = [document.body.innerText, document.title, ...labels].join("\n");
  // Names of fields of the configuration look alike; they stand as code.
  const code = new Set([...document.querySelectorAll("code")].map((e) => e.textContent.trim()));
  for (const raw of text.match(/[\w-]+(?:\.[\w-]+)+/g) ?? []) if (known.has(raw) && !code.has(raw)) found.push(`raw key ${raw}`);
  for (const parameter of text.match(/\{\w+\}/g) ?? []) found.push(`parameter ${parameter}`);
  if (/\b(undefined|NaN|\[object)\b/.test(text)) found.push(`a value that is none: ${/.*\b(undefined|NaN|\[object)\b.*/.exec(text)[0]}`);
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) found.push(`it is ${scrollWidth} px wide of ${clientWidth}`);
  for (const label of document.querySelectorAll(".nav a span, .nav button span")) {
    if (label.offsetParent === null) continue;
    const [own, box] = [label.getBoundingClientRect(), label.parentElement.getBoundingClientRect()];
    const isIn = own.left >= box.left && own.right <= box.right && own.top >= box.top && own.bottom <= box.bottom;
    const isTorn = own.height > parseFloat(getComputedStyle(label).fontSize) * 1.7 && !/[\s\u00ad]/.test(label.textContent);
    if (isTorn) found.push(`“${label.textContent}” is torn in the navigation`);
    if (!isIn || label.scrollWidth > box.width) found.push(`“${label.textContent}” does not fit its place in the navigation`);
  }
  for (const part of document.querySelectorAll("button, .badge, main h2, main h3, main th, main label, main legend")) {
    // For readers of the screen alone, or in a table that is moved sideways by itself.
    if (part.offsetParent === null || part.closest(".visually-hidden, [tabindex='0']") !== null || (part.closest("thead")?.offsetWidth ?? 2) <= 1) continue;
    if (part.getBoundingClientRect().right > clientWidth || part.scrollWidth > part.clientWidth + 1) {
      if (part.clientWidth > 1) found.push(`cut off: <${part.tagName.toLowerCase()}> “${part.textContent.trim().slice(0, 60)}”`);
    }
  }
  return found;
}

/** The keys of all texts, from the sources of the page. */
async function allKeys() {
  const folder = join(here, "..", "..", "web", "ui", "src", "i18n", "en");
  const areas = await Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file), "utf8")));
  return areas.flatMap((text) => [...text.matchAll(/^ {2}"([\w.-]+)":/gm)].map(([, key]) => key));
}

async function everyLanguage() {
  const page = await openPage(browser, base, faults, { width: SIZES[0], height: 740, at: "#/settings/language" });
  const keys = await allKeys();
  assert.ok(keys.length > 500, `only ${keys.length} keys`);
  const choice = page.locator("main select").first();
  await choice.waitFor();
  const names = await choice.locator("option").evaluateAll((all) => all.map((option) => option.value));
  assert.deepEqual([...names].sort(), ["da", "de", "en", "et", "fi", "fr", "nb", "nl", "sv"]);
  const wrong = [];
  const titles = new Map();
  for (const name of names) {
    await visit(page, "#/settings/language");
    await choice.selectOption(name);
    await page.locator(`html[lang="${name}"]`).waitFor({ state: "attached" });
    for (const place of PLACES) {
      await visit(page, `#/${place}`);
      const title = (await page.locator("h1").textContent()).replaceAll("\u00ad", "");
      titles.set(place, (titles.get(place) ?? new Set()).add(title));
      for (const flaw of await page.evaluate(flaws, keys)) wrong.push(`${name} ${place}: ${flaw}`);
    }
    // What is behind "More" is seen too.
    await page.locator(".nav-more button").click();
    await page.locator("#nav-rest.is-open").waitFor();
    for (const flaw of await page.evaluate(flaws, keys)) wrong.push(`${name}, the other pages: ${flaw}`);
    await page.keyboard.press("Escape");
  }
  await page.reload();
  await eventually(() => page.locator("html").getAttribute("lang"), names.at(-1), "it is kept for the next visit");
  await page.context().close();
  assert.deepEqual([...new Set(wrong)], []);
  assert.ok(titles.get("decisions").size >= 7, [...titles.get("decisions")].join(", "));
  return `${names.length} languages on ${PLACES.length} places`;
}

/** One decision from near by, in a language that is not the service's own. */
async function decisionTranslated() {
  const page = await openPage(browser, base, faults, { width: SIZES[0], prepare: (fresh) => fresh.addInitScript(() => localStorage.setItem("headroom_language", "de")) });
  const keys = await allKeys();
  const newest = (await api(page, "/decisions?limit=1")).items[0].id;
  await visit(page, `#/decisions/${newest}`);
  await page.locator("h2", { hasText: String(newest) }).waitFor();
  assert.deepEqual(await page.evaluate(flaws, keys), []);
  await page.context().close();
}

async function pictures() {
  for (const name of screensOf) for (const width of SIZES) {
    const page = await openPage(browser, base, faults, {
      width,
      prepare: (fresh) => fresh.addInitScript((language) => localStorage.setItem("headroom_language", language), name),
    });
    for (const place of PLACES) {
      await visit(page, `#/${place}`);
      await shoot(page, `${name}-${place.replace("/", "-")}`, width, "light");
    }
    await page.context().close();
  }
}

async function noFaults() {
  assert.deepEqual(faults, []);
}

const good = await run([
  ["every page in every language: whole, nothing raw, nothing cut off at 360 px", everyLanguage],
  ["a decision in another language than the service's", decisionTranslated],
  ...(screensOf.length === 0 ? [] : [["screenshots", pictures]]),
  ["no request to a foreign host, no error on the console", noFaults],
]);
await browser.close();
process.exit(good ? 0 : 1);
