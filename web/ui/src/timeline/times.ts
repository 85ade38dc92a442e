/** Times on the axis and in tables, in the way of the language. */
import { computed } from "@preact/signals";
import { DAY as DAY_PARTS } from "../format";
import { locale } from "../i18n";
import { DAY } from "./span";

const formats = computed(() => {
  const make = (options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
    new Intl.DateTimeFormat(locale.value, { hourCycle: "h23", ...options });
  return {
    second: make({ hour: "2-digit", minute: "2-digit", second: "2-digit" }),
    minute: make({ hour: "2-digit", minute: "2-digit" }),
    day: make({ day: "numeric", month: "short" }),
    month: make({ month: "short", year: "numeric" }),
    range: make({ ...DAY_PARTS, hour: "2-digit", minute: "2-digit" }),
    fine: make({ ...DAY_PARTS, hour: "2-digit", minute: "2-digit", second: "2-digit" }),
  };
});

const date = (seconds: number): Date => new Date(seconds * 1_000);

/** Labels of the ticks of an axis: the day where a day begins, else the time of day. */
export function ticks(splits: readonly number[], increment: number): string[] {
  const { second, minute, day, month } = formats.value;
  return splits.map((at) => {
    const when = date(at);
    const isMidnight = when.getHours() === 0 && when.getMinutes() === 0 && when.getSeconds() === 0;
    if (increment >= 28 * DAY) return month.format(when);
    if (increment >= DAY || isMidnight) return day.format(when);
    return (increment < 60 ? second : minute).format(when);
  });
}

/** A moment with its day and seconds. */
export const instant = (seconds: number): string => formats.value.fine.format(date(seconds));
/** The same within a span whose day is told beside it. */
export const instantIn = (seconds: number, from: number, to: number): string =>
  (to - from <= DAY ? formats.value.second : formats.value.fine).format(date(seconds));
export const dayOf = (when: Date): string => formats.value.day.format(when);

/** Up to this length a span is told with its seconds. */
const FINE = 600;

/** A span as short as it stays clear: "21 Nov 2026, 14:00 – 15:00". */
export function rangeOf(from: number, to: number): string {
  const { range, fine } = formats.value;
  return (to - from <= FINE ? fine : range).formatRange(date(from), date(to));
}
