/** A half-filled form that outlives a reload: kept in this tab until it is saved. Secrets do not belong in here. */
import { effect, type Signal, useSignal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";

const PREFIX = "headroom_setup_";

function stored<T extends object>(name: string): Partial<T> {
  try {
    const value: unknown = JSON.parse(sessionStorage.getItem(PREFIX + name) ?? "{}");
    return typeof value === "object" && value !== null ? (value as Partial<T>) : {};
  } catch {
    return {};
  }
}

/** What was typed so far; what was not touched is left out, so that it follows what is stored in the service. */
export function useDraft<T extends object>(name: string): Signal<Partial<T>> {
  const draft = useSignal<Partial<T>>(stored<T>(name));
  // With the input itself, not with the next picture: a reload may come in between.
  useLayoutEffect(
    () =>
      effect(() => {
        if (Object.keys(draft.value).length === 0) sessionStorage.removeItem(PREFIX + name);
        else sessionStorage.setItem(PREFIX + name, JSON.stringify(draft.value));
      }),
    [],
  );
  return draft;
}
