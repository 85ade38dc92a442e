/** A table that becomes a stack of cards on a telephone: each row a card, each cell with the name of its column. */
import type { ComponentChildren } from "preact";

export interface Column<Row> {
  label: string;
  cell: (row: Row) => ComponentChildren;
  look?: string;
  /** What it tells the time of, for who looks for it in the document. */
  when?: string;
}

interface Props<Row> {
  /** Its name in the document: of each row too, with its key. */
  name: string;
  /** The id of the heading above it. */
  heading: string;
  caption: string;
  /** The first column. */
  head: string;
  rows: readonly Row[];
  keyOf: (row: Row) => string | number;
  headOf: (row: Row) => ComponentChildren;
  columns: readonly Column<Row>[];
}

export function CardTable<Row>({ name, heading, caption, head, rows, keyOf, headOf, columns }: Props<Row>) {
  return (
    <div class="scroll" tabIndex={0} role="group" aria-labelledby={heading}>
      <table role="table" class="figures is-cards" data-table={name}>
        <caption class="visually-hidden">{caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {[head, ...columns.map((column) => column.label)].map((label) => (
              <th key={label} role="columnheader" scope="col">{label}</th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr role="row" key={keyOf(row)} data-row={keyOf(row)}>
              <th role="rowheader" scope="row">{headOf(row)}</th>
              {columns.map(({ label, cell, look, when }) => (
                <td key={label} role="cell" data-label={label} {...(look === undefined ? {} : { class: look })} {...(when === undefined ? {} : { "data-when": when })}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
