import type { RefObject } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import type { ChangeAnswer } from '../../api/dead-letters.js';
import { placeOfError } from '../../json-place.js';
import { Problems } from '../parts/problems.js';
import { announce } from '../shell/announce.js';
import type { Failure } from '../shell/request.js';
import { redrive } from './api.js';
import { lineOf, linesOf } from './lines.js';
import { NumberedLines } from './numbered-lines.js';

type EditorProps = {
  readonly id: string;
  readonly original: unknown;
  readonly onRedriven: (message: string) => void;
  readonly onClose: () => void;
};
type LineProblem = { readonly line: number; readonly text: string };
/** The result of the last check or redrive. */
type Found = { readonly message: string; readonly problems: readonly LineProblem[]; readonly failure?: Failure };

const INDENT = 2;

/** Corrects the payload of a dead letter beside the original, and redrives it. The dead letter stays as it was. */
export function Editor({ id, original, onRedriven, onClose }: EditorProps) {
  const before = useMemo(() => JSON.stringify(original, undefined, INDENT), [original]);
  const [text, setText] = useState(before);
  const [found, setFound] = useState<Found>();
  const [isAsking, setIsAsking] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  async function send(dryRun: boolean): Promise<void> {
    setIsAsking(true);
    const result = await redriveEdited(id, text, dryRun);
    setIsAsking(false);
    if (!dryRun && result.isAsked) return onRedriven(result.message);
    setFound(result);
    announce(result.message);
  }
  const marked = new Set(found?.problems.map(({ line }) => line));
  return (
    <section class="card" aria-labelledby="editor">
      <h2 id="editor">Edit and redrive</h2>
      <p>The event must keep its id. The app runs the edited payload instead of the original, which stays as it was.</p>
      <EditorProblems message={found?.message} problems={found?.problems ?? []} area={area.current} />
      <Problems of={found?.failure} />
      <div class="beside">
        <div>
          <h3 id="original">Original</h3>
          <NumberedLines text={before} isDifferentFrom={text} label="Original" />
        </div>
        <div>
          <h3>
            <label for="edited">Edited</label>
          </h3>
          <EditedText text={text} marked={marked} area={area} onInput={setText} />
        </div>
      </div>
      <EditorActions isAsking={isAsking} isEdited={text !== before} onSend={send} onClose={onClose} />
    </section>
  );
}

type EditorActionsProps = Pick<EditorProps, 'onClose'> & {
  readonly isAsking: boolean;
  readonly isEdited: boolean;
  readonly onSend: (dryRun: boolean) => void;
};

function EditorActions({ isAsking, isEdited, onSend, onClose }: EditorActionsProps) {
  return (
    <div class="actions">
      <button type="button" disabled={isAsking} onClick={() => onSend(true)}>
        Check
      </button>
      <button type="button" class="primary" disabled={isAsking || !isEdited} onClick={() => onSend(false)}>
        Redrive the edited payload
      </button>
      <button type="button" onClick={onClose}>
        Cancel
      </button>
      {!isEdited && <span class="quiet">Nothing is edited yet.</span>}
    </div>
  );
}

type EditedTextProps = {
  readonly text: string;
  /** The numbers of the lines with a problem. */
  readonly marked: ReadonlySet<number>;
  readonly area: RefObject<HTMLTextAreaElement | null>;
  readonly onInput: (text: string) => void;
};

function EditedText({ text, marked, area, onInput }: EditedTextProps) {
  const lines = text.split('\n');
  return (
    <div class="editor">
      <ol class="gutter" aria-hidden="true">
        {lines.map((_, index) => (
          <li key={index} class={marked.has(index + 1) ? 'wrong' : ''}>
            {index + 1}
          </li>
        ))}
      </ol>
      <textarea
        id="edited"
        ref={area}
        spellcheck={false}
        wrap="off"
        rows={lines.length + 1}
        value={text}
        aria-invalid={marked.size > 0}
        aria-describedby="editor-found"
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </div>
  );
}

type EditorProblemsProps = {
  readonly message: string | undefined;
  readonly problems: readonly LineProblem[];
  readonly area: HTMLTextAreaElement | null;
};

/** Lists the problems of the edited payload. Each problem links to its line. */
function EditorProblems({ message, problems, area }: EditorProblemsProps) {
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

/** Requests a redrive with the edited event. With `dryRun`, the app only checks the event. */
async function redriveEdited(id: string, text: string, dryRun: boolean): Promise<Found & { isAsked: boolean }> {
  let event: unknown;
  try {
    event = JSON.parse(text);
  } catch {
    const line = Number(/\d+/.exec(placeOfError(text))?.[0] ?? 1);
    const problem = { line, text: `${placeOfError(text)}: the text stops being JSON here` };
    return { isAsked: false, message: 'This is not JSON yet.', problems: [problem] };
  }
  const result = await redrive([id], { event, dryRun });
  if (!result.ok) return { isAsked: false, message: '', problems: [], failure: result.failure };
  const { counts, message } = result.value;
  const isAsked = (counts.asked ?? 0) > 0;
  return {
    isAsked,
    message: isAsked && dryRun ? 'The app accepts this payload.' : message,
    problems: lineProblemsOf(result.value, text),
  };
}

/** Returns the problems that the app has found, each with its line. */
function lineProblemsOf({ problems = [] }: ChangeAnswer, text: string): LineProblem[] {
  const lines = linesOf(text);
  return problems.map(({ path, message }) => ({ line: lineOf(path, lines), text: message }));
}
