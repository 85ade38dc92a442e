/** The health of each device: whether it is there, whether it obeys, and what it has shown that it can do. */
import { Told } from "../components/told";
import type { Capability, DeviceHealth, Diagnostics } from "../api/admin";
import { Badge, type Tone } from "../components/badge";
import type { IconName } from "../components/icons";
import { t, word } from "../i18n";
import { GradeBadge, gradeOf, ReportsState, useReports } from "../loads/grade";
import { loadNames, status } from "../state/live";
import { reportOf, reports } from "../state/reports";

const LOOKS: Readonly<Record<Capability, [Tone, IconName]>> = {
  proven: ["ok", "check"],
  claimed: ["info", "dots"],
  not_there: ["quiet", "no"],
  unknown: ["quiet", "dots"],
};

function health(device: DeviceHealth): [Tone, IconName, string] {
  if (device.connected === false) return ["bad", "unplug", t("load.offline")];
  if (device.connected === null) return ["quiet", "dots", t("load.unheard")];
  if (device.following === false) return ["bad", "warn", t("health.disobeys")];
  return ["ok", "check", t("health.good")];
}

function Device({ device, isCharger }: { device: DeviceHealth; isCharger: boolean }) {
  const [tone, icon, text] = health(device);
  const alarms = (status.value?.alarms ?? []).filter((alarm) => alarm.load === device.id);
  const kind = device.driver === null ? t("loads.no_driver") : word("driver", device.driver.kind);
  return (
    <article class="panel health" data-health={device.id} aria-labelledby={`health-${device.id}`}>
      <header class="panel-head">
        <h3 id={`health-${device.id}`}>{loadNames.value.get(device.id) ?? device.id}</h3>
        <span class="badges">
          {isCharger && reports.value !== null ? <GradeBadge grade={gradeOf(reportOf(device.id))} /> : null}
          <Badge tone={tone} icon={icon}>{text}</Badge>
        </span>
      </header>
      <p class="note">{[kind, device.driver?.profile ?? ""].filter((part) => part !== "").join(" · ")}</p>
      {alarms.map((alarm) => (
        <p key={alarm.id} class="stale-note"><Told text={alarm.text} /></p>
      ))}
      {device.capabilities === null || device.capabilities === undefined ? null : (
        <dl class="capabilities">
          {Object.entries(device.capabilities).map(([name, level]) => (
            <div key={name}>
              <dt>{word("capability", name)}</dt>
              <dd>
                <Badge tone={LOOKS[level]?.[0] ?? "quiet"} icon={LOOKS[level]?.[1] ?? "dots"}>
                  {word("capability.level", level)}
                </Badge>
              </dd>
            </div>
          ))}
        </dl>
      )}
    </article>
  );
}

export function Devices({ found }: { found: Diagnostics }) {
  useReports();
  return (
    <section aria-labelledby="health-heading">
      <h2 id="health-heading">{t("health.heading")}</h2>
      <ReportsState />
      {found.chargers.length + found.relays.length === 0 ? <p class="empty panel">{t("loads.none")}</p> : null}
      <div class="cards">
        {found.chargers.map((device) => (
          <Device key={device.id} device={device} isCharger />
        ))}
        {found.relays.map((device) => (
          <Device key={device.id} device={device} isCharger={false} />
        ))}
      </div>
      {found.unmatched_charge_points === 0 ? null : <p class="note">{t("health.unmatched", { count: found.unmatched_charge_points })}</p>}
    </section>
  );
}
