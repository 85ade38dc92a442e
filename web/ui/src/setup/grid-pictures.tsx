/** Small drawings of what a grid looks like: the wires that come in, and the voltages between them. */
import type { Grid } from "../api/types";

interface WireProps {
  y: number;
  name: string;
  dashed?: boolean;
}

function Wire({ y, name, dashed = false }: WireProps) {
  return (
    <>
      <text x="2" y={y + 4}>
        {name}
      </text>
      <path class={dashed ? "wire is-neutral" : "wire"} d={`M24 ${y}H116`} />
    </>
  );
}

function Volts({ x, from, to, text }: { x: number; from: number; to: number; text: string }) {
  return (
    <>
      <path class="volts" d={`M${x} ${from + 3}V${to - 3}M${x - 3} ${from + 7}L${x} ${from + 3}L${x + 3} ${from + 7}M${x - 3} ${to - 7}L${x} ${to - 3}L${x + 3} ${to - 7}`} />
      <text x={x + 5} y={(from + to) / 2 + 4}>
        {text}
      </text>
    </>
  );
}

const WIRES: Readonly<Record<Grid, readonly (readonly [number, string])[]>> = {
  tn_3ph: [[10, "L1"], [28, "L2"], [46, "L3"], [70, "N"]],
  it_3ph: [[10, "L1"], [40, "L2"], [70, "L3"]],
  tn_1ph: [[20, "L1"], [60, "N"]],
};

/** Decoration beside the words that say the same. */
export function GridPicture({ grid }: { grid: Grid }) {
  return (
    <svg class="grid-picture" viewBox="0 0 120 80" width="120" height="80" aria-hidden="true" focusable="false">
      {WIRES[grid].map(([y, name]) => (
        <Wire key={name} y={y} name={name} dashed={name === "N"} />
      ))}
      {grid === "tn_3ph" ? (
        <>
          <Volts x={38} from={10} to={46} text="400 V" />
          <Volts x={82} from={46} to={70} text="230 V" />
        </>
      ) : grid === "it_3ph" ? (
        <>
          <Volts x={38} from={10} to={40} text="230 V" />
          <Volts x={78} from={40} to={70} text="230 V" />
        </>
      ) : (
        <Volts x={56} from={20} to={60} text="230 V" />
      )}
    </svg>
  );
}
