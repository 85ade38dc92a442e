/** One plain sentence: why things are as they are. */
import { plural, t } from "../i18n";
import { status } from "../state/live";
import { Icon } from "./icons";

export function Why() {
  const now = status.value;
  if (now === null) return null;
  const text = now.reason?.text ?? "";
  return (
    <section class="why" aria-labelledby="why-heading">
      <h2 id="why-heading" class="eyebrow">{t("why.heading")}</h2>
      <p class="sentence" data-reason={now.reason?.code ?? ""}>{text === "" ? t("why.none") : text}</p>
      <p class="note">{t(now.mode === "control" ? "mode.control.long" : "mode.observe.long")}</p>
      {now.alarms.length === 0 ? null : (
        <p class="to-alarms">
          <a href="#alarms">
            <Icon name="warn" /> {plural(now.alarms.length, "why.alarm", "why.alarms")}
          </a>
        </p>
      )}
    </section>
  );
}
