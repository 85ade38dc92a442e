/** What is there when something does not work. */
import type { Diagnostics } from "../api/admin";
import { ResourceState } from "../components/resource-state";
import { useResource } from "../components/use-resource";
import { t } from "../i18n";
import { mayConfigure } from "../state/session";
import { Devices } from "./devices";
import "./diagnostics.css";
import { MeterDiagnostics } from "./meter";
import { OcppTrace } from "./ocpp";
import { Bundle, SystemDiagnostics } from "./system";

/** Slow enough to be read, quick enough to see a cable being plugged in. */
const READ_EVERY_MS = 5_000;

function Whole() {
  const diagnostics = useResource<Diagnostics>("/diagnostics", READ_EVERY_MS);
  const found = diagnostics.value.value;
  if (found === null) return <ResourceState resource={diagnostics} />;
  return (
    <div class="stack">
      <Devices found={found} />
      <div class="columns">
        <div class="column">
          <MeterDiagnostics trace={found.meter_trace} />
          <OcppTrace trace={found.ocpp_trace ?? []} />
        </div>
        <div class="column">
          <SystemDiagnostics found={found} />
          <Bundle found={found} />
        </div>
      </div>
    </div>
  );
}

export function DiagnosticsPage() {
  if (mayConfigure.value) return <Whole />;
  return (
    <div class="stack">
      <p class="note">{t("diagnostics.role")}</p>
      <MeterDiagnostics trace={undefined} />
    </div>
  );
}
