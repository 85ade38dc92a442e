/** Files that the page itself writes, handed to the browser to be kept. */

/** How long the browser may take to fetch what it was handed. */
const FORGET_MS = 60_000;

export function save(name: string, type: string, parts: readonly string[]): void {
  const address = URL.createObjectURL(new Blob([...parts], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), FORGET_MS);
}

/** RFC 4180; and what a spreadsheet would run as a formula gets an apostrophe before it. */
function cell(value: string | number | boolean | null | undefined): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string") return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /["',\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

export const csvRow = (cells: readonly (string | number | boolean | null | undefined)[]): string => `${cells.map(cell).join(",")}\r\n`;

/** Part of the name of a file: 2026-11-21T14-05. */
export const stamp = (seconds: number): string => new Date(seconds * 1_000).toISOString().slice(0, 16).replace(":", "-");
