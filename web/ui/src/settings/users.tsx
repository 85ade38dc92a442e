/** People who log in with a password. */
import { useSignal } from "@preact/signals";
import type { User } from "../api/admin";
import { call, post } from "../api/client";
import type { Page, Role } from "../api/types";
import { SelectField, TextField } from "../components/field";
import { ResourceState } from "../components/resource-state";
import { Said, Submit } from "../components/said";
import { useForm } from "../components/use-form";
import { useResource } from "../components/use-resource";
import { t, word } from "../i18n";
import { RemoveButton } from "./remove-button";

export const ROLES: readonly Role[] = ["viewer", "user", "installer"];

export function Users() {
  const users = useResource<Page<User>>("/users?limit=500");
  // What is wrong with a removal is no fault of the fields below.
  const removal = useForm([]);
  const form = useForm(["name", "password", "role"]);
  const name = useSignal("");
  const password = useSignal("");
  const role = useSignal<Role>("user");
  const add = (): void =>
    void form.send(async () => {
      await post("/users", { name: name.value.trim(), password: password.value, role: role.value });
      const done = t("users.added", { name: name.value.trim() });
      name.value = "";
      password.value = "";
      await users.read();
      return done;
    });
  const remove = (user: User): void =>
    void removal.send(async () => {
      await call("DELETE", `/users/${encodeURIComponent(user.name)}`);
      await users.read();
      return t("users.removed", { name: user.name });
    });
  return (
    <section class="panel" aria-labelledby="users-heading">
      <h2 id="users-heading">{t("users.heading")}</h2>
      {users.value.value === null ? (
        <ResourceState resource={users} />
      ) : users.value.value.items.length === 0 ? (
        <p class="empty">{t("users.none")}</p>
      ) : (
        <ul class="plain knocking">
          {users.value.value.items.map((user) => (
            <li key={user.name} data-user={user.name}>
              <span>
                <strong>{user.name}</strong> <span class="note">{word("role", user.role)}</span>
              </span>
              <RemoveButton name={user.name} disabled={removal.busy.value} onRemove={() => remove(user)} />
            </li>
          ))}
        </ul>
      )}
      <Said form={removal} name="user-removal" />
      <form
        data-form="user"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          add();
        }}
      >
        <TextField id="user-name" label={t("access.login.name")} errors={form.of("name")} value={name.value} onInput={(v) => { name.value = v; }} />
        <TextField
          id="user-password"
          type="password"
          label={t("access.login.password")}
          hint={t("access.setup.password.help")}
          autocomplete="new-password"
          errors={form.of("password")}
          value={password.value}
          onInput={(v) => { password.value = v; }}
        />
        <SelectField
          id="user-role"
          label={t("users.role")}
          hint={t(`role.${role.value}.long`)}
          errors={form.of("role")}
          value={role.value}
          options={ROLES.map((one) => [one, word("role", one)] as const)}
          onChange={(v) => { role.value = v; }}
        />
        <Said form={form} name="user" />
        <div class="row">
          <Submit form={form} text={t("users.add")} />
        </div>
      </form>
    </section>
  );
}
