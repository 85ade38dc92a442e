/** Step 3: chargers. They come to us (OCPP) or are found in the network; one click takes each over. */
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Unmatched } from "../api/types";
import { AddCharger } from "../components/add-load";
import { Badge } from "../components/badge";
import { RemoveLoads } from "../components/remove-load";
import { t } from "../i18n";
import { readUnmatched, unmatched } from "../state/chargers";
import { ocppNote, ocppUrl, useOcppAddress } from "../state/ocpp";
import { mayConfigure } from "../state/session";
import { Adopt } from "./adopt";
import { Configured } from "./configured";
import { Copy } from "./copy";
import { chargers, found, readFound, readLoads, searching, usePoll } from "./data";
import { EditCharger } from "./edit-charger";
import { nextPassword } from "./password";
import type { Driver, Found } from "./types";

const WAITING_EVERY_MS = 2_000;
const NETWORK_EVERY_MS = 5_000;

interface Chosen {
  title: string;
  driver: Driver;
}

/** What it says of itself: anybody in the network can say anything, so where it is stands beside it. */
function said(point: Unmatched): string {
  const what = [point.vendor, point.model].filter((x) => x !== null && x !== "").join(" ");
  return what === "" ? t("setup.waiting.unnamed") : what;
}

const driverText = (driver: Driver): string => (driver.kind === "http" || driver.kind === "modbus" ? t("setup.found.by", { how: driver.profile ?? driver.kind }) : driver.kind);

function Waiting({ onChoose }: { onChoose: (chosen: Chosen) => void }) {
  const waiting = unmatched.value;
  return (
    <>
      <h3 id="waiting-heading">{t("setup.waiting.title")}</h3>
      {waiting.length === 0 ? (
        <p class="waiting" role="status">
          <span class="pulse" aria-hidden="true" /> {t("setup.waiting.none")}
        </p>
      ) : (
        <ul class="plain finds" aria-labelledby="waiting-heading">
          {waiting.map((point) => (
            <li key={point.charge_point_id} data-waiting={point.charge_point_id}>
              <span class="find-name">
                <strong>{said(point)}</strong>
                <span class="note">
                  {t("setup.waiting.id", { id: point.charge_point_id })}
                  {point.firmware === null || point.firmware === undefined ? null : ` · ${t("setup.waiting.firmware", { firmware: point.firmware })}`}
                  {point.remote === null ? null : ` · ${t("setup.waiting.from", { from: point.remote })}`}
                </span>
              </span>
              <Badge tone={point.connected ? "ok" : "quiet"} icon={point.connected ? "plug" : "unplug"}>
                {t(point.connected ? "load.online" : "setup.waiting.gone")}
              </Badge>
              {mayConfigure.value ? (
                <button
                  type="button"
                  class="small primary"
                  aria-label={t("setup.waiting.adopt.label", { name: `${said(point)} ${point.charge_point_id}` })}
                  onClick={() => onChoose({ title: point.model ?? point.charge_point_id, driver: { kind: "ocpp", charge_point_id: point.charge_point_id, connector: 1 } })}
                >
                  {t("add.charger.adopt")}
                </button>
              ) : null}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function InNetwork({ onChoose }: { onChoose: (chosen: Chosen) => void }) {
  const all: { one: Found; driver: Driver }[] = (found.value ?? []).flatMap((one) =>
    one.kind === "charger" && one.driver !== null && !one.already_configured ? [{ one, driver: one.driver }] : [],
  );
  return (
    <>
      <h3 id="network-heading">{t("setup.network.title")}</h3>
      {all.length === 0 ? (
        <p class="empty">{t(searching.value || found.value === null ? "setup.network.searching" : "setup.network.none")}</p>
      ) : (
        <ul class="plain finds" aria-labelledby="network-heading">
          {all.map(({ one, driver }) => (
            <li key={`${one.name} ${one.host}`}>
              <span class="find-name">
                <strong>{one.name}</strong>
                <span class="note">
                  {one.host} · {driverText(driver)}
                </span>
              </span>
              {mayConfigure.value ? (
                <button type="button" class="small" aria-label={t("setup.waiting.adopt.label", { name: one.name })} onClick={() => onChoose({ title: one.name, driver })}>
                  {t("add.charger.adopt")}
                </button>
              ) : null}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

export function ChargersStep() {
  useOcppAddress();
  usePoll(readUnmatched, WAITING_EVERY_MS);
  usePoll(readFound, NETWORK_EVERY_MS);
  const chosen = useSignal<Chosen | null>(null);
  const done = useSignal("");
  const answer = useRef<HTMLParagraphElement>(null);
  const choose = (next: Chosen): void => {
    done.value = "";
    chosen.value = next;
  };
  const now = chosen.value;
  return (
    <>
      <p>{t("setup.chargers.text")}</p>
      {mayConfigure.value ? (
        <div class="hand-over">
          <Copy id="ocpp-url" label={t("setup.chargers.url")} value={ocppUrl.value} hint={[t("setup.chargers.url.help"), ocppNote.value].join(" ").trim()} />
          <Copy id="ocpp-password" label={t("setup.chargers.password")} value={nextPassword.value} hint={t("setup.chargers.password.help")} />
        </div>
      ) : null}
      <Waiting onChoose={choose} />
      <InNetwork onChoose={choose} />
      {now === null ? null : (
        <Adopt
          key={JSON.stringify(now.driver)}
          title={now.title}
          driver={now.driver}
          onDone={(text) => {
            done.value = text;
            chosen.value = null;
            // The form is gone: who goes by the keyboard stands at its answer.
            answer.current?.focus();
          }}
          onCancel={() => {
            chosen.value = null;
          }}
        />
      )}
      <p class="said is-good" role="status" data-said="chargers" tabIndex={-1} ref={answer}>
        {done.value}
      </p>
      <Configured kind="charger">{(load) => <EditCharger id={load.id} settings={chargers.value?.find((it) => it.id === load.id)} onSaved={() => void readLoads().catch(() => undefined)} />}</Configured>
      {mayConfigure.value ? (
        <>
          <details class="add">
            <summary>{t("setup.chargers.manual")}</summary>
            <AddCharger />
          </details>
          <RemoveLoads />
        </>
      ) : null}
    </>
  );
}
