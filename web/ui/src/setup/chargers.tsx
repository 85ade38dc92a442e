/** Step 3: chargers. They come to us (OCPP) or are found in the network; one click takes each over. */
import type { Unmatched } from "../api/types";
import { Badge } from "../components/badge";
import { RemoveLoads } from "../components/remove-load";
import { t } from "../i18n";
import { LoadForm } from "../loads/load-form";
import { readUnmatched, unmatched } from "../state/chargers";
import { ocppNote, ocppUrl, useOcppAddress } from "../state/ocpp";
import { mayConfigure } from "../state/session";
import { type Chosen, TakeOver } from "./adopt";
import { Configured } from "./configured";
import { Copy } from "./copy";
import { chargers, readFound, readLoads, usePoll } from "./data";
import { EditCharger } from "./edit-charger";
import { type Find, Finds, InNetwork } from "./finds";
import { nextPassword } from "./password";

const WAITING_EVERY_MS = 2_000;
const NETWORK_EVERY_MS = 5_000;

/** What it says of itself: anybody in the network can say anything, so where it is stands beside it. */
function said(point: Unmatched): string {
  const what = [point.vendor, point.model].filter((x) => x !== null && x !== "").join(" ");
  return what === "" ? t("setup.waiting.unnamed") : what;
}

const howText = ({ driver }: Chosen): string => (driver.kind === "http" || driver.kind === "modbus" ? t("setup.found.by", { how: driver.profile }) : driver.kind);

function waiting(point: Unmatched): Find {
  const name = said(point);
  const facts = [
    t("setup.waiting.id", { id: point.charge_point_id }),
    point.firmware === null ? "" : t("setup.waiting.firmware", { firmware: point.firmware }),
    point.remote === null ? "" : t("setup.waiting.from", { from: point.remote }),
  ];
  return {
    key: point.charge_point_id,
    name,
    note: facts.filter((fact) => fact !== "").join(" · "),
    label: `${name} ${point.charge_point_id}`,
    title: point.model ?? point.charge_point_id,
    driver: { kind: "ocpp", charge_point_id: point.charge_point_id, connector: 1 },
    badge: (
      <Badge tone={point.connected ? "ok" : "quiet"} icon={point.connected ? "plug" : "unplug"}>
        {t(point.connected ? "load.online" : "setup.waiting.gone")}
      </Badge>
    ),
  };
}

function Waiting({ onChoose }: { onChoose: (chosen: Chosen) => void }) {
  return (
    <>
      <h3 id="waiting-heading">{t("setup.waiting.title")}</h3>
      {unmatched.value.length === 0 ? (
        <p class="waiting" role="status">
          <span class="pulse" aria-hidden="true" /> {t("setup.waiting.none")}
        </p>
      ) : (
        <Finds heading="waiting-heading" finds={unmatched.value.map(waiting)} onChoose={onChoose} />
      )}
    </>
  );
}

export function ChargersStep() {
  useOcppAddress();
  usePoll(readUnmatched, WAITING_EVERY_MS);
  usePoll(readFound, NETWORK_EVERY_MS);
  return (
    <>
      <p>{t("setup.chargers.text")}</p>
      {mayConfigure.value ? (
        <div class="hand-over">
          <Copy id="ocpp-url" label={t("setup.chargers.url")} value={ocppUrl.value} hint={[t("setup.chargers.url.help"), ocppNote.value].join(" ").trim()} />
          <Copy id="ocpp-password" label={t("setup.chargers.password")} value={nextPassword.value} hint={t("setup.chargers.password.help")} />
        </div>
      ) : null}
      <TakeOver load="charger">
        {(choose) => (
          <>
            <Waiting onChoose={choose} />
            <h3 id="network-heading">{t("setup.network.title")}</h3>
            <InNetwork load="charger" heading="network-heading" none={t("setup.network.none")} how={howText} onChoose={choose} />
          </>
        )}
      </TakeOver>
      <Configured kind="charger">{(load) => <EditCharger id={load.id} settings={chargers.value?.find((it) => it.id === load.id)} onSaved={() => void readLoads().catch(() => undefined)} />}</Configured>
      {mayConfigure.value ? (
        <>
          <details class="add">
            <summary>{t("setup.chargers.manual")}</summary>
            <LoadForm load="charger" stored={null} />
          </details>
          <RemoveLoads />
        </>
      ) : null}
    </>
  );
}
