/** People who log in with a password. */
import { useSignal } from "@preact/signals";
import { post } from "../api/client";
import { TextField } from "../components/field";
import { t } from "../i18n";
import { Roster } from "./roster";

export function Users() {
  const name = useSignal("");
  const password = useSignal("");
  return (
    <Roster
      kind="users"
      firstRole="user"
      fields={["name", "password"]}
      add={async (role) => {
        const added = name.value.trim();
        await post("/users", { name: added, password: password.value, role });
        name.value = "";
        password.value = "";
        return t("users.added", { name: added });
      }}
    >
      {(form) => (
        <>
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
        </>
      )}
    </Roster>
  );
}
