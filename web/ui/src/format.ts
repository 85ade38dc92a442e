/** Numbers with their units, times and ages, in the way of the language, always the same width for the same size. */
import { computed } from "@preact/signals";
import { locale } from "./i18n";

export const UNKNOWN = "–";
const MINUS = "−";

/** A day is written one way wherever it stands. */
export const DAY = { day: "numeric", month: "short", year: "numeric" } as const;

/** Formats of one language; made anew when another is chosen. */
const formats = computed(() => {
  const name = locale.value;
  const numbers = new Map<number, Intl.NumberFormat>();
  return {
    number: (digits: number): Intl.NumberFormat => {
      const known = numbers.get(digits);
      if (known !== undefined) return known;
      const made = new Intl.NumberFormat(name, { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: false });
      numbers.set(digits, made);
      return made;
    },
    clock: new Intl.DateTimeFormat(name, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }),
    minute: new Intl.DateTimeFormat(name, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
    whole: new Intl.DateTimeFormat(name, { ...DAY, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
    fine: new Intl.DateTimeFormat(name, { ...DAY, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }),
  };
});

export function number(value: number, digits: number): string {
  const text = formats.value.number(digits).format(Math.abs(value));
  const isNegative = value < 0 && Number(Math.abs(value).toFixed(digits)) !== 0;
  return isNegative ? MINUS + text : text;
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

const SIZES = ["B", "kB", "MB", "GB"] as const;

/** A size of a file: 512 B, 3.4 MB. */
export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return UNKNOWN;
  let rest = value;
  let size = 0;
  while (rest >= 1000 && size < SIZES.length - 1) {
    rest /= 1000;
    size += 1;
  }
  return `${number(rest, size === 0 || rest >= 100 ? 0 : 1)} ${SIZES[size] ?? ""}`;
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

/** The time between readings; `null` where it is not known, or too short to have been learnt. */
export const periodText = (seconds: number | null | undefined): string | null =>
  seconds === null || seconds === undefined || seconds < 0.05 ? null : age(seconds);

/** A sentence of the service, which may begin in the middle of one: with a capital, unless it begins with a name. */
export const sentence = (text: string): string => (/^\p{Ll}+[\s,]/u.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text);

/** Time of day to the second; the date before it when it was another day. */
export function clock(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  return (date.toDateString() === new Date().toDateString() ? formats.value.clock : formats.value.fine).format(date);
}

export const minuteOf = (date: Date): string => formats.value.minute.format(date);

/** Date and time to the minute. */
export function moment(iso: string): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? iso : formats.value.whole.format(date);
}

/** A number as people write it, with a point or a comma; `null` when it is none. */
export function parse(text: string): number | null {
  const clean = text.trim().replace(",", ".").replace(MINUS, "-");
  if (clean === "") return null;
  const value = Number(clean);
  return Number.isFinite(value) ? value : null;
}

/** The number of a meter as it is printed on it: P1 sends the codes of its letters and digits. `undefined`: it sends none. */
export function meterNumber(meter: { protocol?: string | null; meter_id?: string | null }): string | undefined {
  const id = meter.meter_id ?? undefined;
  if (id === undefined || meter.protocol !== "p1" || !/^(?:[2-7][0-9a-f]){4,}$/i.test(id)) return id;
  return id.replace(/../g, (code) => String.fromCharCode(Number.parseInt(code, 16)));
}
