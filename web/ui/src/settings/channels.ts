/** The ways of a notification while they are edited: everything as text, and how it goes to the service. */
import type { Channel, Email, Notifications } from "../api/admin";
import { parse } from "../format";

export const CHANNELS = ["webhook", "ntfy", "email"] as const;
export type ChannelName = (typeof CHANNELS)[number];

export interface ChannelDraft {
  on: boolean;
  isSecretSet: boolean;
  /** Fields by their names in the API. */
  fields: Readonly<Record<string, string>>;
}

export type NotificationsDraft = Readonly<Record<ChannelName, ChannelDraft>> & { readonly language: string };

function hook(from: Channel | null): ChannelDraft {
  return { on: from !== null, isSecretSet: from?.token_set === true, fields: { url: from?.url ?? "", token: "" } };
}

function mail(from: Email | null): ChannelDraft {
  return {
    on: from !== null,
    isSecretSet: from?.password_set === true,
    fields: {
      host: from?.host ?? "",
      port: String(from?.port ?? 587),
      tls: from?.tls ?? "starttls",
      user: from?.user ?? "",
      password: "",
      from: from?.from ?? "",
      to: from?.to.join(", ") ?? "",
    },
  };
}

export const draftOf = (from: Notifications): NotificationsDraft => ({
  language: from.language,
  webhook: hook(from.webhook),
  ntfy: hook(from.ntfy),
  email: mail(from.email),
});

/** A secret that is left empty stays as it is stored. */
function hookBody({ on, fields }: ChannelDraft): Record<string, unknown> | null {
  if (!on) return null;
  const token = fields["token"] ?? "";
  return { url: (fields["url"] ?? "").trim(), ...(token === "" ? {} : { token }) };
}

function mailBody({ on, fields }: ChannelDraft): Record<string, unknown> | null {
  if (!on) return null;
  const text = (name: string): string => (fields[name] ?? "").trim();
  const password = fields["password"] ?? "";
  return {
    host: text("host"),
    port: parse(text("port")) ?? text("port"),
    tls: text("tls"),
    user: text("user") === "" ? null : text("user"),
    from: text("from"),
    to: text("to").split(/[\s,;]+/).filter((address) => address !== ""),
    ...(password === "" ? {} : { password }),
  };
}

export const bodyOf = (draft: NotificationsDraft): Record<string, unknown> => ({
  language: draft.language,
  webhook: hookBody(draft.webhook),
  ntfy: hookBody(draft.ntfy),
  email: mailBody(draft.email),
});
