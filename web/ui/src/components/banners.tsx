/** What must be known before anything else on the page is believed. */
import { wholeAge } from "../format";
import { t } from "../i18n";
import { link, status, statusAge } from "../state/live";
import { session } from "../state/session";
import { Icon } from "./icons";

function DemoBanner() {
  const demo = status.value?.demo === true || session.value?.demo === true;
  if (!demo) return null;
  return (
    <p class="banner tone-info" data-banner="demo">
      <Icon name="eye" />
      <span>
        <strong>{t("demo.banner")}</strong> {t("demo.more")}
      </span>
    </p>
  );
}

function LostBanner() {
  if (link.value !== "lost") return null;
  return (
    <div class="banner tone-bad" data-banner="lost">
      <Icon name="unplug" />
      <div>
        {status.value === null ? (
          <strong>{t("link.lost.never")}</strong>
        ) : (
          <strong class="tabular">{t("link.lost.title", { age: wholeAge(statusAge.value) })}</strong>
        )}{" "}
        {t("link.lost.text")}
      </div>
    </div>
  );
}

export function Banners() {
  return (
    <>
      <LostBanner />
      <DemoBanner />
    </>
  );
}
