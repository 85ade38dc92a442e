/**
 * The order of loads as lines: the first line is served first, loads on one line share.
 * Pure moves; each keeps every load exactly once and leaves no empty line.
 */
export type Order = readonly (readonly string[])[];

export const lineOf = (order: Order, id: string): number => order.findIndex((line) => line.includes(id));

const without = (order: Order, id: string): string[][] => order.map((line) => line.filter((other) => other !== id));

const tidy = (order: Order): string[][] => order.filter((line) => line.length > 0).map((line) => [...line]);

function insert(order: Order, at: number, id: string): string[][] {
  const next = order.map((line) => [...line]);
  next.splice(at, 0, [id]);
  return tidy(next);
}

/** One line up: out of a shared line onto an own line above it, or past the whole line above. */
export function up(order: Order, id: string): string[][] {
  const at = lineOf(order, id);
  const shared = (order[at]?.length ?? 0) > 1;
  return insert(without(order, id), shared ? at : Math.max(0, at - 1), id);
}

/** One line down, the mirror of `up`. */
export function down(order: Order, id: string): string[][] {
  const at = lineOf(order, id);
  const shared = (order[at]?.length ?? 0) > 1;
  return insert(without(order, id), shared ? at + 1 : at + 2, id);
}

/** Onto the given line, to share with who is there. */
export function join(order: Order, id: string, line: number): string[][] {
  if (lineOf(order, id) === line || order[line] === undefined) return tidy(order);
  return tidy(without(order, id).map((others, i) => (i === line ? [...others, id] : others)));
}

export const same = (a: Order, b: Order): boolean => JSON.stringify(a) === JSON.stringify(b);
