/** What shows itself and is not set up yet: a list, each with the button that takes it over. */
import type { ComponentChildren } from "preact";
import { t } from "../i18n";
import type { LoadKind } from "../loads/drivers";
import { mayConfigure } from "../state/session";
import type { Chosen } from "./adopt";
import { found, searching } from "./data";

export interface Find extends Chosen {
  key: string;
  name: string;
  note: string;
  /** How it is called to who hears the button alone. */
  label: string;
  badge?: ComponentChildren;
}

interface Props {
  /** The id of the heading. */
  heading: string;
  finds: readonly Find[];
  onChoose: (chosen: Chosen) => void;
}

export function Finds({ heading, finds, onChoose }: Props) {
  return (
    <ul class="plain finds" aria-labelledby={heading}>
      {finds.map((find) => (
        <li key={find.key} data-find={find.key}>
          <span class="find-name">
            <strong>{find.name}</strong>
            <span class="note">{find.note}</span>
          </span>
          {find.badge}
          {mayConfigure.value ? (
            <button type="button" class="small primary" aria-label={t("setup.waiting.adopt.label", { name: find.label })} onClick={() => onChoose(find)}>
              {t("add.charger.adopt")}
            </button>
          ) : null}
        </li>
      ))}
    </ul>
  );
}

/** Devices that announce themselves in the network. `how` tells how one would be reached. */
export function InNetwork({ load, heading, none, how, onChoose }: { load: LoadKind; heading: string; none: string; how?: (find: Chosen) => string; onChoose: Props["onChoose"] }) {
  const kind = load === "charger" ? "charger" : "relay";
  const finds = (found.value ?? []).flatMap((one): Find[] => {
    if (one.kind !== kind || one.driver === null || one.already_configured) return [];
    const chosen = { title: one.name, driver: one.driver };
    return [{ ...chosen, key: `${one.name} ${one.host}`, name: one.name, note: how === undefined ? one.host : `${one.host} · ${how(chosen)}`, label: one.name }];
  });
  if (finds.length === 0) return <p class="empty">{searching.value || found.value === null ? t("setup.network.searching") : none}</p>;
  return <Finds heading={heading} finds={finds} onChoose={onChoose} />;
}
