/** The page, in reading order. Everything renders with no working device at all. */
import { t } from "../i18n";
import { guardKey } from "../state/guard";
import { outdated, status } from "../state/live";
import { access } from "../state/session";
import { Alarms } from "./alarms";
import { Announcer } from "./announcer";
import { Banners } from "./banners";
import { Decisions } from "./decisions";
import { FirstSteps } from "./first-steps";
import { Header } from "./header";
import { Loads } from "./loads";
import { LogIn, SetUp } from "./login";
import { Phases } from "./phases";
import { Settings } from "./settings";
import { Why } from "./why";

function Live() {
  if (status.value === null) return <p class="empty">{t("app.loading")}</p>;
  return (
    <div class={outdated.value ? "live is-outdated" : "live"}>
      <Why />
      <FirstSteps />
      <Phases />
      <Loads />
      <Decisions />
      <Alarms />
      <Settings />
    </div>
  );
}

export function App() {
  const asks = access.value === "setup" || access.value === "login";
  return (
    <>
      {asks ? null : <a class="skip" href="#main">{t("app.skip")}</a>}
      <Header />
      <main id="main" tabIndex={-1}>
        {asks ? null : <Banners />}
        {access.value === "setup" ? <SetUp /> : null}
        {access.value === "login" ? <LogIn /> : null}
        {asks ? null : <Live />}
      </main>
      <footer class="foot">
        <span data-guard={guardKey.value ?? ""}>{guardKey.value === null ? null : t(guardKey.value)}</span>
        {status.value === null ? null : <span class="tabular">{t("app.version", { version: status.value.version })}</span>}
      </footer>
      <Announcer />
    </>
  );
}
