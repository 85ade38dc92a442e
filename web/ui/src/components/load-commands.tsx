/** What a person may tell a load for an hour. The fuse comes first whatever is pressed here. */
import { useSignal } from "@preact/signals";
import { post } from "../api/client";
import type { LoadStatus } from "../api/types";
import { explain } from "../errors";
import { ampere, minuteOf, parse } from "../format";
import { t } from "../i18n";
import { mayCommand } from "../state/session";

/** Every command from the page ends by itself after an hour. */
const FOR_S = 3_600;

type Command = "pause" | "boost" | "limit" | "resume";

export function LoadCommands({ load }: { load: LoadStatus }) {
  const message = useSignal("");
  const bad = useSignal(false);
  const busy = useSignal(false);
  const limit = useSignal("10");

  if (!mayCommand.value) return <p class="note">{t("load.viewer")}</p>;

  const send = async (command: Command): Promise<void> => {
    const amperes = parse(limit.value);
    if (command === "limit" && (amperes === null || amperes < 0)) {
      bad.value = true;
      message.value = t("load.limit.bad");
      return;
    }
    const body: Record<string, number> = command === "resume" ? {} : { for_s: FOR_S };
    if (command === "limit" && amperes !== null) body["limit_a"] = amperes;
    busy.value = true;
    bad.value = false;
    message.value = t("load.sending");
    try {
      await post(`/loads/${encodeURIComponent(load.id)}/${command}`, body);
      const until = minuteOf(new Date(Date.now() + FOR_S * 1000));
      message.value = t(`load.did.${command}`, { until, limit: ampere(amperes) });
    } catch (error) {
      bad.value = true;
      message.value = t("load.failed", { error: explain(error) });
    } finally {
      busy.value = false;
    }
  };

  const button = (command: Command) => (
    <button type="button" data-command={command} disabled={busy.value} onClick={() => void send(command)}>
      {t(`load.${command}`)}
    </button>
  );
  return (
    <div class="commands" role="group" aria-label={t("load.commands", { name: load.name })}>
      {button("pause")}
      {button("boost")}
      {button("resume")}
      {load.kind === "charger" ? (
        <form
          class="limit"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            void send("limit");
          }}
        >
          <span class="with-unit">
            <input
              type="text"
              inputMode="decimal"
              size={3}
              aria-label={t("load.limit.field")}
              value={limit.value}
              onInput={(event) => {
                limit.value = event.currentTarget.value;
              }}
            />
            <span aria-hidden="true">A</span>
          </span>
          <button type="submit" data-command="limit" disabled={busy.value}>
            {t("load.limit")}
          </button>
        </form>
      ) : null}
      <p class={bad.value ? "said is-bad" : "said"} role="status">
        {message.value}
      </p>
    </div>
  );
}
