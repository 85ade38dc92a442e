/** English: the table that every other language has to fill, put together from its areas. It is loaded as they are. */
import { admin } from "./en/admin";
import { core } from "./en/core";
import { history } from "./en/history";
import { setup } from "./en/setup";

export const en = { ...core, ...setup, ...history, ...admin } as const;
export default en;
