/** Entry of the page. */
import { effect } from "@preact/signals";
import { render } from "preact";
import { App } from "./frame/app";
import { Whole } from "./frame/whole";
import { startLanguage, t } from "./i18n";
import { pageOf } from "./pages";
import { followAddress, route } from "./route";
import { followChargers } from "./state/chargers";
import { stateWord } from "./state/guard";
import { startLive, status } from "./state/live";
import { followMeter } from "./state/meter";
import { followSite } from "./state/site";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/frame.css";
import "./styles/loads.css";
import "./styles/forms.css";

/** The state stands first: it is what is seen of a page behind others. */
function followTitle(): void {
  effect(() => {
    const page = t(pageOf(route.value.page)?.title ?? "page.none");
    const state = status.value === null ? [] : [stateWord.value];
    document.title = [...state, page, t("app.name")].join(" · ");
  });
}

const root = document.getElementById("app");
if (root !== null) {
  followAddress();
  startLive();
  followSite();
  followMeter();
  followChargers();
  // One language is loaded before anything is drawn, so that no page is seen in two.
  startLanguage().then(
    () => {
      followTitle();
      render(
        <Whole>
          <App />
        </Whole>,
        root,
      );
    },
    () => {
      // Without any table of texts this is the one sentence that the page has.
      root.textContent = "Headroom's page could not be loaded whole. Headroom works without it. Load the page again.";
    },
  );
}
