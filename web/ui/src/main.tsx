/** Entry of the page. */
import { effect } from "@preact/signals";
import { render } from "preact";
import { App } from "./components/app";
import { t, word } from "./i18n";
import { startLive, status } from "./state/live";
import { followSite } from "./state/site";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/phases.css";
import "./styles/loads.css";
import "./styles/decisions.css";
import "./styles/forms.css";

const root = document.getElementById("app");
effect(() => {
  const state = status.value?.state;
  document.title = state === undefined ? t("app.name") : `${word("state", state)} · ${t("app.name")}`;
});

if (root !== null) {
  startLive();
  followSite();
  render(<App />, root);
}
