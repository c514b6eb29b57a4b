import { Scroll } from '../parts/table.js';

type NumberedLinesProps = { readonly text: string; readonly isDifferentFrom?: string; readonly label: string };

/** Shows text with line numbers. Lines that the other text lacks are marked. */
export function NumberedLines({ text, isDifferentFrom, label }: NumberedLinesProps) {
  const others = new Set(isDifferentFrom?.split('\n'));
  return (
    <Scroll label={label} name="code">
      <ol>
        {text.split('\n').map((line, index) => (
          <li key={index} class={isDifferentFrom !== undefined && !others.has(line) ? 'changed' : ''}>
            {line}
          </li>
        ))}
      </ol>
    </Scroll>
  );
}
