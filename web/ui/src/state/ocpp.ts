/** Where charge points connect to. The installer is told by the service; who may not ask it sees the usual port. */
import { computed, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "../api/client";
import { t } from "../i18n";
import { keepReading } from "./keep-reading";
import { link, status } from "./live";
import { mayConfigure } from "./session";

/** Where Headroom listens unless it was started otherwise. */
const USUAL_PORT = 8887;

/** Address and port as the service has opened them, for example `0.0.0.0:8887`; `null` while it has not said. */
const listen = signal<string | null>(null);

const bracketed = (name: string): string => (name.includes(":") && !name.startsWith("[") ? `[${name}]` : name);
const isLoopback = (host: string): boolean => host === "localhost" || host === "[::1]" || /^127\./.test(host);

/** Host and port of an address; `null` where it is none. */
function split(address: string): { host: string; port: number } | null {
  const at = address.lastIndexOf(":");
  const port = Number(address.slice(at + 1));
  return at < 0 || !Number.isInteger(port) || port <= 0 ? null : { host: address.slice(0, at), port };
}

const opened = computed(() => (listen.value === null ? null : split(listen.value)));

/** What to enter in a charger. */
export const ocppUrl = computed(() => {
  const { host, port } = opened.value ?? { host: "0.0.0.0", port: USUAL_PORT };
  const isEverywhere = host === "0.0.0.0" || host === "[::]";
  return `ws://${isEverywhere ? bracketed(location.hostname) : host}:${port}/`;
});

/** What there is to say about that address, or nothing. */
export const ocppNote = computed(() => {
  if (opened.value === null) return t("add.charger.port", { port: USUAL_PORT });
  return isLoopback(opened.value.host) && status.value?.demo !== true ? t("add.charger.closed") : "";
});

const read = keepReading(async () => {
  listen.value = (await get<{ ocpp_listen?: string | null }>("/diagnostics")).ocpp_listen ?? null;
});

/** Asks for the address where it is shown. */
export function useOcppAddress(): void {
  const isOpen = link.value === "open" && mayConfigure.value;
  useEffect(() => {
    if (isOpen) read();
  }, [isOpen]);
}
