/** Norwegian bokmål: put together from its areas. */
import { admin } from "./nb/admin";
import { core } from "./nb/core";
import { history } from "./nb/history";
import { setup } from "./nb/setup";
import type { Table } from "./index";

export const nb: Table = { ...core, ...setup, ...history, ...admin };
export default nb;
