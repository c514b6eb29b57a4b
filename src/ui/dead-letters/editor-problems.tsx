export type LineProblem = { readonly line: number; readonly text: string };

type EditorProblemsProps = {
  readonly message: string | undefined;
  readonly problems: readonly LineProblem[];
  readonly area: HTMLTextAreaElement | null;
};

/** Lists the problems of the edited payload. Each problem links to its line. */
export function EditorProblems({ message, problems, area }: EditorProblemsProps) {
  return (
    <div id="editor-found" class={problems.length > 0 ? 'box red' : message ? 'box' : undefined}>
      {message && <p>{message}</p>}
      <ul>
        {problems.map(({ line, text }) => (
          <li key={`${line} ${text}`}>
            <button type="button" class="plain" onClick={() => goToLine(area, line)}>
              Line {line}
            </button>{' '}
            {text}
          </li>
        ))}
      </ul>
    </div>
  );
}

function goToLine(area: HTMLTextAreaElement | null, line: number): void {
  if (!area) return;
  const lines = area.value.split('\n');
  const from = lines.slice(0, line - 1).reduce((all, one) => all + one.length + 1, 0);
  area.focus();
  area.setSelectionRange(from, from + (lines[line - 1]?.length ?? 0));
}
