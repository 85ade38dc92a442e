/** Signs that carry a state by their form, so that colour is never alone. All are decoration beside a word. */
import type { ComponentChildren } from "preact";

export type IconName =
  | "check" | "down" | "up" | "warn" | "stop" | "hand" | "eye" | "dots" | "bolt" | "relay" | "plug" | "unplug" | "clock" | "no" | "grip"
  | "chart" | "list" | "steps" | "fork" | "pulse" | "gear" | "house" | "car" | "flame" | "grid" | "right" | "left";

const PATHS: Readonly<Record<IconName, ComponentChildren>> = {
  check: <path d="M3 8.5 6.5 12 13 4.5" />,
  down: <path d="M8 2.5v10M3.5 8.5 8 13l4.5-4.5" />,
  up: <path d="M8 13.5v-10M3.5 7.5 8 3l4.5 4.5" />,
  warn: <path d="M8 2 15 14H1ZM8 6.5v3.2M8 11.6v.6" />,
  stop: <path d="M5.2 1.5h5.6l3.7 3.7v5.6l-3.7 3.7H5.2l-3.7-3.7V5.2ZM8 4.5v4.2M8 10.8v.8" />,
  hand: <path d="M4 9V5M6.5 8V2.8M9 8V3M11.5 8.5V4.5M4 9c-1.6-1.7-2.6-.4-1.6 1L5 13.5h5c1.2-1 1.5-2.5 1.5-5" />,
  eye: <path d="M1 8s2.6-4.5 7-4.5S15 8 15 8s-2.6 4.5-7 4.5S1 8 1 8Zm5.2 0a1.8 1.8 0 1 0 3.6 0 1.8 1.8 0 0 0-3.6 0Z" />,
  dots: <path d="M3 8h.01M8 8h.01M13 8h.01" stroke-width="2.6" />,
  bolt: <path d="M9.2 1.5 3.5 9h3.8l-.9 5.5L12.5 7H8.6Z" />,
  relay: <path d="M1.5 11H5l6-5M11 11h3.5M5 11h.01M11 11h.01" />,
  plug: <path d="M5 2v3.5M11 2v3.5M3.5 5.5h9v2a4.5 4.5 0 0 1-9 0ZM8 12v2.5" />,
  unplug: <path d="M5 2v3.5M11 2v3.5M3.5 5.5h9v2a4.5 4.5 0 0 1-9 0ZM8 12v2.5M1.5 14.5l13-13" />,
  clock: <path d="M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8ZM8 4.5V8l2.6 1.8" />,
  no: <path d="M4 4l8 8M12 4l-8 8" />,
  chart: <path d="M2 2v12h12M4.5 10.5 7.5 7l2.5 2 4-5" />,
  list: <path d="M5.5 4H14M5.5 8H14M5.5 12H14M2 4h.01M2 8h.01M2 12h.01" />,
  steps: <path d="M2 13h4V9.5h4V6h4V2.5" />,
  fork: <path d="M3 13V9.5c0-3 5-2 5-5V2M8 4.5c0 3 5 2 5 5V13M5.8 4 8 1.8 10.2 4" />,
  pulse: <path d="M1 8.5h3.2L6.2 3l3.4 10 2-4.5H15" />,
  gear: <path d="M8 5.6a2.4 2.4 0 1 0 0 4.8 2.4 2.4 0 0 0 0-4.8ZM8 1.5v2M8 12.5v2M1.5 8h2M12.5 8h2M3.4 3.4l1.4 1.4M11.2 11.2l1.4 1.4M3.4 12.6l1.4-1.4M11.2 4.8l1.4-1.4" />,
  house: <path d="M1.5 8 8 2l6.5 6M3.5 6.5V14h9V6.5M6.5 14v-4h3v4" />,
  car: <path d="M1.5 11.5v-3l1.7-.8L4.8 4h6.4l1.6 3.7 1.7.8v3ZM3.5 11.5V13M12.5 11.5V13M4 7.7h8" />,
  flame: <path d="M8 1.5c.5 3 4 4.3 4 8a4 4 0 0 1-8 0c0-1.8 1-2.8 1.8-3.8C6.2 7 7 7.5 7.2 8 8.2 6 8.3 4 8 1.5Z" />,
  grid: <path d="M5 14.5 8 1.5l3 13M3 5.5h10M3.8 9h8.4M6.2 9.5l3.6 3M9.8 9.5l-3.6 3" />,
  right: <path d="M2.5 8h10M8.5 3.5 13 8l-4.5 4.5" />,
  left: <path d="M13.5 8h-10M7.5 3.5 3 8l4.5 4.5" />,
  grip: <path d="M6 4h.01M10 4h.01M6 8h.01M10 8h.01M6 12h.01M10 12h.01" stroke-width="2.2" />,
};

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      {PATHS[name]}
    </svg>
  );
}
