/** The way between the pages: a bar at the bottom of a telephone, a column at the side of everything wider. */
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { Icon } from "../components/icons";
import { t } from "../i18n";
import { type PageEntry, pages } from "../pages";
import { href, route, visits } from "../route";

function PageLink({ entry }: { entry: PageEntry }) {
  const isHere = route.value.page === entry.id;
  return (
    <a href={href(entry.id)} data-page={entry.id} {...(isHere ? { "aria-current": "page" as const } : {})}>
      <Icon name={entry.icon} />
      <span>{t(entry.title)}</span>
    </a>
  );
}

export function Nav() {
  const open = useSignal(false);
  const root = useRef<HTMLElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const rest = pages.filter((entry) => !entry.first);
  const isInRest = rest.some((entry) => entry.id === route.value.page);

  useEffect(() => {
    open.value = false;
  }, [visits.value, route.value.page]);

  // As soon as it is drawn: whoever sees the menu can put it away.
  useLayoutEffect(() => {
    if (!open.value) return;
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== "Escape") return;
      open.value = false;
      button.current?.focus();
    };
    const onPress = (event: Event): void => {
      if (event.target instanceof Node && root.current?.contains(event.target) === true) return;
      open.value = false;
    };
    document.addEventListener("keydown", onKey);
    document.addEventListener("pointerdown", onPress);
    return () => {
      document.removeEventListener("keydown", onKey);
      document.removeEventListener("pointerdown", onPress);
    };
  }, [open.value]);

  return (
    <nav class="nav" aria-label={t("nav.label")} ref={root}>
      <ul class="plain nav-first">
        {pages
          .filter((entry) => entry.first)
          .map((entry) => (
            <li key={entry.id}>
              <PageLink entry={entry} />
            </li>
          ))}
        <li class="nav-more">
          <button
            type="button"
            ref={button}
            aria-expanded={open.value}
            aria-controls="nav-rest"
            class={isInRest ? "is-here" : ""}
            onClick={() => {
              open.value = !open.value;
            }}
          >
            <Icon name="dots" />
            <span>{t("nav.more")}</span>
          </button>
        </li>
      </ul>
      <ul class={open.value ? "plain nav-rest is-open" : "plain nav-rest"} id="nav-rest">
        {rest.map((entry) => (
          <li key={entry.id}>
            <PageLink entry={entry} />
          </li>
        ))}
      </ul>
    </nav>
  );
}
