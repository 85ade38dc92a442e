// Builds the page into ../dist: one script, one style sheet, one document.
// The output is committed, so that building the service never needs Node; the same sources give the same bytes.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile, copyFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "dist");
const publicDir = join(here, "public");

// Budget of the whole page, compressed, in bytes. It keeps the first paint fast on a Raspberry Pi and a phone.
const BUDGET = 60_000;

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await build({
  absWorkingDir: here,
  entryPoints: { app: "src/main.tsx" },
  outdir: out,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  charset: "utf8",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  logLevel: "warning",
});

// The names stay, so that a rebuild is a small change; the query carries the content, so that no cache serves an old page.
const version = async (name) =>
  createHash("sha256").update(await readFile(join(out, name))).digest("hex").slice(0, 12);
for (const name of (await readdir(publicDir)).sort()) {
  if (name === "index.html") {
    const html = await readFile(join(publicDir, name), "utf8");
    await writeFile(
      join(out, name),
      html
        .replace("/app.js", `/app.js?v=${await version("app.js")}`)
        .replace("/app.css", `/app.css?v=${await version("app.css")}`),
    );
  } else {
    await copyFile(join(publicDir, name), join(out, name));
  }
}

let total = 0;
for (const name of (await readdir(out)).sort()) {
  const bytes = await readFile(join(out, name));
  const packed = gzipSync(bytes, { level: 9 }).length;
  total += packed;
  console.log(`${name.padEnd(12)} ${String(bytes.length).padStart(7)} B  ${String(packed).padStart(6)} B gzip`);
}
console.log(`${"total".padEnd(12)} ${"".padStart(7)}    ${String(total).padStart(6)} B gzip (budget ${BUDGET})`);
if (total > BUDGET) {
  console.error("The page is over its budget.");
  process.exitCode = 1;
}
