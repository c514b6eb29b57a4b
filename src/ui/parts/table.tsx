import type { ComponentChildren } from 'preact';

/** A column: its name, and its content for a row. */
export type Column<Row> = {
  readonly name: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** `heading`: the cell names its row. Default: text. */
  readonly kind?: 'heading' | 'number' | 'quiet';
};
type TableProps<Row> = {
  /** The content of the table, for its caption. */
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row, index: number) => string | number;
  /** Says what it means that there is no row. Default: the head alone. */
  readonly empty?: string;
  /** False for a table that stays a table on a narrow screen. Default: there, each row is a block. */
  readonly isStacked?: boolean;
};

/** A table that scrolls sideways by itself, also with the keyboard. */
export function Table<Row>({ label, columns, rows, keyOf, empty, isStacked = true }: TableProps<Row>) {
  if (rows.length === 0 && empty) return <p class="empty">{empty}</p>;
  return (
    <Scroll label={label}>
      <table class={isStacked ? 'stack' : ''}>
        <caption class="only-read">{label}</caption>
        <thead>
          <tr>
            {columns.map(({ name, kind }) => (
              <th key={name} scope="col" class={kind === 'number' ? kind : ''}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={keyOf(row, index)}>
              {columns.map(({ name, kind = '', cell }) =>
                kind === 'heading' ? (
                  <th key={name} scope="row">
                    {cell(row)}
                  </th>
                ) : (
                  <td key={name} class={kind} data-name={name}>
                    {cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** A region that scrolls. `label`: its name for a screen reader. */
export function Scroll({ label, name = '', children }: { label: string; name?: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must take the focus, so that the keyboard can scroll it.
    <section class={`scroll ${name}`} tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}
