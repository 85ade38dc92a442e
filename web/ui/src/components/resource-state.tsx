/** What stands where something is not read yet, or could not be read. */
import { explain } from "../errors";
import { type Key, t } from "../i18n";
import { Loading } from "./loading";
import type { Resource } from "./use-resource";

interface Props<T> {
  resource: Pick<Resource<T>, "error" | "read">;
  /** What could not be read, where nothing of it would be changed here. */
  unread?: Key;
}

export function ResourceState<T>({ resource, unread = "settings.unread" }: Props<T>) {
  if (resource.error.value === null) return <Loading />;
  return (
    <>
      <p class="said is-bad">{t(unread, { error: explain(resource.error.value) })}</p>
      <button type="button" onClick={() => void resource.read()}>
        {t("settings.again")}
      </button>
    </>
  );
}
