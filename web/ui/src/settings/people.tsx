/** Who may do what: users with a password, programs with a token, and everybody, if reads need no login. */
import { useSignal } from "@preact/signals";
import { CheckField } from "../components/check-field";
import { Said } from "../components/said";
import { useForm } from "../components/use-form";
import { t } from "../i18n";
import { mayConfigure } from "../state/session";
import { changeSite, site } from "../state/site";
import { Tokens } from "./tokens";
import { Users } from "./users";

function PublicView() {
  const form = useForm([]);
  // What was ticked stays ticked while it is on its way.
  const underway = useSignal<boolean | null>(null);
  const isPublic = underway.value ?? site.value?.["public_view"] === true;
  const change = (wanted: boolean): void => {
    underway.value = wanted;
    void form
      .send(async () => {
        await changeSite((whole) => ({ ...whole, public_view: wanted }));
        return t(wanted ? "public.on" : "public.off");
      })
      .finally(() => {
        underway.value = null;
      });
  };
  return (
    <section class="panel" aria-labelledby="public-heading">
      <h2 id="public-heading">{t("public.heading")}</h2>
      <CheckField
        id="public-view"
        label={t("public.label")}
        hint={t("public.help")}
        checked={isPublic}
        disabled={!mayConfigure.value || form.busy.value}
        onChange={change}
      />
      <Said form={form} name="public" />
    </section>
  );
}

export function PeoplePart() {
  return (
    <div class="columns">
      <div class="column">
        {mayConfigure.value ? <Users /> : null}
        <PublicView />
      </div>
      {mayConfigure.value ? <Tokens /> : null}
    </div>
  );
}
