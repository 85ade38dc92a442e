// The pages about the past of a running `headroom demo` in a real browser: timeline, energy, decisions, what if.
//   HEADROOM_URL=http://127.0.0.1:8080 node history.spec.mjs
// It changes nothing in the house.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { accessible, address, api, counts, eventually, openBrowser, openPage, reads, run, SCHEMES, shoot, SIZES, visit } from "./harness.mjs";

const base = address();

/** A demo that has just begun takes a while until it has a past. */
const PAST_MS = 180_000;

const faults = [];
const browser = await openBrowser();
const page = await openPage(browser, base, faults);

const plot = (name, on = page) => on.locator(`[data-plot="${name}"]`);
const seconds = (time) => Date.parse(time) / 1000;
const iso = (at) => new Date(at * 1000).toISOString();

/** The span that a chart shows. */
const spanOf = (on = page) => plot("phases", on).evaluate((e) => ({ from: Number(e.dataset.from), to: Number(e.dataset.to) }));

const settled = (on = page) => on.locator('.timeline-state[data-busy="false"]').waitFor();

async function fileOf(act) {
  const [download] = await Promise.all([page.waitForEvent("download"), act()]);
  return { name: download.suggestedFilename(), text: await readFile(await download.path(), "utf8") };
}

/** Waits until what is asked for is there, and answers it. */
const until = (ask, what) => eventually(ask, (found) => found !== undefined && found !== null && found !== false, what, PAST_MS);

/** Pixels of a chart that have the colour of a token, in columns of the plotting area from one share of its width to another. */
const coloured = (on, name, token, from = 0, to = 1) =>
  plot(name, on).evaluate(
    (host, [wanted, a, b]) => {
      const probe = document.createElement("canvas").getContext("2d");
      probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(`--${wanted}`).trim();
      probe.fillRect(0, 0, 1, 1);
      const [r, g, bl] = probe.getImageData(0, 0, 1, 1).data;
      const canvas = host.querySelector("canvas");
      const over = host.querySelector(".u-over");
      const scale = canvas.width / canvas.clientWidth;
      const left = over.offsetLeft * scale;
      const width = over.clientWidth * scale;
      const begin = Math.round(left + width * a);
      const data = canvas.getContext("2d").getImageData(begin, 0, Math.max(1, Math.round(width * (b - a))), canvas.height).data;
      let count = 0;
      for (let i = 0; i < data.length; i += 4) {
        if (Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - bl) < 30 && data[i + 3] > 200) count += 1;
      }
      return count;
    },
    [token, from, to],
  );

/** Readings as the service would give them, made up: for a span that no demo lives long enough to have. */
function invent(on, { hole = [0, 0], delay = 0 } = {}) {
  return on.route(/\/api\/v1\/readings\?/, async (route) => {
    const query = new URL(route.request().url()).searchParams;
    const step = Number(query.get("step_s"));
    const [from, to] = [seconds(query.get("from")), seconds(query.get("to"))];
    const end = Math.min(to, Date.now() / 1000);
    const items = [];
    for (let t = Math.ceil(from / step) * step; t < end && items.length < 500; t += step) {
      if (t >= hole[0] && t < hole[1]) continue;
      const phases = ["l1", "l2", "l3"].map((phase, i) => {
        const current = 10 + 4 * i + 5 * Math.sin(t / (step * 20) + i);
        return { phase, current_a: current, max_a: current + 3, voltage_v: 230, power_w: 2300 };
      });
      items.push({ time: iso(t), phases, power_w: 6900 });
    }
    if (delay > 0) await new Promise((done) => setTimeout(done, delay));
    await route.fulfill({ json: { items, next: null } });
  });
}

let decisions = [];
const isFollowed = (d) => d.actions.some((a) => a.type === "set_limit" && a.renewal === false && a.seen_at !== null);

/** Decisions of the house itself, with one that told a charger something and was seen to be followed. Nothing is changed for it. */
async function aPast() {
  decisions = await until(async () => {
    const { items } = await api(page, "/decisions?limit=500");
    return items.length >= 3 && items.some(isFollowed) ? items : null;
  }, "the demo house decides, and a charger follows");
  return `${decisions.length} decisions`;
}

async function drawsReadings() {
  await visit(page, "#/timeline?last=120");
  await plot("phases").waitFor();
  await settled();
  await until(async () => (await coloured(page, "phases", "phase-1")) > 50, "L1 is drawn");
  const { name, text } = await fileOf(() => page.locator('[data-act="csv"]').click());
  assert.match(name, /^timeline-.*\.csv$/);
  const [head, ...rows] = text.trim().split("\r\n").map((row) => row.split(","));
  assert.deepEqual(head.slice(0, 8), ["time", "step_s", "l1_a", "l1_max_a", "l2_a", "l2_max_a", "l3_a", "l3_max_a"]);
  assert.ok(rows.length > 2, "there are points");
  const step = Number(rows[0][1]);
  // The first step may have begun before the span, the last one may still grow.
  const inner = rows.slice(1, -2);
  const given = await api(page, `/readings?from=${inner[0][0]}&to=${rows.at(-1)[0]}&step_s=${step}&limit=500`);
  const known = new Map(given.items.map((p) => [seconds(p.time), p]));
  for (const row of inner) {
    const point = known.get(seconds(row[0]));
    assert.ok(point !== undefined, `${row[0]} is a step of the service`);
    const values = point.phases.flatMap((p) => [p.current_a, p.max_a]);
    assert.deepEqual(row.slice(2, 8).map(Number), values, `${row[0]}: what is drawn is what the service gives`);
  }
  await page.locator('[data-line="l1"]').uncheck();
  await until(async () => (await coloured(page, "phases", "phase-1")) === 0, "a line that is switched off is not drawn");
  await page.locator('[data-line="l1"]').check();
  await until(async () => (await coloured(page, "phases", "phase-1")) > 50, "and drawn again");
  await until(async () => (await coloured(page, "phases", "fuse")) > 200, "the fuse is a line from one end to the other");
  await page.locator("[data-band]").first().waitFor();
  await page.locator('[data-act="table"]').click();
  await counts(page.locator('[data-table="timeline"] tbody tr'), (rows) => rows > 0 && rows <= 60, "a table that can be read");
  await page.locator('[data-act="table"]').click();
  return `${inner.length} points of ${step} s are the service's own`;
}

async function followsNow() {
  const before = await spanOf();
  await page.waitForFunction((old) => Number(document.querySelector('[data-plot="phases"]').dataset.to) > old, before.to);
  const after = await spanOf();
  assert.equal(after.to - after.from, before.to - before.from, "the span keeps its length");
}

async function zoomsAndPans() {
  const width = ({ from, to }) => to - from;
  const changed = async (act, wanted, what) => {
    await act();
    await until(async () => wanted(await spanOf()), what);
    await settled();
    return spanOf();
  };
  await changed(() => page.locator('[data-span="3600"]').click(), (s) => width(s) === 3600, "an hour by its button");
  await changed(() => page.locator('[data-act="in"]').click(), (s) => width(s) === 1800, "closer by a button");
  await changed(() => page.locator('[data-act="out"]').click(), (s) => width(s) === 3600, "wider by a button");
  const hour = await changed(() => page.locator('[data-act="earlier"]').click(), (s) => s.to < Date.now() / 1000 - 1000, "earlier by a button");
  assert.equal(width(hour), 3600);
  assert.match(await page.evaluate(() => location.hash), /from=.*to=/, "the span stands in the address");

  let box;
  const measure = async () => {
    box = await plot("phases").locator(".u-over").boundingBox();
  };
  const drag = async () => {
    await measure();
    await page.mouse.move(box.x + box.width * 0.25, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, box.y + 60, { steps: 5 });
    await page.mouse.up();
  };
  const quarter = await changed(drag, (s) => width(s) < 1000, "a drag chooses a span");
  assert.ok(Math.abs(width(quarter) - 900) < 20, `a quarter of an hour, not ${width(quarter)} s`);
  assert.ok(Math.abs(quarter.from - (hour.from + 900)) < 20, "the one that was dragged over");

  await measure();
  await page.mouse.move(box.x + box.width / 2, box.y + 60);
  await page.keyboard.down("Control");
  await changed(() => page.mouse.wheel(0, 300), (s) => width(s) > width(quarter), "the wheel with Ctrl goes wider");
  await page.keyboard.up("Control");
  const wide = await spanOf();
  const middle = ({ from, to }) => (from + to) / 2;
  assert.ok(Math.abs(middle(wide) - middle(quarter)) < 20, "around the time under the pointer");
  await plot("phases").focus();
  const left = await changed(() => page.keyboard.press("ArrowLeft"), (s) => s.from < wide.from, "an arrow key pulls it sideways");
  assert.ok(Math.abs(width(left) - width(wide)) <= 1);
  await changed(() => page.keyboard.press("+"), (s) => width(s) < width(left), "plus goes closer");
  const before = await spanOf();
  await page.keyboard.down("Shift");
  await changed(drag, (s) => s.from < before.from, "with Shift it is pulled");
  await page.keyboard.up("Shift");
  await changed(() => page.keyboard.press("End"), (s) => s.to > Date.now() / 1000 - 100, "End goes to now");
}

/** Two fingers on a telephone, by the browser's own input. */
async function pinches() {
  const context = await browser.newContext({ viewport: { width: 360, height: 800 }, hasTouch: true, isMobile: true });
  const phone = await context.newPage();
  await phone.goto(new URL(`#/timeline?from=${iso(Date.now() / 1000 - 4000)}&to=${iso(Date.now() / 1000 - 400)}`, base).href);
  await plot("phases", phone).waitFor();
  await settled(phone);
  const before = await spanOf(phone);
  await plot("phases", phone).scrollIntoViewIfNeeded();
  const box = await plot("phases", phone).locator(".u-over").boundingBox();
  const client = await context.newCDPSession(phone);
  const touch = (type, xs) =>
    client.send("Input.dispatchTouchEvent", {
      type,
      touchPoints: xs.map((x, id) => ({ x: box.x + box.width * x, y: box.y + box.height / 2, id })),
    });
  await touch("touchStart", [0.4, 0.6]);
  await touch("touchMove", [0.3, 0.7]);
  await touch("touchMove", [0.2, 0.8]);
  await touch("touchEnd", []);
  await until(async () => {
    const after = await spanOf(phone);
    return after.to - after.from < (before.to - before.from) / 2;
  }, "two fingers stretch the time");
  const after = await spanOf(phone);
  await context.close();
  return `${before.to - before.from} s → ${after.to - after.from} s`;
}

async function opensFromMark() {
  const alone = await until(async () => {
    const { items } = await api(page, "/decisions?limit=500");
    const apart = (a, b) => a === undefined || b === undefined || Math.abs(seconds(a.time) - seconds(b.time)) > 3;
    return items.find((d, i) => apart(items[i - 1], d) && apart(items[i + 1], d));
  }, "a decision stands alone in its seconds");
  const time = seconds(alone.time);
  await visit(page, `#/timeline?from=${iso(time - 40)}&to=${iso(time + 20)}`);
  const mark = page.locator(`[data-mark="${alone.id}"][data-count="1"]`);
  await mark.waitFor();
  await mark.click();
  await page.locator(`[data-decision-view="${alone.id}"]`).waitFor();
  await eventually(() => page.evaluate(() => location.hash), `#/decisions/${alone.id}`);
  // Decisions that stand close are one mark, and open the list of just these.
  await visit(page, "#/timeline?last=31536000");
  await settled();
  const many = page.locator("[data-mark]").last();
  const count = Number(await eventually(() => many.getAttribute("data-count"), (found) => Number(found) > 1, "a year draws many decisions as one mark"));
  await many.click();
  await page.waitForFunction(() => /^#\/decisions\?from=/.test(location.hash));
  await page.locator('.decisions-panel [data-count]:not([data-count=""])').waitFor();
  return `decision ${alone.id} by its mark, ${count} by one`;
}

async function opensByLink() {
  const wanted = decisions.find(isFollowed);
  const whole = await api(page, `/decisions/${wanted.id}`);
  const other = await openPage(browser, base, faults, { at: `#/decisions/${wanted.id}` });
  const view = other.locator(`[data-decision-view="${wanted.id}"]`);
  await view.waitFor();
  const action = whole.actions.find((a) => a.renewal === false);
  await reads(view.locator("[data-sentence]"), action.reason.text, "the sentence");
  await view.locator(`[data-bound="${action.reason.code}"]`).first().waitFor();
  await counts(view.locator('[data-table="got"] [data-row]'), whole.inputs.loads.length, "what every load got");
  for (const when of ["sent", "answered", "seen"]) {
    const cell = view.locator(`[data-table="happened"] [data-row="${action.command}"] [data-when="${when}"] time`);
    const field = { sent: "sent_at", answered: "acknowledged_at", seen: "seen_at" }[when];
    await eventually(() => cell.getAttribute("datetime"), action[field], `when it was ${when}`);
  }
  await view.locator('[data-table="metered"]').waitFor();
  await counts(view.locator('[data-table="phases"] tbody tr'), whole.inputs.phases.length, "the phases as they were known");
  await view.locator("details.inputs summary").click();
  await eventually(async () => JSON.parse(await view.locator("[data-json]").innerText()), whole, "all inputs as JSON");
  await view.locator('[data-act="older"]').click();
  const shown = async () => Number(await other.locator("[data-decision-view]").getAttribute("data-decision-view"));
  const older = await eventually(shown, (id) => id < wanted.id, "the one before");
  await other.locator('[data-act="newer"]').click();
  await view.waitFor();
  await visit(other, "#/decisions/999999999");
  await other.locator('[role="alert"]').filter({ hasText: "no decision with the number 999999999" }).waitFor();
  await other.context().close();
  return `decision ${wanted.id}, and ${older} before it`;
}

async function filters() {
  const shown = () => page.locator("[data-decision]").evaluateAll((rows) => rows.map((r) => Number(r.dataset.decision)));
  const listed = async (query) => (await api(page, `/decisions?limit=25&${query}`)).items.map((d) => d.id);
  const newest = decisions[0].time;
  // Up to a time that is over: the house goes on deciding while the test looks.
  const to = `to=${encodeURIComponent(newest)}`;
  const same = async (query, ours, what) => {
    await visit(page, `#/decisions?${query}&${to}`);
    const wanted = ours ?? (await listed(`${query}&${to}`));
    await eventually(shown, wanted, what);
    return wanted.length;
  };
  const load = decisions.flatMap((d) => d.actions).find((a) => a.type === "set_limit").load;
  const code = decisions.find(isFollowed).actions[0].reason.code;
  const counts = {
    all: await same("", undefined, "all"),
    load: await same(`load=${load}`, undefined, "by load"),
    code: await same(`code=${code}`, undefined, `by the reason ${code}`),
    renewals: await same("renewals=true", undefined, "with renewals"),
  };
  assert.ok(counts.code > 0 && counts.load > 0, JSON.stringify(counts));
  const before = (await api(page, `/decisions?limit=500&${to}`)).items;
  const state = before.at(-1).state;
  const byState = before.filter((d) => d.state === state).map((d) => d.id);
  counts.state = await same(`state=${state}`, byState.slice(0, 200), "by state");
  await visit(page, "#/decisions");
  await page.locator("#filter-code").selectOption(code);
  await page.waitForFunction((wanted) => location.hash.includes(`code=${wanted}`), code);
  await page.locator('[data-act="all"]').click();
  await page.waitForFunction(() => location.hash === "#/decisions");
  return JSON.stringify(counts);
}

async function exports() {
  const to = decisions[0].time;
  await visit(page, `#/decisions?to=${encodeURIComponent(to)}`);
  const given = (await api(page, `/decisions?limit=500&to=${encodeURIComponent(to)}`)).items;
  const { name, text } = await fileOf(() => page.locator('[data-export="jsonl"]').click());
  assert.equal(name, "decisions.jsonl");
  const lines = text.trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map((d) => d.id), given.map((d) => d.id), "each decision is a line");
  const csv = await fileOf(() => page.locator('[data-export="csv"]').click());
  const rows = csv.text.trim().split("\r\n");
  const wanted = given.reduce((sum, d) => sum + Math.max(1, d.actions.length), 0);
  assert.equal(rows.length - 1, wanted, "each command is a row");
  return `${lines.length} lines, ${rows.length - 1} rows`;
}

async function whatIf() {
  await visit(page, "#/what-if");
  await page.locator("#whatif-fuse").waitFor();
  const compare = page.locator('[data-form="what-if"] button[type="submit"]');
  const said = page.locator('[data-said="what-if"]');
  await compare.click();
  await said.filter({ hasText: "Nothing differs yet" }).waitFor();
  await page.locator("#whatif-fuse").fill("lots");
  await compare.click();
  await page.locator("#whatif-fuse-error").waitFor();
  await page.locator("#whatif-fuse").fill("100000");
  await page.locator("#whatif-range").selectOption("3600");
  await compare.click();
  await said.filter({ hasText: /No answer: site\.main_fuse/ }).waitFor();
  await page.locator("#whatif-fuse").fill("16");
  await page.locator("#with-heater").uncheck();
  const [request] = await Promise.all([page.waitForRequest(/\/what-if$/), compare.click()]);
  const body = request.postDataJSON();
  assert.deepEqual(body.site, { main_fuse: { rating_a: 16 } });
  assert.deepEqual(body.slow_loads, [], "the house without its water heater");
  const answer = await (await request.response()).json();
  await page.locator("[data-answer]").waitFor();
  const row = page.locator('[data-table="what-if"] [data-line="energy"]');
  for (const side of ["recorded", "same", "changed"]) {
    await eventually(async () => Number(await row.locator(`[data-side="${side}"]`).getAttribute("data-value")), answer[side].energy_kwh, side);
  }
  const lines = await counts(page.locator('[data-table="what-if"] tbody tr'), 3 + 2 * answer.recorded.loads.length + 3 * answer.recorded.phases.length);
  return `${lines} lines, ${answer.same.energy_kwh} kWh → ${answer.changed.energy_kwh} kWh`;
}

async function energySums() {
  await visit(page, "#/timeline");
  const items = await until(async () => {
    const found = (await api(page, "/energy?limit=500")).items;
    return found.length > 0 ? found : null;
  }, "energy is recorded");
  await page.locator("[data-energy]").first().waitFor({ timeout: PAST_MS });
  const onPage = () => page.locator("[data-energy]").evaluateAll((all) => all.map((e) => [e.dataset.energy, Number(e.dataset.kwh), Number(e.dataset.lost)]));
  const names = JSON.stringify([...new Set(items.map((i) => i.load ?? ""))]);
  const shown = await eventually(onPage, (all) => JSON.stringify(all.map(([id]) => id)) === names, `the house and each load, ${names}`);
  const after = (await api(page, "/energy?limit=500")).items;
  for (const [id, kwh, lost] of shown) {
    const sum = (list, field) => list.filter((i) => (i.load ?? "") === id).reduce((a, i) => a + i[field], 0);
    // It grows while the test looks: between what was there before and what is there after.
    assert.ok(kwh >= sum(items, "energy_kwh") - 0.05 && kwh <= sum(after, "energy_kwh") + 0.001, `${id}: ${kwh} kWh`);
    assert.ok(lost >= 0 && lost <= sum(after, "curtailed_kwh") + 0.001, `${id}: ${lost} kWh lost`);
  }
  return shown.map(([id, kwh]) => `${id === "" ? "house" : id} ${kwh} kWh`).join(", ");
}

/** A day with a hole of two hours, and a year: how long they take to draw, and that the hole stays one. */
async function longSpans() {
  const now = Math.floor(Date.now() / 1000);
  const hole = [now - 10 * 3600, now - 8 * 3600];
  // The service was off in the hole: it was curtailing before, and starts anew after it.
  const decided = (id, t, state, actions) => ({ id, time: iso(t), t_ms: id * 1000, state, reason: { code: "normal", text: "." }, actions });
  const told = (command, limit) => ({ command, type: "set_limit", load: "ev1", limit_a: limit, phases: 3, lease_s: 120, renewal: false, reason: { code: "restored", text: "." } });
  const past = [
    decided(3, hole[1] + 600, "operating.normal", [told(1, 10)]),
    decided(2, hole[1] + 5, "starting", []),
    decided(1, hole[0] - 3600, "operating.curtailing", [told(7, 10)]),
  ];
  const prepare = async (p) => {
    await invent(p, { hole });
    await p.route(/\/api\/v1\/decisions\?/, (route) => {
      const query = new URL(route.request().url()).searchParams;
      const [from, to] = [query.get("from"), query.get("to")].map((t) => (t === null ? null : seconds(t)));
      const items = past.filter((d) => (from === null || seconds(d.time) >= from) && (to === null || seconds(d.time) < to));
      return route.fulfill({ json: { items: query.has("load") || query.has("cursor") ? [] : items, next: null } });
    });
    await p.route(/\/api\/v1\/decisions\/\d+$/, (route) => route.fulfill({ json: { ...past[0], inputs: null } }));
  };
  const other = await openPage(browser, base, faults, { prepare });
  const timed = async (last, least) => {
    await other.evaluate(() => performance.clearMeasures());
    const start = performance.now();
    await visit(other, `#/timeline?last=${last}`);
    await plot("phases", other).waitFor();
    await other.waitForFunction((n) => Number(document.querySelector('[data-plot="phases"]').dataset.points) >= n, least);
    await settled(other);
    const all = performance.now() - start;
    const [drawing, points] = await other.evaluate(() => {
      const found = performance.getEntriesByName("timeline phases").filter((e) => e.detail.points > 2);
      return [Math.max(...found.map((e) => e.duration)), found.at(-1).detail.points];
    });
    return { all, drawing, points };
  };
  const day = await timed(86_400, 600);
  const { from, to } = await spanOf(other);
  const share = (t) => (t - from) / (to - from);
  const isLong = (pixels) => pixels > 20;
  await eventually(() => coloured(other, "phases", "phase-1", share(hole[1]) + 0.01, share(hole[1]) + 0.1), isLong, "a line beside the gap");
  await eventually(() => coloured(other, "phases", "fuse", share(hole[0]) + 0.005, share(hole[1]) - 0.005), isLong, "the fuse goes on through it");
  assert.equal(await coloured(other, "phases", "phase-1", share(hole[0]) + 0.005, share(hole[1]) - 0.005), 0, "a gap is drawn as a gap");
  const bands = () =>
    other.locator("[data-band] .band").evaluateAll((all) => {
      const width = all[0]?.ownerSVGElement.clientWidth ?? 1;
      return all.map((b) => [b.parentNode.dataset.band, b.x.baseVal.value / width, (b.x.baseVal.value + b.width.baseVal.value) / width]);
    });
  const over = async (t) => (await bands()).filter(([, a, b]) => share(t) > a && share(t) < b).map(([state]) => state);
  await eventually(() => over(hole[0] - 1800), ["operating.curtailing"], "the state before");
  await eventually(() => over(hole[1] + 300), ["starting"]);
  await eventually(() => over(hole[1] + 3600), ["operating.normal"]);
  assert.deepEqual(await over((hole[0] + hole[1]) / 2), [], "no state is claimed for a time when the service was off");
  const isThere = (pixels) => pixels > 0;
  const inLoads = (t) => coloured(other, "loads", "load-1", share(t) - 0.005, share(t) + 0.005);
  await eventually(() => inLoads(hole[0] - 1800), isThere, "the setpoint before");
  await eventually(() => inLoads(hole[1] + 3600), isThere, "and again after");
  assert.equal(await inLoads((hole[0] + hole[1]) / 2), 0, "and none while the service was off");
  const year = await timed(31_536_000, 700);
  await other.context().close();
  const words = ({ all, drawing, points }) => `${points} points, drawn in ${drawing.toFixed(1)} ms at most, there after ${all.toFixed(0)} ms`;
  return `a day: ${words(day)}; a year: ${words(year)}`;
}

async function failures() {
  const other = await openPage(browser, base, [], {
    prepare: (p) => p.route(/\/api\/v1\/(readings|decisions|energy)\?/, (route) => route.fulfill({ status: 503, json: { code: "unavailable", detail: "The journal is set aside." } })),
  });
  await visit(other, "#/timeline");
  await other.locator('.timeline [role="alert"]').filter({ hasText: "The journal is set aside." }).first().waitFor();
  await visit(other, "#/decisions");
  await other.locator('[role="alert"]').filter({ hasText: "control of the loads is not affected" }).waitFor();
  await other.context().close();
}

async function looks() {
  const wanted = decisions.find(isFollowed).id;
  const pages = { timeline: "#/timeline?last=900", decisions: "#/decisions", decision: `#/decisions/${wanted}`, "what-if": "#/what-if" };
  const notes = [];
  for (const width of SIZES) {
    for (const scheme of SCHEMES) {
      const other = await openPage(browser, base, faults, { width, scheme });
      for (const [name, at] of Object.entries(pages)) {
        await visit(other, at);
        const ready = { timeline: '[data-energy=""]', decisions: "[data-decision]", decision: '[data-table="metered"]', "what-if": "#whatif-fuse" }[name];
        await other.locator(ready).first().waitFor();
        if (name === "timeline") {
          await settled(other);
          await other.locator('[data-act="table"]').click();
        }
        if (name === "what-if") {
          await other.locator("#whatif-fuse").fill("16");
          await other.locator("#whatif-range").selectOption("3600");
          await other.locator('[data-form="what-if"] button[type="submit"]').click();
          await other.locator("[data-answer]").waitFor();
        }
        await shoot(other, name, width, scheme);
        notes.push(`${name} ${width} ${scheme}: ${await accessible(other, `${name}, ${width} px, ${scheme}`)}`);
      }
      await other.context().close();
    }
  }
  return notes.join("; ");
}

const good = await run([
  ["a house with a past", aPast],
  ["the timeline draws what the service gives", drawsReadings],
  ["it follows now", followsNow],
  ["it zooms and pans by buttons, drag, wheel and keys", zoomsAndPans],
  ["two fingers stretch it", pinches],
  ["a mark opens its decision", opensFromMark],
  ["a link opens a decision, with inputs, reasons and outcome", opensByLink],
  ["decisions by load, reason, state and renewals", filters],
  ["decisions as files", exports],
  ["what if gives a table", whatIf],
  ["energy is the sum of its days", energySums],
  ["a day and a year are drawn, gaps as gaps", longSpans],
  ["a journal that cannot be read is told", failures],
  ["each page in both themes, wide and narrow, passes axe", looks],
  // That a canvas is read, and a decision asked for that is none, is the test's own doing.
  ["no foreign request, no error", async () => assert.deepEqual(faults.filter((f) => !/willReadFrequently|decisions\/999999999/.test(f)), [])],
]);
await browser.close();
process.exitCode = good ? 0 : 1;
