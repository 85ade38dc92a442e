/** Tokens for programs. The secret is told once, when it is made. */
import { useSignal } from "@preact/signals";
import type { Token } from "../api/admin";
import { post } from "../api/client";
import { TextField } from "../components/field";
import { t } from "../i18n";
import { Roster } from "./roster";

function Secret({ token, onSeen }: { token: Token; onSeen: () => void }) {
  const copied = useSignal("");
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(token.secret ?? "");
      copied.value = t("tokens.copied");
    } catch {
      // Without a secure connection browsers copy nothing for a page.
      copied.value = t("tokens.copy.failed");
    }
  };
  return (
    <div class="confirm" data-secret="" role="status">
      <p>
        <strong>{t("tokens.secret", { name: token.name })}</strong> {t("tokens.secret.once")}
      </p>
      <p>
        <code class="secret">{token.secret}</code>
      </p>
      <div class="row">
        <button type="button" onClick={() => void copy()}>
          {t("tokens.copy")}
        </button>
        <button type="button" onClick={onSeen}>
          {t("tokens.seen")}
        </button>
      </div>
      <p class="note">{copied.value}</p>
    </div>
  );
}

export function Tokens() {
  const name = useSignal("");
  const made = useSignal<Token | null>(null);
  const forget = (): void => {
    made.value = null;
  };
  return (
    <Roster
      kind="tokens"
      firstRole="viewer"
      fields={["name"]}
      help={t("tokens.help")}
      add={async (role) => {
        made.value = await post<Token>("/tokens", { name: name.value.trim(), role });
        name.value = "";
        return t("tokens.added");
      }}
      onRemoved={(removed) => {
        if (made.value?.name === removed) forget();
      }}
      beside={made.value === null ? null : <Secret token={made.value} onSeen={forget} />}
    >
      {(form) => <TextField id="token-name" label={t("add.name")} errors={form.of("name")} value={name.value} onInput={(v) => { name.value = v; }} />}
    </Roster>
  );
}
