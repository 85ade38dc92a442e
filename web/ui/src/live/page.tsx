/** What happens in the house now, and why. */
import { Alarms } from "./alarms";
import { FirstSteps } from "./first-steps";
import { FlowStrip } from "./flow";
import { Loads } from "./loads";
import { Phases } from "./phases";
import { Why } from "./why";
import { t } from "../i18n";
import { outdated, status } from "../state/live";

export function LivePage() {
  if (status.value === null) return <p class="empty">{t("app.loading")}</p>;
  return (
    <div class={outdated.value ? "live is-outdated" : "live"}>
      <Why />
      <FirstSteps />
      <FlowStrip />
      <Phases />
      <Loads />
      <Alarms />
    </div>
  );
}
