/** The configurations of the past: who changed what and when, and the way back. */
import { useSignal } from "@preact/signals";
import type { Difference, Version } from "../api/admin";
import { get, post } from "../api/client";
import type { Page } from "../api/types";
import { ResourceState } from "../components/resource-state";
import { Said } from "../components/said";
import { type Form, useForm } from "../components/use-form";
import { useResource } from "../components/use-resource";
import { explain } from "../errors";
import { moment, sentence } from "../format";
import { type Key, plural, t } from "../i18n";
import { readLoads } from "../state/chargers";
import { mayConfigure } from "../state/session";
import { readSite } from "../state/site";

const PAGE = 20;
const CHANGES: Readonly<Record<string, Key>> = {
  site: "site.heading",
  meter: "meter.heading",
  priorities: "priorities.heading",
  notifications: "settings.notifications",
  "new charger": "add.charger.save",
  "new slow load": "add.relay.save",
};

function valueText(value: unknown): string {
  if (value === null || value === undefined) return "–";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function Diff({ diff }: { diff: readonly Difference[] | null }) {
  if (diff === null) return <p class="note">{t("versions.diff.gone")}</p>;
  if (diff.length === 0) return <p class="note">{t("versions.diff.none")}</p>;
  return (
    <details class="help">
      <summary>{plural(diff.length, "versions.diff.one", "versions.diff.many")}</summary>
      <dl class="diff">
        {diff.map(({ field, before, after }) => (
          <div key={field}>
            <dt>
              <code>{field}</code>
            </dt>
            <dd>
              <span class="before">{valueText(before)}</span> <span aria-hidden="true">→</span>{" "}
              <span class="visually-hidden">{t("versions.to")}</span> <span class="after">{valueText(after)}</span>
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

/** What was changed, in the language of the page where the service says it in words that it always uses. */
function changeText(change: string): string {
  const [, back] = /^version (\d+) restored$/.exec(change) ?? [];
  if (back !== undefined) return t("versions.back", { n: back });
  const [, kind, id, isGone] = /^(charger|slow load) (\S+)( deleted)?$/.exec(change) ?? [];
  if (kind !== undefined && id !== undefined) {
    return isGone === undefined ? `${t(kind === "charger" ? "load.kind.charger" : "load.kind.slow_load")} ${id}` : t("remove.done", { name: id });
  }
  const key = CHANGES[change];
  return key === undefined ? sentence(change) : t(key);
}

interface EntryProps {
  version: Version;
  isNewest: boolean;
  form: Form;
  onBack: () => void;
}

function Entry({ version, isNewest, form, onBack }: EntryProps) {
  const isAsked = useSignal(false);
  return (
    <li class="version" data-version={version.n}>
      <p>
        <strong>{changeText(version.change)}</strong>
      </p>
      <p class="note">
        <time dateTime={version.at}>{moment(version.at)}</time> · {version.author} · {t("versions.number", { n: version.n })}
        {isNewest ? ` · ${t("versions.now")}` : ""}
      </p>
      <Diff diff={version.diff} />
      {isNewest || !mayConfigure.value ? null : isAsked.value ? (
        <div class="confirm">
          <p>{t("versions.ask", { n: version.n })}</p>
          <div class="row">
            <button type="button" class="small primary" data-act="back" disabled={form.busy.value} onClick={() => { isAsked.value = false; onBack(); }}>
              {t("versions.yes", { n: version.n })}
            </button>
            <button type="button" class="small" onClick={() => { isAsked.value = false; }}>
              {t("versions.no")}
            </button>
          </div>
        </div>
      ) : (
        <button type="button" class="small" data-act="ask-back" onClick={() => { isAsked.value = true; }}>
          {t("versions.back", { n: version.n })}
        </button>
      )}
    </li>
  );
}

export function VersionsPart() {
  const newest = useResource<Page<Version>>(`/config/versions?limit=${PAGE}`);
  const older = useSignal<readonly Version[]>([]);
  const next = useSignal<string | null | undefined>(undefined);
  const form = useForm([]);
  const page = newest.value.value;
  const cursor = next.value === undefined ? (page?.next ?? null) : next.value;
  const more = async (): Promise<void> => {
    if (cursor === null) return;
    try {
      const found = await get<Page<Version>>(`/config/versions?limit=${PAGE}&cursor=${encodeURIComponent(cursor)}`);
      older.value = [...older.value, ...found.items];
      next.value = found.next;
    } catch (error) {
      form.say(t("settings.unread", { error: explain(error) }), true);
    }
  };
  const back = (n: number): void =>
    void form.send(async () => {
      const made = await post<Version>(`/config/versions/${n}/restore`);
      older.value = [];
      next.value = undefined;
      await Promise.all([newest.read(), readSite(), readLoads()]);
      const passwords = Object.entries(made.passwords ?? {}).map(([id, password]) => t("versions.password", { id, password }));
      return [t("versions.done", { n, made: made.n }), ...passwords].join(" ");
    });
  return (
    <section class="panel" aria-labelledby="versions-heading">
      <h2 id="versions-heading">{t("settings.versions")}</h2>
      <p class="hint">{t("versions.help")}</p>
      <Said form={form} name="versions" />
      {page === null ? (
        <ResourceState resource={newest} />
      ) : (
        <ol class="plain versions">
          {[...page.items, ...older.value].map((version, i) => (
            <Entry key={version.n} version={version} isNewest={i === 0} form={form} onBack={() => back(version.n)} />
          ))}
        </ol>
      )}
      {cursor === null ? null : (
        <button type="button" onClick={() => void more()}>
          {t("versions.more")}
        </button>
      )}
    </section>
  );
}
