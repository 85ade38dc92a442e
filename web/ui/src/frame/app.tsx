/** The frame of every page: what this is, how it is, the way to the other pages. It renders with no working device at all. */
import { LogIn, SetUp } from "../components/login";
import { t } from "../i18n";
import { status } from "../state/live";
import { access } from "../state/session";
import { Announcer } from "./announcer";
import { Banners } from "./banners";
import { GuardLine } from "./guard-line";
import { Header } from "./header";
import { Nav } from "./nav";
import { PageView } from "./page-view";

/** A link to a place on the page would change the address, which names the page: the focus is moved by hand. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function Foot() {
  return (
    <footer class="foot">
      {status.value === null ? null : <span class="tabular">{t("app.version", { version: status.value.version })}</span>}
    </footer>
  );
}

export function App() {
  const asks = access.value === "setup" || access.value === "login";
  return (
    <>
      {asks ? null : <a class="skip" href="#main" onClick={skip}>{t("app.skip")}</a>}
      <Header />
      <div class={asks ? "body" : "body has-nav"}>
        {asks ? null : <Nav />}
        <main id="main" tabIndex={-1}>
          {asks ? null : <GuardLine />}
          {asks ? null : <Banners />}
          {access.value === "setup" ? <SetUp /> : null}
          {access.value === "login" ? <LogIn /> : null}
          {asks ? null : <PageView />}
          <Foot />
        </main>
      </div>
      <Announcer />
    </>
  );
}
