/** The program itself: version, memory, databases, the journal; and the bundle for whoever helps. */
import { Told } from "../components/told";
import type { Diagnostics } from "../api/admin";
import { fileName, save } from "../api/files";
import { Badge } from "../components/badge";
import { age, bytes, number } from "../format";
import { t } from "../i18n";
import { Facts } from "./facts";

function Journal({ journal }: { journal: Diagnostics["journal"] }) {
  const isGood = journal.problem === null && !journal.set_aside && journal.dropped === 0;
  return (
    <div>
      <p>
        <Badge tone={isGood ? "ok" : "warn"} icon={isGood ? "check" : "warn"}>
          {t(isGood ? "journal.good" : "journal.trouble")}
        </Badge>
      </p>
      {journal.problem === null ? null : <p class="stale-note">{journal.problem}</p>}
      {journal.set_aside ? <p class="note">{t("journal.set_aside")}</p> : null}
      {journal.dropped === 0 ? null : <p class="note">{t("journal.dropped", { count: journal.dropped })}</p>}
    </div>
  );
}

export function SystemDiagnostics({ found }: { found: Diagnostics }) {
  const { system } = found;
  return (
    <section class="panel" aria-labelledby="system-heading">
      <header class="panel-head">
        <h2 id="system-heading">{t("system.heading")}</h2>
        <Badge tone={found.loop.alive ? "ok" : "bad"} icon={found.loop.alive ? "check" : "stop"}>
          {t(found.loop.alive ? "system.alive" : "system.stuck")}
        </Badge>
      </header>
      <Facts
        facts={[
          [t("system.version"), found.version],
          [t("system.uptime"), age(found.uptime_s)],
          [t("system.machine"), `${system.os}, ${system.architecture}`],
          [t("system.memory"), `${bytes(system.memory_used_bytes)} (${t("system.memory.most", { most: bytes(system.memory_most_bytes) })})`],
          [t("system.memory.free"), bytes(system.memory_free_bytes)],
        ]}
      />
      <table class="counts">
        <caption>{t("system.databases")}</caption>
        <thead>
          <tr>
            <th scope="col">{t("system.file")}</th>
            <th scope="col">{t("system.size")}</th>
            <th scope="col">{t("system.log")}</th>
            <th scope="col">{t("system.schema")}</th>
          </tr>
        </thead>
        <tbody>
          {found.databases.map((database) => (
            <tr key={database.file}>
              <th scope="row">{database.file}</th>
              <td>{bytes(database.bytes)}</td>
              <td>{bytes(database.log_bytes)}</td>
              <td>{database.schema === null ? "–" : number(database.schema, 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <Journal journal={found.journal} />
      {(found.in_clear ?? []).length === 0 ? null : (
        <>
          <h3>{t("system.in_clear")}</h3>
          <ul class="bullets" data-in-clear="">
            {(found.in_clear ?? []).map((text) => (
              <li key={text}>
                <Told text={text} />
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

export function Bundle({ found }: { found: Diagnostics }) {
  const keep = (): void =>
    save(new Blob([JSON.stringify(found, null, 2)], { type: "application/json" }), fileName("diagnostics", "json"));
  return (
    <section class="panel" aria-labelledby="bundle-heading">
      <h2 id="bundle-heading">{t("bundle.heading")}</h2>
      <p class="hint">{t("bundle.help")}</p>
      <div class="row">
        <button type="button" class="primary" data-act="bundle" onClick={keep}>
          {t("bundle.make")}
        </button>
      </div>
    </section>
  );
}
