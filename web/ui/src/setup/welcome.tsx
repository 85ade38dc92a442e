/** What will happen, what should be at hand, and where to look first. */
import { t } from "../i18n";
import { status } from "../state/live";
import { Language } from "./language";

export function Welcome() {
  const isDemo = status.value?.demo === true;
  return (
    <>
      <p>{t("setup.welcome.text")}</p>
      <p class="setup-note">
        <strong>{t("setup.observe.title")}</strong> {t("setup.observe.text")}
      </p>
      <h3>{t("setup.welcome.need")}</h3>
      <ul class="bullets">
        <li>{t("setup.welcome.need.meter")}</li>
        <li>{t("setup.welcome.need.fuse")}</li>
        <li>{t("setup.welcome.need.chargers")}</li>
        <li>{t("setup.welcome.need.car")}</li>
      </ul>
      <Language />
      <p class="hint">
        {isDemo ? t("setup.welcome.demo.here") : t("setup.welcome.demo")} {isDemo ? null : <code>headroom demo</code>}
      </p>
      <p class="hint">{t("setup.welcome.resume")}</p>
    </>
  );
}
