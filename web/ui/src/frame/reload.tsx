/** The one way out where the page and the service are not of the same version any more. */
import { Icon } from "../components/icons";
import { type Key, type Params, t } from "../i18n";

/** What happened, and the button that loads the page again; the place in its address stays. */
export function Reload({ text, params = {} }: { text: Key; params?: Params }) {
  return (
    <div class="banner tone-warn" data-banner="reload" role="alert">
      <Icon name="warn" />
      <div>
        <p>{t(text, params)}</p>
        <button type="button" data-act="reload" onClick={() => location.reload()}>
          {t("page.reload")}
        </button>
      </div>
    </div>
  );
}
