// Runs every *.spec.mjs of this folder, each in its own process: those that drive the demo one after the other, and beside
// them those that start a house of their own, which mostly wait. Arguments choose by name:
//   HEADROOM_URL=http://127.0.0.1:8080 node run.mjs live history
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const OWN_HOUSE = ["roles.spec.mjs", "setup.spec.mjs"];

const here = dirname(fileURLToPath(import.meta.url));
const names = process.argv.slice(2).filter((name) => !name.includes("://"));
const all = (await readdir(here)).filter((file) => file.endsWith(".spec.mjs")).sort();
const chosen = names.length === 0 ? all : all.filter((file) => names.includes(file.replace(".spec.mjs", "")));
if (chosen.length === 0) {
  console.error(`There is no spec ${names.join(", ")}; there are ${all.join(", ")}.`);
  process.exit(1);
}

// Whoever ends this ends what it started.
const children = new Set();
for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, () => {
    for (const child of children) child.kill("SIGTERM");
    process.exit(1);
  });
}

/** Runs one spec; what it says is shown whole at its end. */
async function runSpec(file) {
  const began = performance.now();
  const child = spawn(process.execPath, [join(here, file)], { stdio: ["ignore", "pipe", "pipe"] });
  children.add(child);
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => said.push(text));
  const [code] = await once(child, "close");
  children.delete(child);
  console.log(`-- ${file}, ${((performance.now() - began) / 1000).toFixed(0)} s\n${Buffer.concat(said).toString().trimEnd()}`);
  return code === 0;
}

async function inTurn(files) {
  let good = true;
  for (const file of files) good = (await runSpec(file)) && good;
  return good;
}

const lanes = [chosen.filter((file) => !OWN_HOUSE.includes(file)), chosen.filter((file) => OWN_HOUSE.includes(file))];
process.exitCode = (await Promise.all(lanes.map(inTurn))).every((good) => good) ? 0 : 1;
