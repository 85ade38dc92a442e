/** Step 4: water heaters, heat pumps and the like behind a relay. */
import { RemoveLoads } from "../components/remove-load";
import { t } from "../i18n";
import { LoadForm } from "../loads/load-form";
import { mayConfigure } from "../state/session";
import { TakeOver } from "./adopt";
import { Configured } from "./configured";
import { readFound, usePoll } from "./data";
import { InNetwork } from "./finds";

const NETWORK_EVERY_MS = 5_000;

export function LoadsStep() {
  usePoll(readFound, NETWORK_EVERY_MS);
  return (
    <>
      <p>{t("setup.loads.text")}</p>
      <h3 id="relays-heading">{t("setup.loads.found")}</h3>
      <TakeOver load="slow_load">
        {(choose) => <InNetwork load="slow_load" heading="relays-heading" none={t("setup.loads.none")} onChoose={choose} />}
      </TakeOver>
      <Configured kind="slow_load" />
      {mayConfigure.value ? (
        <>
          <details class="add">
            <summary>{t("setup.loads.manual")}</summary>
            <LoadForm load="slow_load" stored={null} />
          </details>
          <RemoveLoads />
        </>
      ) : null}
    </>
  );
}
