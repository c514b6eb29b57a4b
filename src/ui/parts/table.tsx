import type { ComponentChildren } from 'preact';

type TableProps = {
  /** The content of the table, for its caption. */
  readonly label: string;
  readonly columns: readonly string[];
  /** The columns whose values are numbers. */
  readonly numbers?: readonly string[];
  /** The rows. With `data-name` on each cell, a narrow screen shows a row as a block. */
  readonly children: ComponentChildren;
};

/** A table that scrolls sideways by itself, also with the keyboard. */
export function Table({ label, columns, numbers = [], children }: TableProps) {
  return (
    <Scroll label={label}>
      <table class="stack">
        <caption class="only-read">{label}</caption>
        <thead>
          <tr>
            {columns.map((name) => (
              <th key={name} scope="col" class={numbers.includes(name) ? 'number' : ''}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
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
