/**
 * What hands do on the charts besides choosing a span with the mouse (which uPlot draws): the wheel, two fingers, one finger to the
 * side, the mouse with Shift, a double click. Scrolling of the page stays free: the wheel zooms with Ctrl, or once the chart has the focus.
 */
import type uPlot from "uplot";
import { pan, show, span, zoom } from "./span";

/** One notch of a wheel. */
const NOTCH = 1.25;
/** Pixels that a notch has in most browsers. */
const NOTCH_PX = 100;
const DOUBLE = 2;

interface Finger {
  x: number;
  time: number;
}

/** Answers how to take the listeners away again. */
export function listen(host: HTMLElement, chart: () => uPlot | null): () => void {
  const fingers = new Map<number, Finger>();
  let dragged: { x: number; from: number; to: number } | null = null;

  const timeAt = (clientX: number): number => {
    const over = chart()?.over.getBoundingClientRect();
    const { from, to } = span.peek();
    if (over === undefined || over.width === 0) return (from + to) / 2;
    return from + ((clientX - over.left) / over.width) * (to - from);
  };
  const perPixel = (): number => {
    const width = chart()?.over.clientWidth ?? 0;
    return width === 0 ? 0 : (span.peek().to - span.peek().from) / width;
  };

  const onWheel = (event: WheelEvent): void => {
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      pan(event.deltaX * perPixel());
      return;
    }
    const isMeant = event.ctrlKey || event.metaKey || host.contains(document.activeElement);
    if (!isMeant) return;
    event.preventDefault();
    zoom(NOTCH ** (event.deltaY / NOTCH_PX), timeAt(event.clientX));
  };

  const onDown = (event: PointerEvent): void => {
    if (event.pointerType === "mouse") {
      if (!event.shiftKey || event.button !== 0) return;
      // Kept from uPlot, which would begin to choose a span.
      event.preventDefault();
      event.stopPropagation();
      dragged = { x: event.clientX, from: span.peek().from, to: span.peek().to };
      host.setPointerCapture(event.pointerId);
      return;
    }
    fingers.set(event.pointerId, { x: event.clientX, time: timeAt(event.clientX) });
  };

  /** The time under each finger stays under it. */
  const follow = (): void => {
    const [a, b] = [...fingers.values()];
    const over = chart()?.over.getBoundingClientRect();
    if (a === undefined || over === undefined || over.width === 0) return;
    const { from, to } = span.peek();
    if (b === undefined) {
      const shift = a.time - timeAt(a.x);
      if (shift !== 0) show(from + shift, to + shift);
      return;
    }
    const apart = b.x - a.x;
    if (Math.abs(apart) < NOTCH_PX / 10) return;
    const seconds = (b.time - a.time) / apart;
    if (seconds <= 0) return;
    const begin = a.time - (a.x - over.left) * seconds;
    show(begin, begin + over.width * seconds);
  };

  const onMove = (event: PointerEvent): void => {
    if (dragged !== null) {
      const shift = (dragged.x - event.clientX) * perPixel();
      show(dragged.from + shift, dragged.to + shift);
      return;
    }
    const finger = fingers.get(event.pointerId);
    if (finger === undefined) return;
    finger.x = event.clientX;
    follow();
  };

  const onUp = (event: PointerEvent): void => {
    dragged = null;
    fingers.delete(event.pointerId);
    // Who stays begins anew where it is.
    for (const finger of fingers.values()) finger.time = timeAt(finger.x);
  };

  const onMouseDown = (event: MouseEvent): void => {
    if (event.shiftKey) event.stopPropagation();
  };

  const onDouble = (event: MouseEvent): void => zoom(DOUBLE, timeAt(event.clientX));

  host.addEventListener("wheel", onWheel, { passive: false });
  host.addEventListener("pointerdown", onDown, { capture: true });
  host.addEventListener("mousedown", onMouseDown, { capture: true });
  host.addEventListener("pointermove", onMove);
  host.addEventListener("pointerup", onUp);
  host.addEventListener("pointercancel", onUp);
  host.addEventListener("dblclick", onDouble);
  return () => {
    host.removeEventListener("wheel", onWheel);
    host.removeEventListener("pointerdown", onDown, { capture: true });
    host.removeEventListener("mousedown", onMouseDown, { capture: true });
    host.removeEventListener("pointermove", onMove);
    host.removeEventListener("pointerup", onUp);
    host.removeEventListener("pointercancel", onUp);
    host.removeEventListener("dblclick", onDouble);
  };
}

/** Keys while the chart has the focus: what hands do, without hands on it. */
export function onKey(event: KeyboardEvent, follow: () => void): void {
  const width = span.peek().to - span.peek().from;
  const act: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => pan(-width / 8),
    ArrowRight: () => pan(width / 8),
    "+": () => zoom(1 / DOUBLE),
    "=": () => zoom(1 / DOUBLE),
    "-": () => zoom(DOUBLE),
    End: follow,
  };
  const found = act[event.key];
  if (found === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  found();
}
