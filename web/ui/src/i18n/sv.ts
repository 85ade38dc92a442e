/** Swedish: put together from its areas. */
import { admin } from "./sv/admin";
import { core } from "./sv/core";
import { history } from "./sv/history";
import { setup } from "./sv/setup";
import type { Table } from "./index";

export const sv: Table = { ...core, ...setup, ...history, ...admin };
export default sv;
