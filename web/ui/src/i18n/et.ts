/** Estonian: put together from its areas. */
import { admin } from "./et/admin";
import { core } from "./et/core";
import { history } from "./et/history";
import { setup } from "./et/setup";
import type { Table } from "./index";

export const et: Table = { ...core, ...setup, ...history, ...admin };
export default et;
