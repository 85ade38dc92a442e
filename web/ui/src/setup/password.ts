/**
 * The password that the next charge point is to be given. It is shown before the charge point connects, so that address and
 * password are entered in it at one go. It stays in this tab until a charger was made with it.
 */
import { signal } from "@preact/signals";

const KEY = "headroom_setup_charger_password";
/** Without those that look alike. A power of two, so that each is as likely as the others. */
const SIGNS = "abcdefghijkmnpqrstuvwxyz23456789";
/** As many as OCPP's security white paper asks for; five bits each. */
const LENGTH = 16;

function make(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(LENGTH));
  return [...bytes].map((byte) => SIGNS[byte % SIGNS.length] ?? "").join("");
}

function keep(password: string): string {
  sessionStorage.setItem(KEY, password);
  return password;
}

export const nextPassword = signal(sessionStorage.getItem(KEY) ?? keep(make()));

/** The next charge point gets another one. */
export function useUp(): void {
  nextPassword.value = keep(make());
}
