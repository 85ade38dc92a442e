/** Who is logged in, and whether the page has to ask for a set-up code or a password. */
import { computed, signal } from "@preact/signals";
import { ApiError, call, get, onUnauthorised, post, rememberCsrf } from "../api/client";
import type { Session } from "../api/types";

/** A password is slow to check on purpose, and slower on a small computer that is busy. */
const PASSWORD_TIMEOUT_MS = 40_000;

/** `expired`: somebody was logged in, and what is written on the page is kept for the same person. */
export type Access = "checking" | "granted" | "setup" | "login" | "expired";

export const access = signal<Access>("checking");
export const session = signal<Session | null>(null);

/** Changes when another person takes over the page: nothing of the one before is left on it. */
export const turn = signal(0);

/** Whether the page asks who is there, instead of showing anything. */
export const asks = computed(() => access.value === "setup" || access.value === "login" || access.value === "expired");
/** Whether what was read of the house may still be shown to who comes next. */
export const isForgotten = computed(() => access.value === "setup" || access.value === "login");

/** `null` role: the service did not say, so the page offers everything and the service decides. */
export const mayCommand = computed(() => session.value === null || session.value.role !== "viewer");
/** Nobody logged in: the house is open to look at. It has no name, and in the demo nobody needs one. */
export const isPublic = computed(() => session.value !== null && session.value.demo !== true && (session.value.name ?? "") === "");
export const mayConfigure = computed(() => session.value === null || session.value.role === "installer");

onUnauthorised((code) => {
  const wasIn = access.value === "granted" || access.value === "expired";
  access.value = code === "setup_required" ? "setup" : wasIn ? "expired" : "login";
});

function granted(next: Session): void {
  rememberCsrf(next.csrf);
  session.value = { ...session.value, ...next };
  access.value = "granted";
}

/** Restores the session after a reload. Throws only when the service cannot be reached. */
export async function restoreSession(): Promise<void> {
  try {
    granted(await get<Session>("/session"));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) return;
    if (error.status === 404) {
      access.value = "granted";
      return;
    }
    throw error;
  }
}

export async function setUp(code: string, name: string, password: string): Promise<void> {
  granted({ ...(await call<Session>("POST", "/setup", { code, name, password }, PASSWORD_TIMEOUT_MS)), name });
}

export async function logIn(name: string, password: string): Promise<void> {
  const next = await call<Session>("POST", "/login", { name, password }, PASSWORD_TIMEOUT_MS);
  if (name !== session.value?.name) turn.value += 1;
  granted({ ...next, name });
}

/** Who looks without a login asks to be let in. */
export function askForLogin(): void {
  access.value = "login";
}

export async function logOut(): Promise<void> {
  await post("/logout");
  rememberCsrf(null);
  session.value = null;
  access.value = "login";
}
