/** The order in which loads are served: by buttons with the keyboard, by buttons or dragging with the mouse. */
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { get, put } from "../api/client";
import type { Priorities as PrioritiesBody } from "../api/types";
import { explain } from "../errors";
import { list, t } from "../i18n";
import { down, join, lineOf, type Order, same, up } from "../priority-order";
import { link, loadNames } from "../state/live";
import { mayCommand } from "../state/session";
import { Icon } from "./icons";
import { Loading } from "./loading";

/** "If the house needs more, first Garage slows down or waits, then the heater." The last line gives way first. */
function sentence(order: Order, name: (id: string) => string): string {
  const steps = [...order].reverse().map((line, i) => {
    const names = list(line.map(name));
    if (i > 0) return t("priorities.step.then", { names });
    return t(line.length > 1 ? "priorities.step.first.many" : "priorities.step.first", { names });
  });
  return t("priorities.sentence", { steps: steps.reduce((a, b) => t("list.comma", { a, b })) });
}

interface Props {
  /** What the order means, in other words than the usual ones. */
  words?: (order: Order, name: (id: string) => string) => string;
  /** Of its heading: one below what it stands under. */
  level?: 2 | 3;
}

export function Priorities({ words = sentence, level = 3 }: Props = {}) {
  const saved = useSignal<string[][] | null>(null);
  const draft = useSignal<string[][] | null>(null);
  const message = useSignal("");
  const bad = useSignal(false);
  const busy = useSignal(false);
  const unread = useSignal<unknown>(null);
  const dragged = useSignal<string | null>(null);
  const focus = useRef<{ id: string; act: string } | null>(null);
  const root = useRef<HTMLOListElement>(null);

  const names = loadNames.value;
  const ids = [...names.keys()].join(" ");
  const name = (id: string): string => names.get(id) ?? id;

  const read = async (): Promise<void> => {
    saved.value = (await get<PrioritiesBody>("/priorities")).order;
    unread.value = null;
  };
  const readOrSay = (): void => {
    read().catch((error: unknown) => {
      unread.value = error;
    });
  };
  useEffect(() => {
    if (link.value === "open") readOrSay();
  }, [ids, link.value]);

  // The list is drawn anew after a move: the focus goes along with the load, not with the place.
  useLayoutEffect(() => {
    const wanted = focus.current;
    if (wanted === null || root.current === null) return;
    focus.current = null;
    const buttons = [...root.current.querySelectorAll<HTMLButtonElement>(`[data-load="${CSS.escape(wanted.id)}"] button`)];
    const usable = buttons.filter((b) => b.getAttribute("aria-disabled") !== "true");
    (buttons.find((b) => b.dataset["act"] === wanted.act) ?? usable[0])?.focus();
  });

  const order = draft.value ?? saved.value;
  const Heading = level === 2 ? "h2" : "h3";
  const heading = <Heading id="priorities-heading">{t("priorities.heading")}</Heading>;
  if (order === null || order.length === 0) {
    return (
      <section class="panel" aria-labelledby="priorities-heading">
        {heading}
        {order !== null ? (
          <p class="empty">{t("priorities.none")}</p>
        ) : unread.value === null ? (
          <Loading />
        ) : (
          <>
            <p class="said is-bad">{t("settings.unread", { error: explain(unread.value) })}</p>
            <button type="button" onClick={readOrSay}>
              {t("settings.again")}
            </button>
          </>
        )}
      </section>
    );
  }

  const moveTo = (next: string[][], id: string): void => {
    if (same(next, order)) return;
    draft.value = saved.value !== null && same(next, saved.value) ? null : next;
    bad.value = false;
    message.value = t("priorities.moved", { name: name(id), n: lineOf(next, id) + 1, of: next.length });
  };
  const press = (next: string[][], id: string, act: string): void => {
    focus.current = { id, act };
    moveTo(next, id);
  };
  const save = async (): Promise<void> => {
    busy.value = true;
    try {
      await put("/priorities", { order });
      await read();
      draft.value = null;
      bad.value = false;
      const lines = (saved.value ?? order).map((line) => list(line.map(name)));
      message.value = t("priorities.saved", { order: lines.join(" → ") });
    } catch (error) {
      bad.value = true;
      message.value = t("priorities.failed", { error: explain(error) });
    } finally {
      busy.value = false;
    }
  };

  const locked = !mayCommand.value;
  const tone = bad.value ? "said is-bad" : draft.value === null ? "said is-good" : "said";
  const buttons = (id: string, at: number, shared: boolean) => {
    const button = (act: string, label: string, text: string, usable: boolean, next: () => string[][]) => (
      <button
        type="button"
        class="small"
        data-act={act}
        aria-label={label}
        aria-disabled={!usable}
        onClick={() => {
          if (usable) press(next(), id, act);
        }}
      >
        {text}
      </button>
    );
    const who = { name: name(id) };
    const first = at === 0;
    const last = at === order.length - 1;
    return (
      <span class="moves">
        {button("up", t("priorities.up", who), t("priorities.up.short"), !first || shared, () => up(order, id))}
        {button("down", t("priorities.down", who), t("priorities.down.short"), !last || shared, () => down(order, id))}
        {shared
          ? button("alone", t("priorities.alone", who), t("priorities.alone.short"), true, () => down(order, id))
          : button("share", t("priorities.share", who), t("priorities.share.short"), !first, () => join(order, id, at - 1))}
      </span>
    );
  };

  return (
    <section class="panel" aria-labelledby="priorities-heading">
      {heading}
      <p class="hint">{t("priorities.help")}</p>
      <ol class="priorities" ref={root} data-form="priorities">
        {order.map((line, at) => (
          <li
            key={line.join(" ")}
            class="line"
            aria-label={t("priorities.place", { n: at + 1 })}
            onDragOver={(event) => {
              if (dragged.value !== null) event.preventDefault();
            }}
            onDrop={(event) => {
              event.preventDefault();
              const id = dragged.value;
              dragged.value = null;
              if (id !== null) moveTo(join(order, id, at), id);
            }}
          >
            <span class="place tabular" aria-hidden="true">{at + 1}</span>
            <ul class="plain">
              {line.map((id) => (
                <li
                  key={id}
                  data-load={id}
                  class={dragged.value === id ? "entry is-dragged" : "entry"}
                  draggable={!locked}
                  onDragStart={(event) => {
                    dragged.value = id;
                    event.dataTransfer?.setData("text/plain", id);
                  }}
                  onDragEnd={() => {
                    dragged.value = null;
                  }}
                >
                  <span class="entry-name">
                    {locked ? null : <Icon name="grip" />} {name(id)}
                  </span>
                  {locked ? null : buttons(id, at, line.length > 1)}
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ol>
      <p class="sentence-small" data-sentence="priorities">{words(order, name)}</p>
      <p class={tone} role="status" data-said="priorities">
        {message.value}
      </p>
      {locked ? null : (
        <div class="row">
          <button type="button" class="primary" data-act="save-order" disabled={busy.value || draft.value === null} onClick={() => void save()}>
            {t(busy.value ? "site.saving" : "priorities.save")}
          </button>
          <button
            type="button"
            disabled={draft.value === null}
            onClick={() => {
              draft.value = null;
              message.value = "";
            }}
          >
            {t("site.undo")}
          </button>
        </div>
      )}
    </section>
  );
}
