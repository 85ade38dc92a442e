/** The switches of the demo house: what one would not do to the own house to see what happens. */
import { useSignal } from "@preact/signals";
import type { DemoHouse } from "../api/admin";
import { call, post } from "../api/client";
import { CheckField } from "../components/check-field";
import { Icon } from "../components/icons";
import { useResource } from "../components/use-resource";
import { explain } from "../errors";
import { t } from "../i18n";
import { FIRST_PAGE, route } from "../route";
import { loadNames } from "../state/live";
import "./demo-panel.css";

/** Another page may turn the switches too. */
const READ_EVERY_MS = 4_000;
const SPEEDS = { least: 1, most: 60 } as const;

type Change = Partial<Pick<DemoHouse, "oven" | "meter_cable" | "speed">> & {
  chargers?: { id: string; network?: boolean; car?: boolean }[];
};

export function DemoPanel() {
  const demo = useResource<DemoHouse>("/demo", READ_EVERY_MS);
  const message = useSignal("");
  const speed = useSignal<number | null>(null);
  const house = demo.value.value;

  const turn = async (work: () => Promise<unknown>, done = ""): Promise<void> => {
    try {
      await work();
      message.value = done;
    } catch (error) {
      message.value = t("demo.failed", { error: explain(error) });
    }
    await demo.read();
    speed.value = null;
  };
  const change = (what: Change): void => void turn(() => call("PATCH", "/demo", what));
  const chosen = speed.value ?? house?.speed ?? 1;

  return (
    <section class="banner tone-info demo" data-banner="demo" aria-label={t("demo.banner")}>
      <Icon name="eye" />
      <div>
        <strong>{t("demo.banner")}</strong>
        {route.value.page === FIRST_PAGE ? ` ${t("demo.more")}` : null}
        {house === null ? null : (
          <details data-demo="">
            <summary>{t("demo.switches")}</summary>
            <div class="switches">
              <CheckField id="demo-oven" label={t("demo.oven")} checked={house.oven} onChange={(oven) => change({ oven })} />
              <CheckField id="demo-cable" label={t("demo.cable")} checked={house.meter_cable} onChange={(meter_cable) => change({ meter_cable })} />
              {house.chargers.map(({ id, network, car }) => {
                const name = loadNames.value.get(id) ?? id;
                return (
                  <fieldset key={id} data-demo-charger={id}>
                    <legend>{name}</legend>
                    <CheckField id={`demo-net-${id}`} label={t("demo.network")} checked={network} onChange={(on) => change({ chargers: [{ id, network: on }] })} />
                    <CheckField id={`demo-car-${id}`} label={t("demo.car")} checked={car} onChange={(on) => change({ chargers: [{ id, car: on }] })} />
                  </fieldset>
                );
              })}
              <div class="speed">
                <label for="demo-speed">{Math.round(chosen) === 1 ? t("demo.speed.one") : t("demo.speed", { speed: Math.round(chosen) })}</label>
                <input
                  id="demo-speed"
                  type="range"
                  min={SPEEDS.least}
                  max={SPEEDS.most}
                  step={1}
                  value={chosen}
                  onInput={(event) => {
                    speed.value = Number(event.currentTarget.value);
                  }}
                  onChange={(event) => change({ speed: Number(event.currentTarget.value) })}
                />
              </div>
              <button
                type="button"
                data-act="demo-car"
                disabled={house.chargers.length >= house.cars_max}
                onClick={() => void turn(() => post("/demo/cars"), t("demo.car.added"))}
              >
                {t("demo.car.add")}
              </button>
              {house.chargers.length < house.cars_max ? null : <p class="note">{t("demo.car.full", { most: house.cars_max })}</p>}
            </div>
          </details>
        )}
        <p class="said" role="status">{message.value}</p>
      </div>
    </section>
  );
}
