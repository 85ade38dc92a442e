/** What stands where an answer of the service, or a part of the page, is still on its way. */
import { type Key, t } from "../i18n";

export function Loading({ text = "settings.loading" }: { text?: Key }) {
  return (
    <p class="empty" data-loading="">
      {t(text)}
    </p>
  );
}
