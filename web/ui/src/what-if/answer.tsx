/** Recorded, same and changed side by side, as a table whose cells carry bars. */
import { Told } from "../components/told";
import { ampere, moment, number, UNKNOWN, wholeAge } from "../format";
import { t } from "../i18n";
import { csvRow, save } from "../timeline/save";
import type { Answer, Side } from "./ask";

const SIDES = ["recorded", "same", "changed"] as const;
/** Length of a full bar in its own units. */
const BAR = 100;

interface Line {
  id: string;
  label: string;
  values: (number | null)[];
  show: (value: number) => string;
  isHead: boolean;
}

const kwh = (value: number): string => `${number(value, 2)} kWh`;
const percent = (value: number): string => `${number(value * 100, 0)} %`;
const count = (value: number): string => number(value, 0);

function linesOf(answer: Answer, names: ReadonlyMap<string, string>): Line[] {
  const values = (pick: (side: Side) => number | null | undefined): (number | null)[] => SIDES.map((side) => pick(answer[side]) ?? null);
  const lines: Line[] = [
    { id: "energy", label: t("whatif.energy"), values: values((s) => s.energy_kwh), show: kwh, isHead: true },
    { id: "curtailed", label: t("whatif.curtailed"), values: values((s) => s.curtailed_kwh), show: kwh, isHead: true },
    { id: "commands", label: t("whatif.commands"), values: values((s) => s.commands), show: count, isHead: true },
  ];
  const ids = [...new Set(SIDES.flatMap((side) => answer[side].loads.map((l) => l.id)))];
  for (const id of ids) {
    const name = names.get(id) ?? id;
    const of = (side: Side) => side.loads.find((l) => l.id === id);
    lines.push(
      { id: `${id}/energy`, label: t("whatif.load.energy", { name }), values: values((s) => of(s)?.energy_kwh), show: kwh, isHead: false },
      { id: `${id}/curtailed`, label: t("whatif.load.curtailed", { name }), values: values((s) => of(s)?.curtailed_kwh), show: kwh, isHead: false },
    );
  }
  const phases = [...new Set(SIDES.flatMap((side) => answer[side].phases.map((p) => p.phase)))];
  for (const name of phases) {
    const phase = t(`phase.${name}`);
    const of = (side: Side) => side.phases.find((p) => p.phase === name);
    lines.push(
      { id: `${name}/highest`, label: t("whatif.phase.highest", { phase }), values: values((s) => of(s)?.highest_a), show: ampere, isHead: false },
      { id: `${name}/over`, label: t("whatif.phase.over", { phase }), values: values((s) => of(s)?.over_s), show: wholeAge, isHead: false },
      { id: `${name}/margin`, label: t("whatif.phase.margin", { phase }), values: values((s) => of(s)?.thermal_margin), show: percent, isHead: false },
    );
  }
  return lines;
}

function Cell({ line, index, highest }: { line: Line; index: number; highest: number }) {
  const value = line.values[index];
  if (value === null || value === undefined) return <td class="numeric">{UNKNOWN}</td>;
  const side = SIDES[index] ?? "";
  return (
    <td class="numeric" data-side={side} data-value={value}>
      {line.show(value)}
      <svg class="cell-bar" viewBox={`0 0 ${BAR} 6`} preserveAspectRatio="none" aria-hidden="true" focusable="false">
        <rect class="cell-trough" width={BAR} height="6" />
        <rect class={`cell-value is-${side}`} width={highest <= 0 ? 0 : Math.max(0, (value / highest) * BAR)} height="6" />
      </svg>
    </td>
  );
}

function sentence(answer: Answer): string {
  const difference = answer.changed.energy_kwh - answer.same.energy_kwh;
  const [changed, same] = [kwh(answer.changed.energy_kwh), kwh(answer.same.energy_kwh)];
  const key = changed === same ? "whatif.equal" : difference > 0 ? "whatif.more" : "whatif.less";
  return t(key, { changed, same, difference: kwh(Math.abs(difference)) });
}

export function AnswerView({ answer, names }: { answer: Answer; names: ReadonlyMap<string, string> }) {
  const lines = linesOf(answer, names);
  const take = (): void => {
    const rows = lines.map((line) => csvRow([line.id, line.label, ...line.values]));
    save("what-if.csv", "text/csv;charset=utf-8", [csvRow(["id", "what", ...SIDES]), ...rows]);
  };
  return (
    <section class="panel" aria-labelledby="answer-heading">
      <h2 id="answer-heading" tabIndex={-1}>
        {t("whatif.answer")}
      </h2>
      <p class="sentence-big" role="status" data-answer>
        {sentence(answer)}
      </p>
      <p class="note">
        {t("whatif.covered", { covered: wholeAge(answer.covered_s), from: moment(answer.from), to: moment(answer.to) })}{" "}
        {answer.left_out_s > 0 ? t("whatif.left_out", { time: wholeAge(answer.left_out_s) }) : ""}
      </p>
      {answer.notes.map((note) => (
        <p key={note} class="note">
          <Told text={note} />
        </p>
      ))}
      <div class="scroll is-whole" tabIndex={0} role="group" aria-labelledby="answer-heading">
        <table class="figures compare" data-table="what-if">
          <caption>{t("whatif.caption")}</caption>
          <thead>
            <tr>
              <th scope="col">{t("whatif.what")}</th>
              {SIDES.map((side) => (
                <th key={side} scope="col" class="numeric">
                  {t(`whatif.${side}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {lines.map((line) => {
              const highest = Math.max(...line.values.map((v) => v ?? 0));
              return (
                <tr key={line.id} data-line={line.id} class={line.isHead ? "is-head" : ""}>
                  <th scope="row">{line.label}</th>
                  {SIDES.map((side, i) => (
                    <Cell key={side} line={line} index={i} highest={highest} />
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      <p class="tools">
        <button type="button" class="small" onClick={take}>
          {t("whatif.csv")}
        </button>
      </p>
      <p class="note">{t("whatif.help")}</p>
    </section>
  );
}
