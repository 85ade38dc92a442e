/** The three kinds of grid with a picture each, and what the meter's own values suggest. */
import type { Grid } from "../api/types";
import { Icon } from "../components/icons";
import { type Key, t } from "../i18n";
import { reading, status } from "../state/live";
import { GridPicture } from "./grid-pictures";

const GRIDS: readonly Grid[] = ["tn_3ph", "it_3ph", "tn_1ph"];
/** A conductor below this is not connected, or is the neutral itself. */
const LIVE_V = 80;

export type Hint = { grid: Grid; why: Key } | null;

/** What the meter's values say of the grid, where they say anything. */
function hint(): Hint {
  const lines = reading.value?.phases ?? [];
  const [first, second, third] = lines;
  if (first === undefined || first === null) return null;
  const isLive = (line: typeof first | null | undefined): boolean => (line?.voltage_v ?? 0) >= LIVE_V || (line?.current_a ?? 0) > 0;
  if (lines.length === 1 || ((second ?? null) === null && (third ?? null) === null)) return { grid: "tn_1ph", why: "setup.grid.hint.one" };
  if (!isLive(first) || !isLive(third)) return null;
  if ((second?.voltage_v ?? 0) < LIVE_V && third?.voltage_v !== null) return { grid: "it_3ph", why: "setup.grid.hint.voltage" };
  if ((second?.current_a ?? 0) === 0) return { grid: "it_3ph", why: "setup.grid.hint.current" };
  return null;
}

interface Props {
  value: Grid;
  onChange: (grid: Grid) => void;
}

export function Grids({ value, onChange }: Props) {
  // A meter without a neutral is incomplete on the grid that is not its own.
  const isHeard = ["ok", "partial"].includes(status.value?.meter.state ?? "");
  const suggested = isHeard ? hint() : null;
  return (
    <fieldset class="grids">
      <legend>{t("site.grid")}</legend>
      <p class="hint" id="grids-hint">
        {t("setup.grid.help")}
      </p>
      <div class="grid-cards">
        {GRIDS.map((grid) => (
          <label key={grid} class={value === grid ? "grid-card is-chosen" : "grid-card"}>
            <span class="grid-name">
              <input type="radio" name="grid" value={grid} checked={value === grid} aria-describedby="grids-hint" onChange={() => onChange(grid)} />
              <strong>{t(`setup.grid.${grid}` as Key)}</strong>
            </span>
            <GridPicture grid={grid} />
            <span class="hint">{t(`setup.grid.${grid}.text` as Key)}</span>
          </label>
        ))}
      </div>
      {suggested === null || suggested.grid === value ? null : (
        <div class="setup-note tone-info" data-suggests={suggested.grid}>
          <p>
            <Icon name="eye" /> {t(suggested.why)} {t("setup.grid.hint", { grid: t(`setup.grid.${suggested.grid}` as Key) })}
          </p>
          <button type="button" class="small" onClick={() => onChange(suggested.grid)}>
            {t("setup.grid.hint.take", { grid: t(`setup.grid.${suggested.grid}` as Key) })}
          </button>
        </div>
      )}
    </fieldset>
  );
}
