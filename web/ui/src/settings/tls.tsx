/** The encrypted connection to this page, by a certificate that Headroom signs itself. */
import { useSignal } from "@preact/signals";
import type { Tls } from "../api/admin";
import { put } from "../api/client";
import { SelectField, TextField } from "../components/field";
import { ResourceState } from "../components/resource-state";
import { Said, Submit } from "../components/said";
import { useForm } from "../components/use-form";
import { useResource } from "../components/use-resource";
import { moment } from "../format";
import { t } from "../i18n";
import { mayConfigure } from "../state/session";

interface Draft {
  mode: Tls["mode"];
  names: string;
}

export function TlsPart() {
  const tls = useResource<Tls>("/tls");
  const draft = useSignal<Draft | null>(null);
  const form = useForm(["mode", "names"]);
  const present = tls.value.value;
  if (tls.missing) return <p class="empty panel">{t("settings.missing")}</p>;
  if (present === null) return <ResourceState resource={tls} />;
  const shown = draft.value ?? { mode: present.mode, names: present.names.join(", ") };
  const save = (): void =>
    void form.send(async () => {
      const names = shown.names.split(/[\s,]+/).filter((name) => name !== "");
      await put("/tls", { mode: shown.mode, names });
      draft.value = null;
      await tls.read();
      return t(shown.mode === "off" ? "tls.off.done" : "tls.on.done");
    });
  return (
    <section class="panel narrow" aria-labelledby="tls-heading">
      <h2 id="tls-heading">{t("settings.tls")}</h2>
      <p class="hint">{t("tls.help")}</p>
      {present.mode === "off" ? null : (
        <dl class="facts">
          <div>
            <dt>{t("tls.fingerprint")}</dt>
            <dd>
              <code class="secret">{present.ca_fingerprint ?? "–"}</code>
            </dd>
          </div>
          <div>
            <dt>{t("tls.until")}</dt>
            <dd>{present.not_after === null ? "–" : moment(present.not_after)}</dd>
          </div>
          <div>
            <dt>{t("tls.ca")}</dt>
            <dd>
              <a href="/ca.crt" download="headroom-ca.crt">ca.crt</a>
            </dd>
          </div>
        </dl>
      )}
      <form
        data-form="tls"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        <SelectField
          id="tls-mode"
          label={t("tls.mode")}
          disabled={!mayConfigure.value}
          errors={form.of("mode")}
          value={shown.mode}
          options={[["off", t("tls.mode.off")], ["self_signed", t("tls.mode.self_signed")]]}
          onChange={(mode) => { draft.value = { ...shown, mode }; }}
        />
        <TextField
          id="tls-names"
          label={t("tls.names")}
          hint={t("tls.names.help")}
          placeholder={location.hostname}
          disabled={!mayConfigure.value}
          errors={form.of("names")}
          value={shown.names}
          onInput={(names) => { draft.value = { ...shown, names }; }}
        />
        <Said form={form} name="tls" />
        {mayConfigure.value ? (
          <div class="row">
            <Submit form={form} text={t("site.save")} />
          </div>
        ) : null}
      </form>
    </section>
  );
}
