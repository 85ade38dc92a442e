/** Shapes of what only people who look after the house see: accounts, versions, backups, diagnostics, the demo. */
import type { Schemas } from "./types";

export type User = Schemas["User"];
/** Its secret is there once, in the answer that made it. */
export type Token = Pick<Schemas["Token"], "id" | "name" | "role"> & { secret?: string };
export type Difference = Schemas["FieldChange"];
/** `diff` is `null` where the version before is not kept any more; `passwords` are told once. */
export type Version = Schemas["ConfigVersion"];
export type Restored = Schemas["Restored"];
export type Channel = Schemas["HttpChannelView"];
export type Email = Schemas["EmailChannelView"];
export type Notifications = Schemas["NotificationsView"];
export type Tls = Schemas["TlsView"];
export type DemoHouse = Schemas["DemoState"];

export type Capability = "unknown" | "not_there" | "claimed" | "proven";

export interface DeviceHealth {
  id: string;
  driver: { kind: string; profile?: string } | null;
  connected: boolean | null;
  status?: string;
  following?: boolean | null;
  capabilities?: Record<string, Capability> | null;
}

/** A message of a charge point or to it, without secrets. */
export type OcppMessage = Schemas["OcppTraced"];
/** What came from the meter, without its number. */
export type Telegram = Schemas["MeterTraced"];

export interface Diagnostics {
  time: string;
  version: string;
  uptime_s: number;
  system: { architecture: string; os: string; memory_used_bytes: number | null; memory_most_bytes: number | null; memory_free_bytes: number | null };
  loop: { alive: boolean; ready: boolean };
  databases: { file: string; bytes: number | null; log_bytes: number | null; schema: number | null }[];
  journal: { problem: string | null; set_aside: boolean; dropped: number; gaps: number; run: number };
  chargers: DeviceHealth[];
  relays: DeviceHealth[];
  unmatched_charge_points: number;
  /** Secrets that go through the network unencrypted, a sentence for each; an older service says nothing of it. */
  in_clear?: string[];
  ocpp_trace?: OcppMessage[];
  meter_trace?: Telegram[];
}
