/** Reads something of the service, and asks again while that fails for a reason that may pass. */
import { ApiError } from "../api/client";
import { link } from "./live";

/** Rare enough for a service that is busy or starting, soon enough for somebody who waits for the page. */
const AGAIN_MS = 3_000;

/** Answers of the service that will be the same the next time: no right to it, no such thing. */
const isFinal = (error: unknown): boolean =>
  error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 408 && error.status !== 429;

/** A function that reads now. What failed is read again as long as the link is open; a newer call takes its place. */
export function keepReading(read: () => Promise<unknown>): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const now = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (link.peek() !== "open") return;
    read().catch((error: unknown) => {
      if (timer === undefined && !isFinal(error)) timer = setTimeout(now, AGAIN_MS);
    });
  };
  return now;
}
