// A browser, a list of tests, and what every page must never do: speak to a foreign host or write an error.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const CANDIDATES = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Console lines that the browser writes by itself for answers that a test asks for. */
const EXPECTED = [
  { text: /status of 422/, url: /\/api\/v1\/(site|meter|chargers)$/ },
  { text: /status of 404/, url: /\/api\/v1\/session$/ },
];

export async function openBrowser() {
  const executablePath = CANDIDATES.find((path) => path !== undefined && existsSync(path));
  if (executablePath === undefined) throw new Error("No Chromium found: install Debian's package chromium, or set CHROMIUM.");
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
}

/** A page that notes foreign requests and errors into `faults`. */
export async function openPage(browser, base, faults, { width = 1280, height = 900, scheme = "light", prepare } = {}) {
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
  await page.goto(base);
  await page.locator("[data-phase]").first().waitFor({ timeout: 20_000 });
  return page;
}

/** GET of the API with the session of the page. */
export const api = (page, path) =>
  page.evaluate(async (p) => (await fetch(`/api/v1${p}`, { headers: { accept: "application/json" } })).json(), path);

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
