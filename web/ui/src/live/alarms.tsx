/** What is wrong now; each alarm says what happened, what was done, and what to do. */
import { Told } from "../components/told";
import type { ComponentChildren } from "preact";
import { clock } from "../format";
import { has, t } from "../i18n";
import { loadNames, status } from "../state/live";
import { Icon } from "../components/icons";

/** What happened, in the language of the page; a code that it does not know is told by its text alone. */
function titleOf(code: string): ComponentChildren {
  const key = [`alarm.title.${code}`, `code.${code}`].find(has);
  return key === undefined ? null : <strong>{t(key)}.</strong>;
}

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
                {titleOf(alarm.code)} <Told text={alarm.text} />{" "}
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
