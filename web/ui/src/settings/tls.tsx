/** The encrypted connection to this page, by a certificate that Headroom signs itself. */
import { FormBox } from "../components/form-box";
import { useSignal } from "@preact/signals";
import type { Tls } from "../api/admin";
import { put } from "../api/client";
import { SelectField, TextField } from "../components/field";
import { ResourceState } from "../components/resource-state";
import { useForm } from "../components/use-form";
import { useResource } from "../components/use-resource";
import { moment } from "../format";
import { t } from "../i18n";
import { mayConfigure } from "../state/session";

interface Draft {
  mode: Tls["mode"];
  names: string;
}

const isEncrypted = (mode: Tls["mode"]): boolean => mode !== "off";

/** Names under which the page is opened; a certificate without any gets the one under which it is open now. */
function namesOf({ mode, names: text }: Draft): string[] {
  const names = text.split(/[\s,]+/).filter((name) => name !== "");
  return names.length === 0 && isEncrypted(mode) ? [location.hostname.replace(/^\[|\]$/g, "")] : names;
}

/** Where the page is afterwards: the port stays, the scheme changes. */
const addressOf = (mode: Tls["mode"]): string => `${isEncrypted(mode) ? "https" : "http"}://${location.host}/`;

export function TlsPart() {
  const tls = useResource<Tls>("/tls");
  const draft = useSignal<Draft | null>(null);
  const isAsked = useSignal(false);
  const moved = useSignal<string | null>(null);
  const form = useForm(["mode", "names"]);
  const present = tls.value.value;
  if (tls.missing) return <p class="empty panel">{t("settings.missing")}</p>;
  if (present === null) return <ResourceState resource={tls} />;
  const shown = draft.value ?? { mode: present.mode, names: present.names.join(", ") };
  const address = addressOf(shown.mode);
  const moves = isEncrypted(shown.mode) !== isEncrypted(present.mode);
  const edit = (part: Partial<Draft>): void => {
    draft.value = { ...shown, ...part };
    isAsked.value = false;
  };
  const save = (): void => {
    isAsked.value = false;
    void form.send(async () => {
      await put("/tls", { mode: shown.mode, names: namesOf(shown) });
      if (moves) moved.value = address;
      else await tls.read();
      draft.value = null;
      return moves ? "" : t("notify.saved");
    });
  };
  if (moved.value !== null) {
    return (
      <section class="panel narrow" aria-labelledby="tls-heading">
        <h2 id="tls-heading">{t("settings.tls")}</h2>
        <p class="said is-good" role="status" data-said="tls">
          {t("tls.moved")} <a href={`${moved.value}#/settings/tls`}>{moved.value}</a>
        </p>
      </section>
    );
  }
  const ask = isAsked.value ? (
    <div class="confirm" role="group" aria-label={t("tls.yes", { url: address })}>
      <p>{t(isEncrypted(shown.mode) ? "tls.ask" : "tls.ask.off", { url: address })}</p>
      <div class="row">
        <button type="button" class="primary" data-act="tls" onClick={save}>
          {t("tls.yes", { url: address })}
        </button>
        <button type="button" onClick={() => { isAsked.value = false; }}>
          {t("tls.no")}
        </button>
      </div>
    </div>
  ) : null;
  const submit = (): void => {
    if (moves) isAsked.value = true;
    else save();
  };
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
      <FormBox form={form} name="tls" submit={t("site.save")} locked={!mayConfigure.value} ask={ask} onSubmit={submit}>
        <SelectField
          id="tls-mode"
          label={t("tls.mode")}
          disabled={!mayConfigure.value}
          errors={form.of("mode")}
          value={shown.mode}
          options={[["off", t("tls.mode.off")], ["self_signed", t("tls.mode.self_signed")]]}
          onChange={(mode) => edit({ mode })}
        />
        <TextField
          id="tls-names"
          label={t("tls.names")}
          hint={t("tls.names.help")}
          placeholder={location.hostname}
          disabled={!mayConfigure.value}
          errors={form.of("names")}
          value={shown.names}
          onInput={(names) => edit({ names })}
        />
      </FormBox>
    </section>
  );
}
