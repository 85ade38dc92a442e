/** What must be known before anything else on the page is believed. */
import { Told } from "../components/told";
import { clock, wholeAge } from "../format";
import { t } from "../i18n";
import { urgentAlarms } from "../state/guard";
import { link, loadNames, misfits, renewed, status, statusAge } from "../state/live";
import { session } from "../state/session";
import { Icon } from "../components/icons";
import { DemoPanel } from "./demo-panel";
import { Reload } from "./reload";

function DemoBanner() {
  const demo = status.value?.demo === true || session.value?.demo === true;
  if (!demo) return null;
  return <DemoPanel />;
}

function LostBanner() {
  if (link.value !== "lost") return null;
  return (
    <div class="banner tone-bad" data-banner="lost">
      <Icon name="unplug" />
      <div>
        {status.value === null ? (
          <strong>{t("link.lost.never")}</strong>
        ) : (
          <strong class="tabular">{t("link.lost.title", { age: wholeAge(statusAge.value) })}</strong>
        )}{" "}
        {t("link.lost.text")}
      </div>
    </div>
  );
}

/** What a person has to end now stands above everything else; the list of all alarms is below. */
function AlarmBanners() {
  const names = loadNames.value;
  return (
    <>
      {urgentAlarms.value.map((alarm) => (
        <div key={alarm.id} class="banner tone-bad" data-banner="alarm" data-alarm={alarm.code}>
          <Icon name="warn" />
          <div>
            <strong>
              {t(alarm.code === "overload" ? "alarm.overload" : "alarm.not_obeying", {
                name: names.get(alarm.load ?? "") ?? alarm.load ?? "",
              })}
            </strong>{" "}
            <Told text={alarm.text} />{" "}
            <span class="since">
              <time dateTime={alarm.since}>{t("alarms.since", { time: clock(alarm.since) })}</time>
            </span>
          </div>
        </div>
      ))}
    </>
  );
}

export function Banners() {
  return (
    <>
      <LostBanner />
      {misfits.value ? <Reload text="page.misfit" /> : renewed.value === null ? null : <Reload text="page.renewed" params={{ version: renewed.value }} />}
      <AlarmBanners />
      <DemoBanner />
    </>
  );
}
