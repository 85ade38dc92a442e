// Names become places: `t("load.why")` is built as `t(412)`, where 412 is the place of that text in every language. The sources
// keep their keys, the page carries only the names of those that are put together while it runs.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** A call with the key itself. Where a key is chosen (`t(isOn ? "a" : "b")`) it goes by its name. */
const CALL = /\bt\("([\w.-]+)"/g;

async function sources(folder) {
  const found = [];
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    // The texts themselves use no text.
    const isTable = /[\\/]i18n[\\/]\w\w([\\/]|\.ts$)/.test(path);
    if (entry.isFile() && /\.tsx?$/.test(entry.name) && !isTable) found.push(path);
  }
  return found.sort();
}

/**
 * All keys in the order of the tables, those first that are needed by name (`named`), and the plugin for the build. A key is
 * needed by name when it stands anywhere but in a call, or when it begins as one that is put together does: `state.${state}`,
 * `word("state", state)`.
 */
export async function places(here, keys) {
  const texts = await Promise.all((await sources(join(here, "src"))).map((path) => readFile(path, "utf8")));
  const beside = texts.map((text) => text.replace(CALL, "t(")).join("\n");
  // A key that begins with what is only known while the page runs could be any: nobody could tell which are needed.
  const [unknown] = /\b(?:t|word)\(`\$\{[^`]*`/.exec(beside) ?? [];
  if (unknown !== undefined) throw new Error(`${unknown}: a key has to begin with a word of its own`);
  const begun = new Set([...beside.matchAll(/`([\w.-]+)\.\$\{/g), ...beside.matchAll(/\bword\("([\w.-]+)"/g)].map(([, prefix]) => prefix));
  const beginnings = (key) => key.split(".").map((_, i, parts) => parts.slice(0, i).join("."));
  const isNamed = (key) => beside.includes(`"${key}"`) || beginnings(key).some((beginning) => begun.has(beginning));
  const named = keys.filter(isNamed);
  const ordered = [...named, ...keys.filter((key) => !named.includes(key))];
  // The first place of a table is the version of the keys.
  const place = new Map(ordered.map((key, i) => [key, i + 1]));
  const plugin = {
    name: "places",
    setup(build) {
      build.onLoad({ filter: /[\\/]src[\\/].*\.tsx?$/ }, async ({ path }) => {
        const text = await readFile(path, "utf8");
        const contents = text.replace(CALL, (whole, key) => (place.has(key) ? `t(${place.get(key)} as never` : whole));
        return { contents, loader: path.endsWith("x") ? "tsx" : "ts" };
      });
    },
  };
  return { keys: ordered, named, plugin };
}
