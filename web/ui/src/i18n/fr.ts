/** French: put together from its areas. */
import { admin } from "./fr/admin";
import { core } from "./fr/core";
import { history } from "./fr/history";
import { setup } from "./fr/setup";
import type { Table } from "./index";

export const fr: Table = { ...core, ...setup, ...history, ...admin };
export default fr;
