/** Everything that is set once, one part at a time. */
import type { ComponentType } from "preact";
import { MeterForm } from "../components/meter-form";
import { SiteForm } from "../components/site-form";
import { t } from "../i18n";
import type { PageProps } from "../pages";
import { href } from "../route";
import { mayConfigure, session } from "../state/session";
import { BackupPart } from "./backup";
import { LanguagePart } from "./language";
import { NotificationsPart } from "./notifications";
import { type Part, partOf, PARTS, titleOf } from "./parts";
import { PeoplePart } from "./people";
import "./settings.css";
import { TlsPart } from "./tls";
import { VersionsPart } from "./versions";

function HousePart() {
  return (
    <div class="columns">
      <SiteForm />
      <MeterForm level={2} />
    </div>
  );
}

const VIEWS: Readonly<Record<Part, ComponentType>> = {
  house: HousePart,
  language: LanguagePart,
  people: PeoplePart,
  notifications: NotificationsPart,
  backup: BackupPart,
  versions: VersionsPart,
  tls: TlsPart,
};

export function SettingsPage({ rest }: PageProps) {
  const here = partOf(rest[0]);
  const View = VIEWS[here];
  return (
    <>
      <nav class="parts" aria-label={t("settings.parts")}>
        <ul class="plain">
          {PARTS.map((part) => (
            <li key={part}>
              <a href={href("settings", [part])} data-part={part} {...(part === here ? { "aria-current": "page" as const } : {})}>
                {t(titleOf(part))}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      {mayConfigure.value ? null : (
        <p class="note role-note">{t(session.value?.role === "user" ? "settings.role.user" : "settings.role")}</p>
      )}
      <View />
    </>
  );
}
