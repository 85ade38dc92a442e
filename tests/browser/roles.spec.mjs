// Who may do what, on the real service with people of each role: the viewer looks, the user orders and pauses, the
// installer sets up. What is written stays when a session ends. Wrong passwords are told, and slowed.
//   node run.mjs roles             HEADROOM_BIN and CHROMIUM choose what is driven
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { accessible, api, call, eventually, none, openBrowser, reads, run, SCHEMES, shoot, SIZES, unseen, visit } from "./harness.mjs";
import { binary, startService } from "./setup-rig.mjs";

const program = binary();
if (program === null) {
  console.error("roles.spec.mjs: no headroom binary (cargo build, or HEADROOM_BIN)");
  process.exit(1);
}

const PASSWORD = "a long sentence will do";
const PLACES = [
  "live", "timeline", "decisions", "loads", "setup/welcome", "setup/meter", "setup/fuse", "setup/chargers", "setup/loads", "setup/order", "setup/prove",
  "setup/live", "what-if", "diagnostics", "settings/house", "settings/language", "settings/people", "settings/notifications", "settings/backup",
  "settings/versions", "settings/tls",
];
/** Nothing answers there: the loads are set up, and never connect. */
const NOWHERE = "127.0.0.1:9";

const dir = await mkdtemp(join(tmpdir(), "headroom-roles-"));
const service = await startService(program, join(dir, "data"));
const browser = await openBrowser();
const faults = [];

/** A browser of its own for each person. `expected` are the answers that the test asks for. */
async function open(expected, width = 1280) {
  const context = await browser.newContext({ viewport: { width, height: 900 } });
  const page = await context.newPage();
  page.on("pageerror", (error) => faults.push(`error in the page: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() !== "error" || expected.test(message.text())) return;
    faults.push(`console: ${message.text()} (${message.location().url})`);
  });
  await page.goto(service.url);
  return page;
}

async function logIn(page, name, password = PASSWORD) {
  await page.locator("#name").fill(name);
  await page.locator("#password").fill(password);
  await page.locator('.access button[type="submit"]').click();
}

async function opened(name, expected = /status of (401|404)/) {
  const page = await open(expected);
  await logIn(page, name);
  await page.locator("[data-guard]").waitFor();
  return page;
}

let installer;

async function housePrepared() {
  installer = await open(/status of (401|404|422)/);
  await installer.locator("#code").fill(service.code);
  await logIn(installer, "ingrid");
  await installer.locator('[data-wizard="welcome"]').waitFor();
  const charger = (id, priority) => ({
    id, name: id.toUpperCase(), max_current_a: 16, safe_current_a: 0, priority, phases: ["l1", "l2", "l3"],
    driver: { kind: "ocpp", charge_point_id: id, auth: "basic", password: PASSWORD },
  });
  for (const [id, priority] of [["car1", 2], ["car2", 1]]) assert.equal(await call(installer, "POST", "/chargers", charger(id, priority)), 201);
  for (const role of ["viewer", "user"]) assert.equal(await call(installer, "POST", "/users", { name: `a ${role}`, password: PASSWORD, role }), 201);
  await visit(installer, "#/live");
  await installer.locator('[data-load="car2"]').waitFor();
}

/** Everything that would change something; a question of what would have been changes nothing: what is offered to a viewer must be none of it. */
const CHANGES =
  'main [data-command], main [data-act="save-order"], main [data-act="up"], main [data-act="remove"], main [data-act="ask-remove"], main form[data-form]:not([data-form="what-if"]) button[type="submit"]:enabled';

async function viewerLooks() {
  const page = await opened("a viewer", /status of (401|403|404)/);
  await reads(page.locator(".who"), /a viewer, viewer/);
  const before = JSON.stringify([await api(page, "/site"), await api(page, "/priorities")]);
  for (const place of PLACES) {
    await visit(page, `#/${place}`);
    await page.locator("main .panel, main .stack, main .note").first().waitFor();
    const offered = await page.locator(CHANGES).evaluateAll((all) => all.filter((e) => e.offsetParent !== null).map((e) => e.outerHTML.slice(0, 120)));
    assert.deepEqual(offered, [], place);
    await reads(page.locator("main"), /\w{4}/, place);
  }
  await visit(page, "#/live");
  await reads(page.locator('[data-load="car1"]'), /may look, not command/);
  await visit(page, "#/what-if");
  await page.locator('[data-form="what-if"] button[type="submit"]:enabled').waitFor();
  // What the page does not offer the service refuses.
  const site = await api(page, "/site");
  const tries = [
    ["PUT", "/site", site], ["PUT", "/priorities", { order: [["car2"], ["car1"]] }], ["POST", "/loads/car1/pause", { for_s: 600 }],
    ["PUT", "/meter", { source: `tcp://${NOWHERE}` }], ["DELETE", "/chargers/car1"], ["POST", "/users", { name: "x", password: PASSWORD, role: "installer" }],
    ["GET", "/users"], ["GET", "/tokens"],
  ];
  for (const [method, path, body] of tries) assert.equal(await call(page, method, path, body), 403, `${method} ${path}`);
  assert.equal(JSON.stringify([await api(page, "/site"), await api(page, "/priorities")]), before, "nothing changed");
  await page.context().close();
  return `${PLACES.length} places, ${tries.length} refusals`;
}

async function userOrders() {
  const page = await opened("a user", /status of (401|403|404)/);
  await visit(page, "#/loads");
  const entry = page.locator('[data-form="priorities"] [data-load="car2"]');
  await entry.locator('[data-act="up"]').click();
  await page.locator('[data-act="save-order"]').click();
  await page.locator('[data-said="priorities"]').filter({ hasText: "in force" }).waitFor();
  const order = (await api(page, "/priorities")).order;
  assert.deepEqual(order.flat()[0], "car2");

  await visit(page, "#/live");
  const card = page.locator('[data-load="car1"][data-kind="charger"]');
  await card.locator("select").selectOption("30");
  await card.locator('[data-command="pause"]').click();
  await card.locator('[data-holds="pause"]').filter({ hasText: /until \d\d:\d\d/ }).waitFor();
  // What somebody wanted is seen by everybody, from the service.
  await visit(installer, "#/live");
  await installer.locator('[data-load="car1"] [data-holds="pause"] [data-command="end"]').waitFor();
  const viewer = await opened("a viewer");
  await visit(viewer, "#/live");
  await viewer.locator('[data-load="car1"] [data-holds="pause"]').filter({ hasText: /until \d\d:\d\d/ }).waitFor();
  await none(viewer.locator("[data-command]"), "a viewer commands nothing");
  await viewer.context().close();
  await card.locator('[data-command="end"]').click();
  await card.locator("[data-holds]").waitFor({ state: "detached" });
  await installer.locator('[data-load="car1"] [data-holds]').waitFor({ state: "detached" });

  await visit(page, "#/settings/house");
  await page.locator("#rating:disabled").waitFor();
  await none(page.locator('[data-form="site"] button[type="submit"]'), "the fuse is not a user's");
  assert.equal(await call(page, "PUT", "/site", await api(page, "/site")), 403);
  await page.context().close();
}

/** Sends the form as it stands, though the page may have found out already that the session is over. */
const submit = (page) => page.locator('[data-form="site"]').evaluate((form) => form.requestSubmit());

async function draftKept() {
  const page = await opened("ingrid");
  await visit(page, "#/settings/house");
  await page.locator("#rating").fill("13");
  await page.locator("#name, #site-name").last().fill("A house by the sea");
  await page.context().clearCookies();
  await submit(page);
  await page.locator(".access").filter({ hasText: "You were logged out" }).waitFor();
  await unseen(page.locator("#rating"), "nothing of the house is seen without a login");
  await logIn(page, "ingrid");
  await page.locator("#rating").waitFor();
  await eventually(() => page.locator("#rating").inputValue(), "13");
  await page.locator('[data-form="site"] button[type="submit"]').click();
  await page.locator('[data-said="site"]').filter({ hasText: "13 A" }).waitFor();
  const site = await api(page, "/site");
  assert.deepEqual([site.main_fuse.rating_a, site.name], [13, "A house by the sea"]);

  // Somebody else finds nothing of it.
  await page.locator("#rating").fill("11");
  await page.context().clearCookies();
  await submit(page);
  await page.locator(".access").waitFor();
  await logIn(page, "a viewer");
  await page.locator("#rating").waitFor();
  assert.equal(await page.locator("#rating").inputValue(), "13", "the draft of one is not shown to another");
  await page.locator('[data-act="log-out"]').click();
  await page.locator(".access").waitFor();
  await none(page.locator("#rating"), "nothing of the house is left after the log-out");
  await page.context().close();
}

/** What one person read of the tests is not shown to the next, who may have to wait for the own answer. */
async function reportsForgotten() {
  const page = await opened("ingrid");
  let release = null;
  const held = new Promise((done) => {
    release = done;
  });
  const grade = page.locator('[data-device="car1"] [data-grade]');
  await visit(page, "#/loads");
  await grade.waitFor();
  await page.route("**/api/v1/reports?*", (route) => held.then(() => route.continue()));
  await page.locator('[data-act="log-out"]').click();
  await page.locator(".access").waitFor();
  await Promise.all([page.waitForRequest(/\/reports\?/), logIn(page, "a viewer")]);
  await page.locator('[data-device="car1"]').waitFor();
  await none(grade, "no grade before the own answer");
  release();
  await grade.waitFor();
  await page.context().close();
}

async function publicView() {
  await visit(installer, "#/settings/people");
  await installer.locator("#public-view").check();
  await installer.locator('[data-said="public"]').filter({ hasText: "no login" }).waitFor();
  const page = await open(/status of (401|403|404)/, SIZES[0]);
  await page.locator("[data-guard]").waitFor();
  await page.locator('[data-load="car1"]').filter({ hasText: "may look, not command" }).waitFor();
  assert.notEqual(await call(page, "POST", "/loads/car1/pause", { for_s: 600 }), 204);
  await eventually(() => page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), true, "nothing sticks out");
  await visit(page, "#/what-if");
  await page.locator(".whatif .note").filter({ hasText: "Without a login you may look, not ask this" }).waitFor();
  await page.locator('[data-form="what-if"] button[type="submit"]:disabled').waitFor();
  await visit(page, "#/live");
  await page.reload();
  await page.locator("[data-guard]").waitFor();
  await page.locator('[data-act="log-in"]').click();
  await logIn(page, "a user");
  await page.locator('[data-load="car1"] [data-command="pause"]').waitFor();
  await page.context().close();
  await installer.locator("#public-view").uncheck();
  await installer.locator('[data-said="public"]').filter({ hasText: "again" }).waitFor();
  const other = await open(/status of 401/);
  await other.locator(".access").waitFor();
  await other.context().close();
}

/** Last: this address has to wait afterwards. */
async function guessingIsSlow() {
  const page = await open(/status of (401|429)/);
  await page.locator(".access").waitFor();
  for (const scheme of SCHEMES) for (const width of SIZES) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 900 });
    await shoot(page, "login", width, scheme);
    await accessible(page, `login, ${scheme}, ${width} px`);
  }
  await logIn(page, "ingrid", "not the right one");
  const alert = page.locator('.access [role="alert"]');
  await alert.filter({ hasText: "Name or password is not right" }).waitFor();
  let tries = 1;
  for (let status = 401; tries < 20 && status === 401; tries += 1) {
    const answered = page.waitForResponse((response) => response.url().endsWith("/login"));
    await page.locator('.access button[type="submit"]').click();
    status = (await answered).status();
    await page.locator('.access button[type="submit"]:not([disabled])').waitFor();
  }
  await reads(alert, /Too many tries\. Wait/);
  assert.ok(tries > 2, "a slip costs nothing");
  await page.context().close();
  return `told after ${tries} tries`;
}

async function noFaults() {
  assert.deepEqual(faults, []);
}

let good = false;
try {
  good = await run([
    ["a house with people of each role", housePrepared],
    ["a viewer sees every page and can change nothing", viewerLooks],
    ["a user sets priorities and pauses, not the fuse; everybody sees the wish and its end", userOrders],
    ["a session that ends in mid-form keeps what was written, for the same person alone", draftKept],
    ["what was read of tests is not kept for the next person", reportsForgotten],
    ["the view without login shows, changes nothing, and lets people in", publicView],
    ["a wrong password is told, and many are slowed", guessingIsSlow],
    ["no error in the console but those asked for", noFaults],
  ]);
} finally {
  await browser.close();
  await service.end();
  await rm(dir, { recursive: true, force: true });
}
process.exit(good ? 0 : 1);
