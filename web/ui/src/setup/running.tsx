/** A test as it runs: what was told, what the charger says, and what the house meter sees of it, step by step. */
import { Told } from "../components/told";
import { useEffect } from "preact/hooks";
import { signal } from "@preact/signals";
import type { ChargerTest } from "../api/types";
import { ampere, amps, UNKNOWN } from "../format";
import { type Key, t } from "../i18n";

/** What was seen last in each step of the test that runs; a test is known by its charger and its beginning. */
const seen = signal<{ test: string; steps: ReadonlyMap<number, ChargerTest> }>({ test: "", steps: new Map() });

const nameOf = (test: ChargerTest): string => `${test.charger} ${test.started}`;

/** "9.9 / 9.8 / 9.9", or one number where there is one. */
export const currents = (values: readonly (number | null)[] | null | undefined): string =>
  values === null || values === undefined || values.length === 0 ? UNKNOWN : `${values.map((value) => amps(value)).join(" / ")} A`;

export const kindText = (kind: string, told: number | null): string => {
  if (kind === "limit") return t("setup.test.limit", { limit: ampere(told) });
  if (kind === "resume") return t("setup.test.resume", { limit: ampere(told) });
  return t(`setup.test.${kind}` as Key);
};

export function Running({ test, name }: { test: ChargerTest; name: string }) {
  useEffect(() => {
    const before = seen.value.test === nameOf(test) ? seen.value.steps : new Map<number, ChargerTest>();
    seen.value = { test: nameOf(test), steps: new Map(before).set(test.step, test) };
  }, [test]);
  const rows = seen.value.test === nameOf(test) ? [...seen.value.steps.values()].sort((a, b) => a.step - b.step) : [];
  return (
    <>
      <p role="status" data-test-step={test.step}>
        <strong>{t("setup.test.step", { step: test.step, of: test.of })}</strong> <Told text={test.text} />
      </p>
      <progress max={test.of} value={test.step - 1} aria-label={t("setup.test.progress", { name })} />
      <div class="scroll-x" tabIndex={0} role="region" aria-label={t("setup.test.table", { name })}>
        <table class="test-steps">
          <thead>
            <tr>
              <th scope="col">{t("setup.test.col.step")}</th>
              <th scope="col">{t("setup.test.col.told")}</th>
              <th scope="col">{t("setup.test.col.reported")}</th>
              <th scope="col">{t("setup.test.col.metered")}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.step} {...(row.step === test.step ? { "aria-current": "step" as const } : {})}>
                <th scope="row">{kindText(row.kind, row.measured.told_a)}</th>
                <td>{ampere(row.measured.told_a)}</td>
                <td>{currents(row.measured.reported_a)}</td>
                <td>{currents(row.measured.lines_a)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="note">{t("setup.test.lines")}</p>
    </>
  );
}
