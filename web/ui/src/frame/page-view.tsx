/**
 * The page that the address names, below its heading. When the page changes, the heading gets the focus. The first page
 * needs no heading to be seen: what happens in the house stands there.
 */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Loading } from "../components/loading";
import { t } from "../i18n";
import { type PageEntry, pageOf, type PageView as View } from "../pages";
import { FIRST_PAGE, href, route, visits } from "../route";
import { link } from "../state/live";
import { Reload } from "./reload";
import { Whole } from "./whole";

/** Pages that came already: they are shown at once when they are visited again. */
const loaded = new Map<string, View>();

/** A page that is loaded when it is seen; an update of the service takes the old ones away. */
function Later({ entry, rest }: { entry: PageEntry; rest: readonly string[] }) {
  const isFailed = useSignal(false);
  const arrived = useSignal(0);
  const load = async (): Promise<void> => {
    isFailed.value = false;
    try {
      const view = await entry.load?.();
      if (view !== undefined) loaded.set(entry.id, view);
      arrived.value += 1;
    } catch {
      isFailed.value = true;
    }
  };
  // What failed for want of a connection comes with it.
  const isOpen = link.value === "open";
  useEffect(() => {
    if (!loaded.has(entry.id)) void load();
  }, [entry.id, isOpen]);
  void arrived.value;
  const Found = entry.view ?? loaded.get(entry.id);
  if (Found !== undefined) return <Found rest={rest} />;
  return isFailed.value ? <Reload text="page.failed" /> : <Loading text="page.loading" />;
}

export function PageView() {
  const heading = useRef<HTMLHeadingElement>(null);
  const { page, rest } = route.value;
  const entry = pageOf(page);
  const visit = visits.value;
  useEffect(() => {
    if (visit === 0) return;
    window.scrollTo(0, 0);
    heading.current?.focus({ preventScroll: true });
  }, [visit]);
  return (
    <>
      <h1 class={page === FIRST_PAGE ? "page-title visually-hidden" : "page-title"} id="page-title" tabIndex={-1} ref={heading}>
        {t(entry?.title ?? "page.none")}
      </h1>
      {entry === undefined ? (
        <p>
          {t("page.none.text", { page })} <a href={href("live")}>{t("page.none.link")}</a>
        </p>
      ) : (
        <Whole key={entry.id}>
          <Later entry={entry} rest={rest} />
        </Whole>
      )}
    </>
  );
}
