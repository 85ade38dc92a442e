/** Top of the page: what this is, how it is, whether the page still hears it. */
import { t, word } from "../i18n";
import { href } from "../route";
import { isUrgent, stateWord } from "../state/guard";
import { link, outdated, status } from "../state/live";
import { askForLogin, asks, logOut, session } from "../state/session";
import { site } from "../state/site";
import { Badge, StateBadge } from "../components/badge";

function LinkBadge() {
  if (link.value === "open") return <Badge tone="ok" icon="plug">{t("link.open")}</Badge>;
  if (link.value === "connecting") return <Badge tone="quiet" icon="dots">{t("link.connecting")}</Badge>;
  return <Badge tone="bad" icon="unplug">{t("link.lost")}</Badge>;
}

/** In the demo nobody logs in, so nobody logs out; who looks without a login has no name, and may log in. */
function Who() {
  const who = session.value;
  if (who === null || who.demo === true || status.value?.demo === true) return null;
  const role = word("role", who.role);
  const name = who.name ?? "";
  if (name === "") {
    return (
      <div class="who">
        <button type="button" class="small" data-act="log-in" onClick={askForLogin}>
          {t("access.login.submit")}
        </button>
      </div>
    );
  }
  return (
    <div class="who">
      <span>{t("access.login.as", { name, role })}</span>
      <button type="button" class="small" data-act="log-out" onClick={() => void logOut().catch(() => undefined)}>
        {t("access.login.out")}
      </button>
    </div>
  );
}

export function Header() {
  const now = status.value;
  const name = site.value?.name ?? "";
  return (
    <header class="top">
      <div class="brand">
        <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" focusable="false">
          <path class="brand-line" d="M3 8h26" />
          <path class="brand-bars" d="M6 15h5v13H6zM13.5 11h5v17h-5zM21 19h5v9h-5z" />
        </svg>
        <p class="brand-name">
          <a href={href("live")}>{t("app.name")}</a>
          {name === "" ? null : <span class="house">{name}</span>}
        </p>
      </div>
      <div class={outdated.value ? "states is-outdated" : "states"}>
        {now === null || asks.value ? null : (
          <>
            {now.state === "observe" && !isUrgent.value ? null : (
              <StateBadge state={now.state} text={stateWord.value} urgent={isUrgent.value} />
            )}
            <span class="mode" data-mode={now.mode}>
              <Badge tone={now.mode === "control" ? "ok" : "warn"} icon={now.mode === "control" ? "bolt" : "eye"}>
                {word("mode", now.mode)}
              </Badge>
            </span>
          </>
        )}
        {asks.value ? null : (
          <span class="link" data-link={link.value}>
            <LinkBadge />
          </span>
        )}
      </div>
      {asks.value ? null : <Who />}
    </header>
  );
}
