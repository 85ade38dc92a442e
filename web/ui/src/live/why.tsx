/** One plain sentence: why things are as they are. */
import { plural, t } from "../i18n";
import { reasonText } from "../reason";
import { href } from "../route";
import { status } from "../state/live";
import { Icon } from "../components/icons";

/** They are further down on this page. */
function toAlarms(event: Event): void {
  event.preventDefault();
  const list = document.getElementById("alarms");
  list?.scrollIntoView();
  list?.focus({ preventScroll: true });
}

export function Why() {
  const now = status.value;
  if (now === null) return null;
  const text = reasonText(now.reason);
  return (
    <section class="why" aria-labelledby="why-heading">
      <h2 id="why-heading" class="visually-hidden">{t("why.heading")}</h2>
      <p class="sentence" data-reason={now.reason?.code ?? ""}>{text === "" ? t("why.none") : text}</p>
      <p class="note">{t(now.mode === "control" ? "mode.control.long" : "mode.observe.long")}</p>
      {now.alarms.length === 0 ? null : (
        <p class="to-alarms">
          <a href={href("live", ["alarms"])} onClick={toAlarms}>
            <Icon name="warn" /> {plural(now.alarms.length, "why.alarm", "why.alarms")}
          </a>
        </p>
      )}
    </section>
  );
}
