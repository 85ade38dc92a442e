/** What stands where something is not read yet, or could not be read. */
import { explain } from "../errors";
import { t } from "../i18n";
import { Loading } from "./loading";
import type { Resource } from "./use-resource";

export function ResourceState<T>({ resource }: { resource: Resource<T> }) {
  if (resource.error.value === null) return <Loading />;
  return (
    <>
      <p class="said is-bad">{t("settings.unread", { error: explain(resource.error.value) })}</p>
      <button type="button" onClick={() => void resource.read()}>
        {t("settings.again")}
      </button>
    </>
  );
}
