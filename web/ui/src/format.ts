/** Numbers with their units, times and ages, always the same width for the same size. */

export const UNKNOWN = "–";
const MINUS = "−";

export function number(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? MINUS + text : text;
}

/** Ampere with one decimal, without the unit. */
export const amps = (value: number | null | undefined): string =>
  value === null || value === undefined ? UNKNOWN : number(value, 1);

/** Ampere with its unit; whole values without a decimal. */
export function ampere(value: number | null | undefined): string {
  if (value === null || value === undefined) return UNKNOWN;
  return `${number(value, Number.isInteger(value) ? 0 : 1)} A`;
}

export function watt(value: number | null | undefined): string {
  if (value === null || value === undefined) return UNKNOWN;
  return Math.abs(value) >= 1000 ? `${number(value / 1000, 2)} kW` : `${number(value, 0)} W`;
}

/** A length of time in words that stay short: 0.4 s, 12 s, 3 min, 2 h. */
export function age(seconds: number): string {
  if (seconds < 10) return `${number(seconds, 1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

/** The same without tenths, for what is not measured that finely. */
export const wholeAge = (seconds: number): string => (seconds < 10 ? `${Math.round(seconds)} s` : age(seconds));

const clockFormat = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const minuteFormat = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const dayFormat = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** Time of day to the second; the date before it when it was another day. */
export function clock(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const time = clockFormat.format(date);
  return date.toDateString() === new Date().toDateString() ? time : `${dayFormat.format(date)} ${time}`;
}

export const minuteOf = (date: Date): string => minuteFormat.format(date);

/** A number as people write it, with a point or a comma; `null` when it is none. */
export function parse(text: string): number | null {
  const clean = text.trim().replace(",", ".").replace(MINUS, "-");
  if (clean === "") return null;
  const value = Number(clean);
  return Number.isFinite(value) ? value : null;
}
