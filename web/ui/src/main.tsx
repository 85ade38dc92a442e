/** Entry of the page. */
import { effect } from "@preact/signals";
import { render } from "preact";
import { App } from "./components/app";
import { t } from "./i18n";
import { followChargers } from "./state/chargers";
import { stateWord } from "./state/guard";
import { startLive, status } from "./state/live";
import { followMeter } from "./state/meter";
import { followSite } from "./state/site";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/phases.css";
import "./styles/loads.css";
import "./styles/decisions.css";
import "./styles/forms.css";

const root = document.getElementById("app");
effect(() => {
  document.title = status.value === null ? t("app.name") : `${stateWord.value} · ${t("app.name")}`;
});

if (root !== null) {
  startLive();
  followSite();
  followMeter();
  followChargers();
  render(<App />, root);
}
