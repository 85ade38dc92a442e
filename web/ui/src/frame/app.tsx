/** The frame of every page: what this is, how it is, the way to the other pages. It renders with no working device at all. */
import { LogIn, SetUp } from "../components/login";
import { t } from "../i18n";
import { status } from "../state/live";
import { access, asks, isForgotten, turn } from "../state/session";
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
  const isAsking = asks.value;
  return (
    <>
      {isAsking ? null : <a class="skip" href="#main" onClick={skip}>{t("app.skip")}</a>}
      <Header />
      <div class={isAsking ? "body" : "body has-nav"}>
        {isAsking ? null : <Nav />}
        <main id="main" tabIndex={-1}>
          {isAsking ? null : <GuardLine />}
          {isAsking ? null : <Banners />}
          {access.value === "setup" ? <SetUp /> : null}
          {access.value === "login" || access.value === "expired" ? <LogIn /> : null}
          {isForgotten.value ? null : (
            <div key={turn.value} hidden={isAsking}>
              <PageView />
            </div>
          )}
          <Foot />
        </main>
      </div>
      <Announcer />
    </>
  );
}
