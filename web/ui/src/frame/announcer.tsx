/** Tells a screen reader what changed: the state, new alarms and a lost link, nothing that merely ticks. */
import { computed } from "@preact/signals";
import { plural, t } from "../i18n";
import { stateWord } from "../state/guard";
import { link, status } from "../state/live";
import { asks } from "../state/session";

const message = computed(() => {
  // Who is asked to log in has no link, and has lost none.
  if (asks.value) return "";
  if (link.value === "lost") return t("link.lost");
  const now = status.value;
  if (now === null) return "";
  const alarms = now.alarms.length === 0 ? "" : ` ${plural(now.alarms.length, "why.alarm", "why.alarms")}`;
  return `${t("state.label")}: ${stateWord.value}.${alarms}`;
});

export function Announcer() {
  return (
    <p class="visually-hidden" role="status">
      {message.value}
    </p>
  );
}
