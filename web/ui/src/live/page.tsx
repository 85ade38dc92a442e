/** What happens in the house now, and why. */
import { Alarms } from "./alarms";
import { FirstSteps } from "./first-steps";
import { FlowStrip } from "./flow";
import { Loads } from "./loads";
import { Phases } from "./phases";
import { Why } from "./why";
import { Loading } from "../components/loading";
import { outdated, status } from "../state/live";

export function LivePage() {
  if (status.value === null) return <Loading text="app.loading" />;
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
