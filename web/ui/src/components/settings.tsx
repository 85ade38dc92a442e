/** Settings on the live page: the meter, the main fuse with the mode, the order of the loads, and new ones. */
import { t } from "../i18n";
import { mayConfigure, session } from "../state/session";
import { AddLoads } from "./add-load";
import { MeterForm } from "./meter-form";
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
        <div class="column">
          <MeterForm />
          <SiteForm />
        </div>
        <div class="column">
          <Priorities />
          <AddLoads />
        </div>
      </div>
    </section>
  );
}
