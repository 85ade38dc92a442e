/** What connected or announced itself and is not set up yet. The network is searched only when somebody asks. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Discovery, Driver, Found as FoundDevice } from "../api/loads";
import { get } from "../api/client";
import { explain } from "../errors";
import { t, word } from "../i18n";
import { unmatched } from "../state/chargers";
import { ocppNote, ocppUrl, useOcppAddress } from "../state/ocpp";
import type { LoadKind } from "./drivers";

/** The service searches for three minutes after each call; what answers is shown as it comes. */
const ASK_EVERY_MS = 4_000;
const SEARCH_MS = 60_000;

export interface Adoption {
  load: LoadKind;
  driver: Driver;
  name: string;
}

const loadOf = (found: FoundDevice): LoadKind => (found.kind === "charger" ? "charger" : "slow_load");

function useSearch() {
  const items = useSignal<readonly FoundDevice[] | null>(null);
  const until = useSignal(0);
  const failure = useSignal("");
  const ask = async (): Promise<void> => {
    try {
      items.value = (await get<Discovery>("/discovery?limit=100")).items;
      failure.value = "";
    } catch (error) {
      failure.value = t("found.failed", { error: explain(error) });
      until.value = 0;
    }
  };
  useEffect(() => {
    if (until.value === 0) return;
    const timer = setInterval(() => {
      if (performance.now() > until.value) until.value = 0;
      else void ask();
    }, ASK_EVERY_MS);
    return () => clearInterval(timer);
  }, [until.value]);
  const begin = (): void => {
    until.value = performance.now() + SEARCH_MS;
    void ask();
  };
  return { items, isSearching: until.value !== 0, failure, begin };
}

export function Found({ onAdopt }: { onAdopt: (adoption: Adoption) => void }) {
  useOcppAddress();
  const { items, isSearching, failure, begin } = useSearch();
  const devices = (items.value ?? []).filter((found) => found.driver !== null && !found.already_configured);
  return (
    <section class="panel" aria-labelledby="found-heading">
      <h2 id="found-heading">{t("found.heading")}</h2>
      <p class="hint">
        {t("add.charger.help", { url: ocppUrl.value })} {ocppNote.value}
      </p>
      <ul class="plain knocking" aria-label={t("found.heading")}>
        {unmatched.value.map((point) => (
          <li key={point.charge_point_id} data-unmatched={point.charge_point_id}>
            <span>
              <strong>{point.charge_point_id}</strong>{" "}
              <span class="note">
                {[t("driver.ocpp"), point.vendor, point.model, point.remote].filter((x) => x !== null && x !== "").join(" · ")}
              </span>
            </span>
            <button
              type="button"
              class="small"
              onClick={() =>
                onAdopt({
                  load: "charger",
                  driver: { kind: "ocpp", charge_point_id: point.charge_point_id, connector: 1, auth: "basic" },
                  name: point.model ?? "",
                })
              }
            >
              {t("add.charger.adopt")}
            </button>
          </li>
        ))}
        {devices.map((found) => (
          <li key={found.host} data-found={found.host}>
            <span>
              <strong>{found.name}</strong> <span class="note">{[word("found.kind", found.kind), found.host].join(" · ")}</span>
            </span>
            <button
              type="button"
              class="small"
              onClick={() => {
                if (found.driver !== null) onAdopt({ load: loadOf(found), driver: found.driver, name: found.name });
              }}
            >
              {t("add.charger.adopt")}
            </button>
          </li>
        ))}
      </ul>
      {unmatched.value.length > 0 || devices.length > 0 ? null : (
        <p class="note" role="status">
          {t(isSearching ? "found.searching" : items.value === null ? "add.charger.none" : "found.none")}
        </p>
      )}
      {failure.value === "" ? null : <p class="said is-bad">{failure.value}</p>}
      <div class="row">
        <button type="button" data-act="search" disabled={isSearching} onClick={begin}>
          {t(isSearching ? "found.searching.short" : "found.search")}
        </button>
      </div>
    </section>
  );
}
