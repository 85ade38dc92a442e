/** A backup to keep, a backup to put back, and what people take away as tables. */
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Restored } from "../api/admin";
import { download, fileName, upload } from "../api/files";
import { Said } from "../components/said";
import { useForm } from "../components/use-form";
import { bytes } from "../format";
import { t } from "../i18n";
import { mayConfigure } from "../state/session";

function Backup() {
  const form = useForm([]);
  const make = (): void =>
    void form.send(async () => {
      const size = await download("POST", "/backup", fileName("backup", "tar"));
      return t("backup.done", { size: bytes(size) });
    });
  return (
    <section class="panel" aria-labelledby="backup-heading">
      <h2 id="backup-heading">{t("backup.heading")}</h2>
      <p class="hint">{t("backup.help")}</p>
      <Said form={form} name="backup" />
      <div class="row">
        <button type="button" class="primary" data-act="backup" disabled={form.busy.value} onClick={make}>
          {t(form.busy.value ? "backup.busy" : "backup.make")}
        </button>
      </div>
    </section>
  );
}

/** Chosen, confirmed, sent, verified by the service, in force: each step is told. */
function Restore() {
  const form = useForm([]);
  const file = useSignal<File | null>(null);
  const share = useSignal<number | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const forget = (): void => {
    file.value = null;
    if (input.current !== null) input.current.value = "";
  };
  const restore = (chosen: File): void => {
    share.value = 0;
    void form
      .send(async () => {
        const done = await upload<Restored>("/restore", chosen, (now) => {
          share.value = now;
        });
        forget();
        return `${t("restore.done")} ${done.text}`;
      })
      .finally(() => {
        share.value = null;
      });
  };
  const chosen = file.value;
  const percent = share.value === null ? null : Math.round(share.value * 100);
  return (
    <section class="panel" aria-labelledby="restore-heading">
      <h2 id="restore-heading">{t("restore.heading")}</h2>
      <p class="hint">{t("restore.help")}</p>
      <div class="field">
        <label for="restore-file">{t("restore.file")}</label>
        <input
          id="restore-file"
          type="file"
          accept=".tar,application/x-tar"
          ref={input}
          disabled={form.busy.value}
          onChange={(event) => {
            file.value = event.currentTarget.files?.[0] ?? null;
            form.say("", false);
          }}
        />
      </div>
      {chosen === null || form.busy.value ? null : (
        <div class="confirm">
          <p>
            <strong>{t("restore.ask", { name: chosen.name, size: bytes(chosen.size) })}</strong> {t("restore.ask.text")}
          </p>
          <div class="row">
            <button type="button" class="primary" data-act="restore" onClick={() => restore(chosen)}>
              {t("restore.yes")}
            </button>
            <button type="button" onClick={forget}>
              {t("restore.no")}
            </button>
          </div>
        </div>
      )}
      {percent === null ? null : (
        <div class="progress">
          <label for="restore-progress">{t(percent < 100 ? "restore.sending" : "restore.verifying", { percent })}</label>
          <progress id="restore-progress" max={100} value={percent} />
        </div>
      )}
      <Said form={form} name="restore" />
    </section>
  );
}

function Export() {
  return (
    <section class="panel" aria-labelledby="export-heading">
      <h2 id="export-heading">{t("export.heading")}</h2>
      <ul class="plain knocking">
        <li>
          <span>{t("export.decisions")}</span>
          <span class="row">
            <a href="/api/v1/decisions.csv" download={fileName("decisions", "csv")}>CSV</a>
            <a href="/api/v1/decisions.parquet" download={fileName("decisions", "parquet")}>Parquet</a>
          </span>
        </li>
        <li>
          <span>{t("export.energy")}</span>
          <a href="/api/v1/energy.csv" download={fileName("energy", "csv")}>CSV</a>
        </li>
      </ul>
      <p class="note">
        {t("export.config")} <code>headroom export</code>
      </p>
    </section>
  );
}

export function BackupPart() {
  return (
    <div class="columns">
      {mayConfigure.value ? (
        <div class="column">
          <Backup />
          <Restore />
        </div>
      ) : null}
      <Export />
    </div>
  );
}
