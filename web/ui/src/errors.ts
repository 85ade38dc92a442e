/** Errors of the service in words, and its field errors sorted to the fields of a form. */
import { ApiError } from "./api/client";
import type { FieldError } from "./api/types";
import { sentence } from "./format";
import { type Key, t } from "./i18n";

const KNOWN: Readonly<Record<string, Key>> = {
  unreachable: "error.unreachable",
  forbidden: "error.forbidden",
  csrf: "error.csrf",
  throttled: "error.throttled",
  not_found: "error.not_found",
};

/** One sentence that says what happened and what to do. */
export function explain(error: unknown): string {
  if (!(error instanceof ApiError)) return t("error.other", { code: String(error) });
  const first = error.errors.map(named).join(" ");
  if (first !== "") return first;
  return sentence(error.message !== "" ? error.message : t(KNOWN[error.code] ?? "error.other", { code: error.code }));
}

/** `/main_fuse/rating_a/1` and `main_fuse.rating_a[1]` are the same field. */
const plain = (field: string): string =>
  field.replace(/\[(\w+)\]/g, ".$1").replace(/\//g, ".").replace(/^[.$]+/, "");

/** What is wrong, with the field, where it does not stand beside it; some messages say it themselves. */
const named = ({ field, message }: FieldError): string => (field === "" ? sentence(message) : `${field}: ${message}`);

/** Messages for a field of a form; a whole field takes the messages of its parts too. */
export function messagesFor(errors: readonly FieldError[], field: string): string[] {
  return errors
    .filter((e) => plain(e.field) === field || plain(e.field).startsWith(`${field}.`))
    .map((e) => sentence(e.message));
}

/** Messages that belong to none of the fields shown. */
export function messagesBeside(errors: readonly FieldError[], fields: readonly string[]): string[] {
  return errors.filter((e) => !fields.some((f) => messagesFor([e], f).length > 0)).map(named);
}
