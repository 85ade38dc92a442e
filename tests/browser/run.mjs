// Runs every *.spec.mjs of this folder, one after the other, each in its own process. Arguments choose by name:
//   HEADROOM_URL=http://127.0.0.1:8080 node run.mjs live history
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const names = process.argv.slice(2).filter((name) => !name.includes("://"));
const all = (await readdir(here)).filter((file) => file.endsWith(".spec.mjs")).sort();
const chosen = names.length === 0 ? all : all.filter((file) => names.includes(file.replace(".spec.mjs", "")));
if (chosen.length === 0) {
  console.error(`There is no spec ${names.join(", ")}; there are ${all.join(", ")}.`);
  process.exit(1);
}
let good = true;
for (const file of chosen) {
  console.log(`-- ${file}`);
  const [code] = await once(spawn(process.execPath, [join(here, file)], { stdio: "inherit" }), "exit");
  good &&= code === 0;
}
process.exitCode = good ? 0 : 1;
