/** Finnish: put together from its areas. */
import { admin } from "./fi/admin";
import { core } from "./fi/core";
import { history } from "./fi/history";
import { setup } from "./fi/setup";
import type { Table } from "./index";

export const fi: Table = { ...core, ...setup, ...history, ...admin };
export default fi;
