/** Dutch: put together from its areas. */
import { admin } from "./nl/admin";
import { core } from "./nl/core";
import { history } from "./nl/history";
import { setup } from "./nl/setup";
import type { Table } from "./index";

export const nl: Table = { ...core, ...setup, ...history, ...admin };
export default nl;
