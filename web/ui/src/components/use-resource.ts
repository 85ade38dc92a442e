/** Something that a part of the page reads when it appears: its value, why there is none, and how to ask again. */
import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ApiError, get } from "../api/client";
import { link } from "../state/live";

export interface Resource<T> {
  value: Signal<T | null>;
  error: Signal<unknown>;
  /** The service does not know this call: an older one, or a house that has nothing of the kind. */
  missing: boolean;
  read: () => Promise<void>;
}

const isMissing = (error: unknown): boolean => error instanceof ApiError && error.status === 404;

/** `everyMs`: asks again so often while the page is seen. */
export function useResource<T>(path: string, everyMs = 0): Resource<T> {
  const value = useSignal<T | null>(null);
  const error = useSignal<unknown>(null);
  // An answer that was overtaken tells of a time before what was done since: it is dropped.
  const asked = useRef(0);
  const read = async (): Promise<void> => {
    const own = (asked.current += 1);
    try {
      const found = await get<T>(path);
      if (own !== asked.current) return;
      value.value = found;
      error.value = null;
    } catch (failure) {
      if (own === asked.current) error.value = failure;
    }
  };
  const isOpen = link.value === "open";
  useEffect(() => {
    if (!isOpen) return;
    void read();
    if (everyMs === 0) return;
    const timer = setInterval(() => {
      if (!document.hidden && !isMissing(error.value)) void read();
    }, everyMs);
    return () => clearInterval(timer);
  }, [isOpen, path]);
  return { value, error, missing: isMissing(error.value), read };
}
