/** German: put together from its areas. */
import { admin } from "./de/admin";
import { core } from "./de/core";
import { history } from "./de/history";
import { setup } from "./de/setup";
import type { Table } from "./index";

export const de: Table = { ...core, ...setup, ...history, ...admin };
export default de;
