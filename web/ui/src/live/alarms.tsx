/** What is wrong now; each alarm says what happened, what was done, and what to do. */
import { clock } from "../format";
import { t } from "../i18n";
import { loadNames, status } from "../state/live";
import { Icon } from "../components/icons";

export function Alarms() {
  const now = status.value;
  if (now === null) return null;
  const names = loadNames.value;
  return (
    <section class="panel" id="alarms" tabIndex={-1} aria-labelledby="alarms-heading">
      <h2 id="alarms-heading">{t("alarms.heading")}</h2>
      {now.alarms.length === 0 ? (
        <p class="empty calm">
          <Icon name="check" /> {t("alarms.none")}
        </p>
      ) : (
        <ul class="alarms">
          {now.alarms.map((alarm) => (
            <li key={alarm.id} data-alarm={alarm.code}>
              <Icon name="warn" />
              <div>
                {alarm.load === null || alarm.load === undefined ? null : (
                  <strong>{names.get(alarm.load) ?? alarm.load}: </strong>
                )}
                {alarm.text}{" "}
                <span class="note">
                  <time dateTime={alarm.since}>{t("alarms.since", { time: clock(alarm.since) })}</time>
                  {" · "}
                  <code>{alarm.code}</code>
                </span>
              </div>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
