/** Those who have access, by their names and roles: the list, its removals, and a form for one more. */
import { type Signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { call } from "../api/client";
import type { Page, Role } from "../api/types";
import { SelectField } from "../components/field";
import { FormBox } from "../components/form-box";
import { ResourceState } from "../components/resource-state";
import { Said } from "../components/said";
import { type Form, useForm } from "../components/use-form";
import { useResource } from "../components/use-resource";
import { t, word } from "../i18n";
import { RemoveButton } from "./remove-button";

const ROLES: readonly Role[] = ["viewer", "user", "installer"];

const TEXTS = {
  users: { heading: "users.heading", none: "users.none", add: "users.add", removed: "users.removed" },
  tokens: { heading: "tokens.heading", none: "tokens.none", add: "tokens.add", removed: "tokens.removed" },
} as const;

interface Named {
  name: string;
  role: Role;
}

interface Props {
  /** `users` or `tokens`: its path in the API. */
  kind: "users" | "tokens";
  firstRole: Role;
  fields: readonly string[];
  help?: string;
  /** Adds one; answers the words for success. */
  add: (role: Role) => Promise<string>;
  onRemoved?: (name: string) => void;
  /** The fields above the role. */
  children: (form: Form) => ComponentChildren;
  /** Between the list and the form. */
  beside?: ComponentChildren;
}

function RoleField({ id, role, form }: { id: string; role: Signal<Role>; form: Form }) {
  return (
    <SelectField
      id={id}
      label={t("users.role")}
      hint={t(`role.${role.value}.long`)}
      errors={form.of("role")}
      value={role.value}
      options={ROLES.map((one) => [one, word("role", one)] as const)}
      onChange={(v) => { role.value = v; }}
    />
  );
}

export function Roster({ kind, firstRole, fields, help, add, onRemoved, children, beside }: Props) {
  const all = useResource<Page<Named>>(`/${kind}?limit=500`);
  // What is wrong with a removal is no fault of the fields below.
  const removal = useForm([]);
  const form = useForm([...fields, "role"]);
  const role = useSignal<Role>(firstRole);
  const one = kind.slice(0, -1);
  const remove = (name: string): void =>
    void removal.send(async () => {
      await call("DELETE", `/${kind}/${encodeURIComponent(name)}`);
      onRemoved?.(name);
      await all.read();
      return t(TEXTS[kind].removed, { name });
    });
  const submit = (): void =>
    void form.send(async () => {
      const done = await add(role.value);
      await all.read();
      return done;
    });
  const listed = all.value.value?.items ?? null;
  return (
    <section class="panel" aria-labelledby={`${kind}-heading`}>
      <h2 id={`${kind}-heading`}>{t(TEXTS[kind].heading)}</h2>
      {help === undefined ? null : <p class="hint">{help}</p>}
      {listed === null ? (
        <ResourceState resource={all} />
      ) : listed.length === 0 ? (
        <p class="empty">{t(TEXTS[kind].none)}</p>
      ) : (
        <ul class="plain knocking">
          {listed.map(({ name, role: own }) => (
            <li key={name} {...{ [`data-${one}`]: name }}>
              <span>
                <strong>{name}</strong> <span class="note">{word("role", own)}</span>
              </span>
              <RemoveButton name={name} disabled={removal.busy.value} onRemove={() => remove(name)} />
            </li>
          ))}
        </ul>
      )}
      {beside}
      <Said form={removal} name={`${one}-removal`} />
      <FormBox form={form} name={one} submit={t(TEXTS[kind].add)} onSubmit={submit}>
        {children(form)}
        <RoleField id={`${one}-role`} role={role} form={form} />
      </FormBox>
    </section>
  );
}
