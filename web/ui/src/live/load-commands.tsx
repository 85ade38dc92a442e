/** What a person may tell a load, and for how long; each ends by itself. The fuse comes first whatever is pressed here. */
import { useSignal } from "@preact/signals";
import { Icon } from "../components/icons";
import { post } from "../api/client";
import type { LoadStatus } from "../api/types";
import { explain } from "../errors";
import { ampere, minuteOf, parse } from "../format";
import { type Key, t } from "../i18n";
import { houseTime } from "../state/live";
import { mayCommand } from "../state/session";
import { wishesOf } from "../state/wishes";

/** Minutes that a command may last. */
const SPANS: readonly (readonly [string, Key])[] = [
  ["30", "load.for.30"],
  ["60", "load.for.60"],
  ["120", "load.for.120"],
  ["240", "load.for.240"],
  ["720", "load.for.720"],
];

type Command = "pause" | "boost" | "limit" | "resume";

/** What people wanted of it, until when, and the way to end that. */
function Holding({ load, busy, onEnd }: { load: LoadStatus; busy: boolean; onEnd: (() => void) | null }) {
  const wishes = wishesOf(load);
  if (wishes.length === 0) return null;
  return (
    <p class="holding" data-holds={wishes.map((wish) => wish.kind).join(" ")}>
      <Icon name="hand" />{" "}
      <span>
        {wishes.map(({ kind, until, limit_a }) => t(`load.holds.${kind}`, { until: minuteOf(new Date(until)), limit: ampere(limit_a) })).join(" ")}
      </span>
      {onEnd === null ? null : (
        <button type="button" class="small" data-command="end" disabled={busy} onClick={onEnd}>
          {t("load.end")}
        </button>
      )}
    </p>
  );
}

export function LoadCommands({ load }: { load: LoadStatus }) {
  const message = useSignal("");
  const bad = useSignal(false);
  const busy = useSignal(false);
  const limit = useSignal("10");
  const minutes = useSignal("60");

  if (!mayCommand.value) {
    return (
      <div class="commands">
        <Holding load={load} busy={false} onEnd={null} />
        <p class="note">{t("load.viewer")}</p>
      </div>
    );
  }

  const send = async (command: Command): Promise<void> => {
    const amperes = parse(limit.value);
    if (command === "limit" && (amperes === null || amperes < 0)) {
      bad.value = true;
      message.value = t("load.limit.bad");
      return;
    }
    const forS = Number(minutes.value) * 60;
    const body: Record<string, number> = command === "resume" ? {} : { for_s: forS };
    if (command === "limit" && amperes !== null) body["limit_a"] = amperes;
    busy.value = true;
    bad.value = false;
    message.value = t("load.sending");
    try {
      await post(`/loads/${encodeURIComponent(load.id)}/${command}`, body);
      const end = houseTime.value + forS * 1000;
      message.value = t(`load.did.${command}`, { until: minuteOf(new Date(end)), limit: ampere(amperes) });
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
  const span = `span-${load.id}`;
  return (
    <div class="commands" role="group" aria-label={t("load.commands", { name: load.name })}>
      <Holding load={load} busy={busy.value} onEnd={() => void send("resume")} />
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
      <span class="span">
        <label for={span}>{t("load.for")}</label>
        <select
          id={span}
          value={minutes.value}
          onChange={(event) => {
            minutes.value = event.currentTarget.value;
          }}
        >
          {SPANS.map(([value, key]) => (
            <option key={value} value={value}>
              {t(key)}
            </option>
          ))}
        </select>
      </span>
      <p class={bad.value ? "said is-bad" : "said"} role="status">
        {message.value}
      </p>
    </div>
  );
}
