/** Loads that are saved: whether each works, and if not, why. Saved is saved, whether or not the device answers. */
import type { ComponentChildren } from "preact";
import type { LoadStatus } from "../api/types";
import { Badge } from "../components/badge";
import { t, word } from "../i18n";
import { status } from "../state/live";

/** Alarms that tell why a load does not work. */
function trouble(load: LoadStatus): string | null {
  const own = (status.value?.alarms ?? []).filter((alarm) => alarm.load === load.id && alarm.code !== "phases_found");
  return own[0]?.text ?? null;
}

function Works({ load, why }: { load: LoadStatus; why: string | null }) {
  const works = load.connected === true;
  return (
    <Badge tone={works && why === null ? "ok" : "warn"} icon={works && why === null ? "plug" : "warn"}>
      {t(!works ? "setup.load.saved" : why === null ? "setup.load.works" : "setup.load.remark")}
    </Badge>
  );
}

interface Props {
  kind: LoadStatus["kind"];
  /** What is shown of a load beside its state. */
  children?: (load: LoadStatus) => ComponentChildren;
}

export function Configured({ kind, children }: Props) {
  const own = (status.value?.loads ?? []).filter((load) => load.kind === kind);
  if (own.length === 0) return null;
  return (
    <>
      <h3>{t(kind === "charger" ? "setup.chargers.yours" : "setup.loads.yours")}</h3>
      <ul class="plain finds">
        {own.map((load) => {
          const works = load.connected === true;
          const why = trouble(load) ?? (works ? null : t(kind === "charger" ? "setup.load.unheard.charger" : "setup.load.unheard.relay"));
          return (
            <li key={load.id} data-configured={load.id} data-connected={String(load.connected)}>
              <span class="find-name">
                <strong>{load.name}</strong>
                {load.kind === "charger" && load.connected === true ? <span class="note">{word("status", load.status)}</span> : null}
              </span>
              <Works load={load} why={why} />
              {why === null ? null : <p class="find-why">{works ? why : t("setup.load.because", { why })}</p>}
              {children?.(load)}
            </li>
          );
        })}
      </ul>
    </>
  );
}
