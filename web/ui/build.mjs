// Builds the page into ../dist: a script for the frame and the live values, one for each other page (loaded when it is
// visited) with what they share, one style sheet, one document, and one file for each language. A language is its
// texts alone, in the order of the keys; the scripts name a text by its place.
// The output is committed, so that building the service never needs Node; the same sources give the same bytes.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { checkEnglish, textsOf } from "./languages.mjs";
import { places } from "./places.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "dist");
const publicDir = join(here, "public");

// What a visitor loads before the live values are seen, and with every page visited, compressed, in bytes: always with
// the largest language. It keeps the first paint fast on a Raspberry Pi and a phone.
const BUDGET_FIRST = 120_000;
const BUDGET_ALL = 200_000;
const LANGUAGES = ["da", "de", "en", "et", "fi", "fr", "nb", "nl", "sv"];
// These style sheets first; those of the pages build on them.
const STYLES = ["base", "layout", "frame", "forms", "loads"].map((name) => `src/styles/${name}.css`);

const common = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
};
const packed = (bytes) => gzipSync(bytes, { level: 9 }).length;
const version = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 12);
const versioned = (name) => `/${name}?v=${version(files.get(name))}`;

/** The major version of the service, in which the shapes of its API stay as they are. */
async function serviceMajor() {
  const [, found] = /\[workspace\.package\][^[]*?\nversion = "(\d+)\./.exec(await readFile(join(here, "..", "..", "Cargo.toml"), "utf8")) ?? [];
  if (found === undefined) throw new Error("Cargo.toml names no version");
  return found;
}

// Everything is built before anything is written: a build that fails leaves the page as it was.
const files = new Map();
const keep = (result) => {
  for (const file of result.outputFiles) files.set(relative(out, file.path), file.contents);
};

// The tables of texts first: the script names each with its version. Each begins with the version of the keys, so that a
// script never shows the texts of another build at the wrong places.
const { keys, named, plugin } = await places(here, await checkEnglish(here));
const keysVersion = version(keys.join(" "));
const spoken = LANGUAGES.filter((language) => existsSync(join(here, "src", "i18n", `${language}.ts`)));
for (const language of spoken) {
  const texts = [keysVersion, ...(await textsOf(here, language, keys))];
  files.set(`${language}.js`, Buffer.from(`export default ${JSON.stringify(texts.join("\n"))}.split("\\n");\n`));
}
const tables = Object.fromEntries(spoken.map((language) => [language, versioned(`${language}.js`)]));

const script = await build({
  ...common,
  entryPoints: { app: "src/main.tsx" },
  outdir: out,
  write: false,
  metafile: true,
  splitting: true,
  chunkNames: "[name]-[hash]",
  loader: { ".css": "empty" },
  jsx: "automatic",
  jsxImportSource: "preact",
  plugins: [plugin],
  define: {
    PAGE_MAJOR: JSON.stringify(await serviceMajor()),
    LANGUAGE_FILES: JSON.stringify(tables),
    TEXT_KEYS: JSON.stringify(named.join(" ")),
    TEXT_KEYS_VERSION: JSON.stringify(keysVersion),
  },
});
keep(script);

// One style sheet for all pages: it is small, and no page is seen without its styles.
const styles = Object.keys(script.metafile.inputs).filter((path) => path.endsWith(".css")).sort();
const ordered = [...STYLES, ...styles.filter((path) => !STYLES.includes(path))];
keep(
  await build({
    ...common,
    stdin: { contents: ordered.map((path) => `@import "./${path}";`).join("\n"), loader: "css", resolveDir: here },
    outfile: join(out, "app.css"),
    write: false,
  }),
);

for (const name of (await readdir(publicDir)).sort()) files.set(name, await readFile(join(publicDir, name)));
// The names of the entries stay, so that a rebuild is a small change; the query carries the content, so that no cache
// serves an old page.
const html = Buffer.from(files.get("index.html")).toString("utf8");
files.set("index.html", Buffer.from(html.replace("/app.js", versioned("app.js")).replace("/app.css", versioned("app.css"))));

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
for (const [name, contents] of files) await writeFile(join(out, name), contents);

// What the entry names by itself is loaded at once, the rest when its page is visited.
const first = new Set(["index.html", "favicon.svg", "app.css"]);
const follow = (path) => {
  const name = relative(out, join(here, path));
  if (first.has(name)) return;
  first.add(name);
  for (const { path: next, kind } of script.metafile.outputs[path].imports) if (kind === "import-statement") follow(next);
};
follow(Object.keys(script.metafile.outputs).find((path) => path.endsWith("/app.js")));

const isTable = (name) => spoken.some((language) => name === `${language}.js`);
let atFirst = 0;
let later = 0;
let largest = 0;
let all = 0;
for (const [name, contents] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
  const size = packed(contents);
  all += size;
  if (isTable(name)) largest = Math.max(largest, size);
  else if (first.has(name)) atFirst += size;
  else later += size;
  console.log(`${name.padEnd(24)} ${String(contents.length).padStart(7)} B  ${String(size).padStart(6)} B gzip`);
}
atFirst += largest;
console.log(`the whole of it is ${all} B gzip`);
console.log(`the first visit loads ${atFirst} B gzip with the largest language (budget ${BUDGET_FIRST}), all pages ${atFirst + later} (budget ${BUDGET_ALL})`);
if (atFirst > BUDGET_FIRST || atFirst + later > BUDGET_ALL) {
  console.error("The page is over its budget.");
  process.exitCode = 1;
}
