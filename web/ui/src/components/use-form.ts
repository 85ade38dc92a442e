/** What every form that speaks to the service needs: one sending at a time, errors at their fields, an answer in words. */
import { type Signal, useSignal } from "@preact/signals";
import { ApiError } from "../api/client";
import type { FieldError } from "../api/types";
import { explain, messagesBeside, messagesFor } from "../errors";
import { parse } from "../format";
import { t } from "../i18n";

export interface Form {
  busy: Signal<boolean>;
  bad: Signal<boolean>;
  message: Signal<string>;
  /** Messages of one field of the last try. */
  of: (field: string) => string[];
  /** Takes the mark from a field that was filled in anew. */
  forgive: (field: string) => void;
  say: (text: string, isBad: boolean) => void;
  /** Marks fields before anything is sent. */
  mark: (errors: readonly FieldError[]) => void;
  /** Sends; the work answers with the words for success. */
  send: (work: () => Promise<string>) => Promise<void>;
}

/** `fields` are those shown: an error of any other is told below the form. */
export function useForm(fields: readonly string[]): Form {
  const errors = useSignal<readonly FieldError[]>([]);
  const busy = useSignal(false);
  const bad = useSignal(false);
  const message = useSignal("");
  const say = (text: string, isBad: boolean): void => {
    message.value = text;
    bad.value = isBad;
  };
  const mark = (wrong: readonly FieldError[]): void => {
    errors.value = wrong;
    say(wrong.length === 0 ? "" : t("site.invalid"), wrong.length > 0);
  };
  const send = async (work: () => Promise<string>): Promise<void> => {
    busy.value = true;
    errors.value = [];
    say("", false);
    try {
      say(await work(), false);
    } catch (error) {
      if (error instanceof ApiError && error.status === 422) {
        errors.value = error.errors;
        const beside = messagesBeside(error.errors, fields);
        say([t("site.invalid"), ...(error.errors.length === 0 ? [explain(error)] : beside)].join(" "), true);
      } else {
        say(t("site.failed", { error: explain(error) }), true);
      }
    } finally {
      busy.value = false;
    }
  };
  const forgive = (field: string): void => {
    if (messagesFor(errors.value, field).length === 0) return;
    errors.value = errors.value.filter((error) => messagesFor([error], field).length === 0);
    // Nothing is marked any more: there is nothing left to correct.
    if (errors.value.length === 0) say("", false);
  };
  return { busy, bad, message, forgive, of: (field) => messagesFor(errors.value, field), say, mark, send };
}

/** Reads numbers of a form and gathers what is none. */
export function numbers(texts: Readonly<Record<string, string>>): { values: Record<string, number>; wrong: FieldError[] } {
  const values: Record<string, number> = {};
  const wrong: FieldError[] = [];
  for (const [field, text] of Object.entries(texts)) {
    const value = parse(text);
    if (value === null) wrong.push({ field, code: "number", message: t("add.number") });
    else values[field] = value;
  }
  return { values, wrong };
}
