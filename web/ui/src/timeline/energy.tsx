/** Energy by day and load: what each received, what it would have taken besides, and to what it lost that. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Loading } from "../components/loading";
import { explain } from "../errors";
import { number } from "../format";
import { list, t } from "../i18n";
import { loadNames, status } from "../state/live";
import { causesOf, type EnergyDay, readEnergy, type Sum, sumsOf, WORTH_A_WORD } from "./energy-data";
import { DAY, houseNow, iso } from "./span";
import { dayOf } from "./times";

/** Days that can be chosen: a week, a month, a year. */
const DAYS = [7, 30, 365] as const;
/** Rows of the table, the newest: a year of a house is in the file. */
const ROWS = 200;
const HEIGHT = 72;
/** Width of a day in the picture, of which a part is left empty between two. */
const COLUMN = 10;
const BAR = 8;

const kwh = (value: number): string => `${number(value, value < 0.095 ? 2 : 1)} kWh`;

const dateOf = (day: string): Date => new Date(`${day}T12:00:00`);

/** So many days up to the newest that is known: a day without a record is seen as such. */
function datesOf(days: readonly EnergyDay[], count: number): string[] {
  const last = days.at(-1)?.date;
  if (last === undefined) return [];
  const dates: string[] = [];
  const day = new Date(`${last}T12:00:00Z`);
  for (let i = 0; i < count; i += 1) {
    dates.unshift(day.toISOString().slice(0, 10));
    day.setUTCDate(day.getUTCDate() - 1);
  }
  return dates;
}

function Bars({ sum, dates, highest }: { sum: Sum; dates: readonly string[]; highest: number }) {
  const scale = highest === 0 ? 0 : HEIGHT / highest;
  return (
    <svg
      class="energy-bars"
      viewBox={`0 0 ${dates.length * COLUMN} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={t("energy.bars", { name: sum.name, energy: kwh(sum.energy), lost: kwh(sum.lost), days: dates.length })}
    >
      <defs>
        <pattern id="energy-lost" width="4" height="4" patternUnits="userSpaceOnUse">
          <path d="M0 4 4 0" class="energy-lines" />
        </pattern>
      </defs>
      {dates.map((date, i) => {
        const day = sum.days.get(date);
        if (day === undefined) return null;
        const got = day.energy_kwh * scale;
        const lost = sum.id === null ? 0 : day.curtailed_kwh * scale;
        const x = i * COLUMN + (COLUMN - BAR) / 2;
        return (
          <g key={date} data-day={date}>
            <rect x={x} y={HEIGHT - got} width={BAR} height={got} class="energy-got" />
            <rect x={x} y={HEIGHT - got - lost} width={BAR} height={lost} class="energy-lost" />
            <rect x={x} y={HEIGHT - got - lost} width={BAR} height={lost} fill="url(#energy-lost)" />
          </g>
        );
      })}
    </svg>
  );
}

/** "Garage received 7.6 kWh. It lost 1.2 kWh to L2 of the main fuse." */
function sentence(sum: Sum, names: ReadonlyMap<string, string>): string {
  if (sum.id === null) return t("energy.house.sentence", { energy: kwh(sum.energy) });
  const received = t("energy.received", { name: sum.name, energy: kwh(sum.energy) });
  const causes = causesOf(sum.causes, names);
  if (causes.length === 0) {
    return `${received} ${sum.lost < WORTH_A_WORD ? t("energy.nothing_lost") : t("energy.little_lost", { energy: kwh(sum.lost) })}`;
  }
  return `${received} ${t("energy.lost", { list: list(causes.map(([to, lost]) => t("energy.lost.to", { energy: kwh(lost), to }))) })}`;
}

function Figures({ days, names }: { days: readonly EnergyDay[]; names: ReadonlyMap<string, string> }) {
  const rows = [...days].reverse().slice(0, ROWS);
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={t("energy.table")}>
      <table class="figures" data-table="energy">
        <caption>{rows.length < days.length ? t("energy.table.part", { n: rows.length }) : t("energy.table")}</caption>
        <thead>
          <tr>
            <th scope="col">{t("energy.day")}</th>
            <th scope="col">{t("energy.load")}</th>
            <th scope="col">{t("energy.got")}</th>
            <th scope="col">{t("energy.held")}</th>
            <th scope="col">{t("energy.why")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((day) => (
            <tr key={`${day.date} ${day.load ?? ""}`}>
              <td>
                <time dateTime={day.date}>{dayOf(dateOf(day.date))}</time>
              </td>
              <th scope="row">{day.name ?? day.load ?? t("energy.house")}</th>
              <td class="numeric">{kwh(day.energy_kwh)}</td>
              <td class="numeric">{kwh(day.curtailed_kwh)}</td>
              <td class="text">
                {causesOf(day.lost_to, names)
                  .map(([to, lost]) => t("energy.lost.to", { energy: kwh(lost), to }))
                  .join("; ")}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Energy() {
  const days = useSignal<readonly EnergyDay[] | null>(null);
  const failure = useSignal<unknown>(null);
  const chosen = useSignal<number>(DAYS[0]);
  const isTable = useSignal(false);
  const ready = status.value !== null;
  const read = (): void => {
    const wanted = chosen.peek();
    readEnergy(houseNow() - (wanted - 1) * DAY, houseNow() + 1).then(
      (found) => {
        if (chosen.peek() !== wanted) return;
        days.value = found;
        failure.value = null;
      },
      (error: unknown) => {
        failure.value = error;
      },
    );
  };
  useEffect(() => {
    if (!ready) return undefined;
    read();
    const timer = setInterval(read, 60_000);
    return () => clearInterval(timer);
  }, [ready, chosen.value]);

  const found = days.value;
  const sums = found === null ? [] : sumsOf(found);
  const dates = found === null ? [] : datesOf(found, chosen.value);
  const names = new Map([...loadNames.value, ...sums.map((s) => [s.id ?? "", s.name] as const)]);
  const now = houseNow();
  const query = `from=${iso(now - (chosen.value - 1) * DAY)}&to=${iso(now + 1)}`;
  return (
    <section class="panel energy" aria-labelledby="energy-heading">
      <div class="panel-head">
        <h2 id="energy-heading">{t("energy.heading")}</h2>
        <div class="chooser" role="group" aria-label={t("energy.days")}>
          {DAYS.map((n) => (
            <button key={n} type="button" class="small" aria-pressed={chosen.value === n} data-days={n} onClick={() => { chosen.value = n; }}>
              {t("energy.days.n", { n })}
            </button>
          ))}
        </div>
      </div>
      {failure.value === null ? null : (
        <p class="said is-bad" role="alert">
          {t("timeline.failed", { error: explain(failure.value) })}{" "}
          <button type="button" class="small" onClick={read}>
            {t("timeline.again")}
          </button>
        </p>
      )}
      {found === null ? (
        failure.value === null ? <Loading text="decisions.loading" /> : null
      ) : found.length === 0 ? (
        <p class="empty">{t("energy.none")}</p>
      ) : (
        <>
          <ul class="plain energy-loads">
            {sums.map((sum) => {
              const highest = Math.max(...[...sum.days.values()].map((d) => d.energy_kwh + (sum.id === null ? 0 : d.curtailed_kwh)));
              return (
                <li key={sum.id ?? ""} data-energy={sum.id ?? ""} data-kwh={sum.energy.toFixed(3)} data-lost={sum.lost.toFixed(3)}>
                  <h3>{sum.name}</h3>
                  <p>{sentence(sum, names)}</p>
                  <div class="energy-picture">
                    <span class="note tabular">{kwh(highest)}</span>
                    <Bars sum={sum} dates={dates} highest={highest} />
                    <span class="note energy-dates">
                      <span>{dates[0] === undefined ? "" : dayOf(dateOf(dates[0]))}</span>
                      <span>{dates.length < 2 ? "" : dayOf(dateOf(dates.at(-1) ?? ""))}</span>
                    </span>
                  </div>
                </li>
              );
            })}
          </ul>
          <ul class="plain lane-legend" aria-hidden="true">
            <li>
              <svg width="22" height="14" focusable="false">
                <rect width="22" height="14" class="energy-got" />
              </svg>
              {t("energy.got")}
            </li>
            <li>
              <svg width="22" height="14" focusable="false">
                <rect width="22" height="14" class="energy-lost" />
                <rect width="22" height="14" fill="url(#energy-lost)" />
              </svg>
              {t("energy.held")}
            </li>
          </ul>
          <p class="tools">
            <button type="button" class="small" aria-pressed={isTable.value} onClick={() => { isTable.value = !isTable.value; }}>
              {t("timeline.as_table")}
            </button>
            <a href={`/api/v1/energy.csv?${query}`} download="energy.csv">
              {t("timeline.csv")}
            </a>
          </p>
          {isTable.value ? <Figures days={found} names={names} /> : null}
          <p class="note">{t("energy.note")}</p>
        </>
      )}
    </section>
  );
}
