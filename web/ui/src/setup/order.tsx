/** Step 5: who gives way first, with a sentence that plays it through. */
import { Priorities } from "../components/priorities";
import { ampere } from "../format";
import { list, t } from "../i18n";
import type { Order } from "../priority-order";
import { status } from "../state/live";
import { chargers, readLoads, usePoll } from "./data";

const LOADS_EVERY_MS = 10_000;

/** What happens to one line of the list, step by step: relay loads wait, cars slow down and then pause. */
function ofLine(line: readonly string[], name: (id: string) => string): string[] {
  const kinds = new Map((status.value?.loads ?? []).map((load) => [load.id, load.kind]));
  const relays = line.filter((id) => kinds.get(id) === "slow_load");
  const cars = line.filter((id) => kinds.get(id) !== "slow_load");
  const steps: string[] = [];
  if (relays.length > 0) steps.push(t(relays.length === 1 ? "setup.order.waits" : "setup.order.wait", { names: list(relays.map(name)) }));
  if (cars.length > 0) {
    const names = list(cars.map(name));
    const least = Math.max(...cars.map((id) => chargers.value?.find((it) => it.id === id)?.min_current_a ?? 6));
    const isOne = cars.length === 1;
    steps.push(t(isOne ? "setup.order.slows" : "setup.order.slow", { names, least: ampere(least) }));
    steps.push(t(isOne ? "setup.order.pauses" : "setup.order.pause", { names }));
  }
  return steps;
}

/** "If the house needs more, first Heater waits, then Car 2 slows to 6 A, then Car 2 pauses." */
function story(order: Order, name: (id: string) => string): string {
  const steps = [...order].reverse().flatMap((line) => ofLine(line, name));
  const said = steps.map((step, i) => t(i === 0 ? "setup.order.first" : "setup.order.then", { step }));
  // The loads may be gone again, or not be told of yet.
  if (said.length === 0) return "";
  return t("priorities.sentence", { steps: said.reduce((a, b) => t("list.comma", { a, b })) });
}

export function OrderStep() {
  usePoll(readLoads, LOADS_EVERY_MS);
  return (
    <>
      <p>{t("setup.order.text")}</p>
      <Priorities words={story} />
    </>
  );
}
