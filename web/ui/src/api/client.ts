/**
 * Calls to the service: JSON in and out, problem documents as `ApiError`, the CSRF token on every change.
 * The session itself is an HttpOnly cookie that this script never sees.
 */
import type { FieldError, Problem, Session } from "./types";

const BASE = "/api/v1";
const CSRF_KEY = "headroom_csrf";
/** A request that is not answered by then counts as lost: the page must not hang on a dead service. */
const TIMEOUT_MS = 10_000;

/** An answer of the service that is not a success, or none at all (`status` 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly errors: FieldError[] = [],
  ) {
    super(message);
  }
}

let csrf: string | null = sessionStorage.getItem(CSRF_KEY);
/** Counts the sessions of this tab: what is refused to one tells nothing of the next. */
let era = 0;
let onAuthLost: (code: "setup_required" | "unauthenticated") => void = () => undefined;

/** Called with the code of each 401, so that the page can ask for the set-up code or the password. */
export function onUnauthorised(listener: typeof onAuthLost): void {
  onAuthLost = listener;
}

export function rememberCsrf(token: string | null): void {
  csrf = token;
  era += 1;
  if (token === null) sessionStorage.removeItem(CSRF_KEY);
  else sessionStorage.setItem(CSRF_KEY, token);
}

/** What a change needs besides its body, for those that send files by themselves. */
export function changeHeaders(): Record<string, string> {
  return csrf === null ? { accept: "application/json" } : { accept: "application/json", "x-csrf-token": csrf };
}

async function send(method: string, path: string, body: unknown, timeoutMs: number): Promise<Response> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (method !== "GET" && csrf !== null) headers["x-csrf-token"] = csrf;
  const init: RequestInit = {
    method,
    headers,
    credentials: "same-origin",
    cache: "no-store",
    signal: AbortSignal.timeout(timeoutMs),
  };
  if (body !== undefined) init.body = JSON.stringify(body);
  try {
    return await fetch(BASE + path, init);
  } catch {
    throw new ApiError(0, "unreachable", "");
  }
}

/** The error that a status and a body tell; without a problem document the status alone has to do. */
export function errorOf(status: number, body: string): ApiError {
  let problem: Problem = {};
  try {
    problem = JSON.parse(body) as Problem;
  } catch {
    // It was none.
  }
  return new ApiError(status, problem.code ?? `http_${status}`, problem.detail ?? problem.title ?? "", problem.errors ?? []);
}

const problemOf = async (response: Response): Promise<ApiError> =>
  errorOf(response.status, await response.text().catch(() => ""));

/**
 * One call. Answers the JSON body, or `undefined` when there is none; throws `ApiError` otherwise.
 * `timeoutMs` is for the few that the service itself takes long to answer.
 */
export async function call<T>(method: string, path: string, body?: unknown, timeoutMs = TIMEOUT_MS): Promise<T> {
  const own = era;
  let response = await send(method, path, body, timeoutMs);
  if (response.status === 403 && method !== "GET") {
    const error = await problemOf(response);
    if (error.code !== "csrf") throw error;
    // The token belongs to an older session of this tab: fetch the present one and try once more.
    const session = await call<Session>("GET", "/session");
    rememberCsrf(session.csrf);
    response = await send(method, path, body, timeoutMs);
  }
  if (response.ok) {
    const text = await response.text();
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }
  const error = await problemOf(response);
  if (error.status === 401 && own === era && path !== "/login" && path !== "/setup") {
    onAuthLost(error.code === "setup_required" ? "setup_required" : "unauthenticated");
  }
  throw error;
}

export const get = <T>(path: string): Promise<T> => call<T>("GET", path);
export const put = <T>(path: string, body: unknown): Promise<T> => call<T>("PUT", path, body);
export const patch = <T>(path: string, body: unknown): Promise<T> => call<T>("PATCH", path, body);
export const post = <T>(path: string, body?: unknown): Promise<T> => call<T>("POST", path, body);
