/** Danish: put together from its areas. */
import { admin } from "./da/admin";
import { core } from "./da/core";
import { history } from "./da/history";
import { setup } from "./da/setup";
import type { Table } from "./index";

export const da: Table = { ...core, ...setup, ...history, ...admin };
export default da;
