// What must hold of the tables of texts beyond their types: the areas share no key, every language has every key of
// English and no other, no text is empty or has a line end (it parts them in their file), and each names the same
// {parameters}. A fault ends the build.
import { build } from "esbuild";
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";

async function load(here, path) {
  const made = await build({ absWorkingDir: here, entryPoints: [path], bundle: true, format: "esm", write: false, logLevel: "warning" });
  return import(`data:text/javascript;base64,${Buffer.from(made.outputFiles[0].contents).toString("base64")}`);
}

const parameters = (text) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort().join(" ");

function stopAt(faults, what) {
  if (faults.length === 0) return;
  throw new Error(`${what}:\n  ${faults.slice(0, 40).join("\n  ")}`);
}

/** All keys, in one order. The areas are put together to one table: a key in two of them would silently lose one text. */
export async function checkEnglish(here) {
  const folder = join("src", "i18n", "en");
  const seen = new Map();
  const faults = [];
  for (const file of (await readdir(join(here, folder))).sort()) {
    const area = basename(file, ".ts");
    for (const key of Object.keys((await load(here, join(folder, file)))[area])) {
      if (seen.has(key)) faults.push(`${key} is in ${seen.get(key)} and in ${area}`);
      seen.set(key, area);
    }
  }
  stopAt(faults, "The English texts are not whole");
  return [...seen.keys()].sort();
}

/** The texts of a language in the order of the keys. */
export async function textsOf(here, language, keys) {
  const { en } = await load(here, "src/i18n/en.ts");
  const { default: other } = await load(here, `src/i18n/${language}.ts`);
  const faults = [];
  for (const key of keys) {
    const text = other[key];
    if (typeof text === "string" && text.includes("\n")) faults.push(`${key} has a line end`);
    if (typeof text !== "string" || text.trim() === "") faults.push(`${key} is missing`);
    else if (parameters(text) !== parameters(en[key])) faults.push(`${key}: ${parameters(text)} instead of ${parameters(en[key])}`);
  }
  for (const key of Object.keys(other)) if (!Object.hasOwn(en, key)) faults.push(`${key} is not in the English table`);
  stopAt(faults, `The texts of ${language} are not whole`);
  return keys.map((key) => other[key]);
}
