/** All loads, the first served first. */
import { t } from "../i18n";
import { status } from "../state/live";
import { LoadCard } from "./load-card";

export function Loads() {
  const loads = [...(status.value?.loads ?? [])].sort((a, b) => b.priority - a.priority);
  const places = new Map((status.value?.loads ?? []).map((load, index) => [load.id, index]));
  const priorities = loads.map((l) => l.priority);
  const rank = { highest: Math.max(...priorities), lowest: Math.min(...priorities) };
  return (
    <section class="loads-panel" aria-labelledby="loads-heading">
      <h2 id="loads-heading">{t("loads.heading")}</h2>
      {loads.length === 0 ? <p class="empty panel">{t("loads.none")}</p> : null}
      <div class="cards">
        {loads.map((load) => (
          <LoadCard key={load.id} load={load} rank={rank} index={places.get(load.id) ?? -1} />
        ))}
      </div>
      {loads.length === 0 ? null : (
        <details class="help">
          <summary>{t("loads.help")}</summary>
          <p>{t("loads.help.1")}</p>
          <p>{t("loads.help.2")}</p>
          <p>{t("loads.help.3")}</p>
        </details>
      )}
    </section>
  );
}
