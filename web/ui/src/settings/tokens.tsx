/** Tokens for programs. The secret is told once, when it is made. */
import { useSignal } from "@preact/signals";
import type { Token } from "../api/admin";
import { call, post } from "../api/client";
import type { Page, Role } from "../api/types";
import { SelectField, TextField } from "../components/field";
import { ResourceState } from "../components/resource-state";
import { Said, Submit } from "../components/said";
import { useForm } from "../components/use-form";
import { useResource } from "../components/use-resource";
import { t, word } from "../i18n";
import { RemoveButton } from "./remove-button";
import { ROLES } from "./users";

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
  const tokens = useResource<Page<Token>>("/tokens?limit=500");
  // What is wrong with a removal is no fault of the fields below.
  const removal = useForm([]);
  const form = useForm(["name", "role"]);
  const name = useSignal("");
  const role = useSignal<Role>("viewer");
  const made = useSignal<Token | null>(null);
  const add = (): void =>
    void form.send(async () => {
      made.value = await post<Token>("/tokens", { name: name.value.trim(), role: role.value });
      name.value = "";
      await tokens.read();
      return t("tokens.added");
    });
  const remove = (token: Token): void =>
    void removal.send(async () => {
      await call("DELETE", `/tokens/${encodeURIComponent(token.name)}`);
      if (made.value?.name === token.name) made.value = null;
      await tokens.read();
      return t("tokens.removed", { name: token.name });
    });
  return (
    <section class="panel" aria-labelledby="tokens-heading">
      <h2 id="tokens-heading">{t("tokens.heading")}</h2>
      <p class="hint">{t("tokens.help")}</p>
      {tokens.value.value === null ? (
        <ResourceState resource={tokens} />
      ) : tokens.value.value.items.length === 0 ? (
        <p class="empty">{t("tokens.none")}</p>
      ) : (
        <ul class="plain knocking">
          {tokens.value.value.items.map((token) => (
            <li key={token.name} data-token={token.name}>
              <span>
                <strong>{token.name}</strong> <span class="note">{word("role", token.role)}</span>
              </span>
              <RemoveButton name={token.name} disabled={removal.busy.value} onRemove={() => remove(token)} />
            </li>
          ))}
        </ul>
      )}
      {made.value === null ? null : <Secret token={made.value} onSeen={() => { made.value = null; }} />}
      <Said form={removal} name="token-removal" />
      <form
        data-form="token"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          add();
        }}
      >
        <TextField id="token-name" label={t("add.name")} errors={form.of("name")} value={name.value} onInput={(v) => { name.value = v; }} />
        <SelectField
          id="token-role"
          label={t("users.role")}
          hint={t(`role.${role.value}.long`)}
          errors={form.of("role")}
          value={role.value}
          options={ROLES.map((one) => [one, word("role", one)] as const)}
          onChange={(v) => { role.value = v; }}
        />
        <Said form={form} name="token" />
        <div class="row">
          <Submit form={form} text={t("tokens.add")} />
        </div>
      </form>
    </section>
  );
}
