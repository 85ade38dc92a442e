/** Settings on the live page: the main fuse with the mode, and the order of the loads. */
import { t } from "../i18n";
import { mayConfigure, session } from "../state/session";
import { Priorities } from "./priorities";
import { SiteForm } from "./site-form";

export function Settings() {
  const role = session.value?.role;
  return (
    <section class="settings" aria-labelledby="settings-heading">
      <h2 id="settings-heading">{t("settings.heading")}</h2>
      {mayConfigure.value ? null : (
        <p class="note">{t(role === "user" ? "settings.role.user" : "settings.role")}</p>
      )}
      <div class="columns">
        <SiteForm />
        <Priorities />
      </div>
    </section>
  );
}
