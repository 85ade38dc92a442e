/**
 * All pages, in the order of the navigation. The frame draws the `h1` (the title of the page, which gets the focus when
 * the page changes), the state, the banners and the sentence about the fuse: a page begins with its `h2` headings.
 * `rest` is what follows the page in the address: `#/decisions/812` gives `["812"]`.
 */
import type { ComponentType } from "preact";
import type { IconName } from "./components/icons";
import type { Key } from "./i18n";
import { LivePage } from "./live/page";

export interface PageProps {
  rest: readonly string[];
}

export type PageView = ComponentType<PageProps>;

export interface PageEntry {
  id: string;
  title: Key;
  icon: IconName;
  /** What is there at once; the first page comes with the frame. */
  view?: PageView;
  /** What comes when it is visited. */
  load?: () => Promise<PageView>;
  /** In the bar at the bottom of a telephone; the others are behind "More". */
  first: boolean;
}

const later = (
  id: string,
  title: Key,
  icon: IconName,
  first: boolean,
  load: () => Promise<PageView>,
): PageEntry => ({ id, title, icon, first, load });

export const pages: readonly PageEntry[] = [
  { id: "live", title: "page.live", icon: "bolt", first: true, view: LivePage },
  later("timeline", "page.timeline", "chart", true, async () => (await import("./timeline/page")).TimelinePage),
  later("decisions", "page.decisions", "list", true, async () => (await import("./decisions/page")).DecisionsPage),
  later("loads", "page.loads", "plug", true, async () => (await import("./loads/page")).LoadsPage),
  later("setup", "page.setup", "steps", false, async () => (await import("./setup/page")).SetupPage),
  later("what-if", "page.what-if", "fork", false, async () => (await import("./what-if/page")).WhatIfPage),
  later("diagnostics", "page.diagnostics", "pulse", false, async () => (await import("./diagnostics/page")).DiagnosticsPage),
  later("settings", "page.settings", "gear", false, async () => (await import("./settings/page")).SettingsPage),
];

export const pageOf = (id: string): PageEntry | undefined => pages.find((entry) => entry.id === id);
