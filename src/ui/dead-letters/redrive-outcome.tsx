import { useEffect, useState } from 'preact/hooks';
import type { Outcomes } from '../../api/dead-letters.js';
import { announce } from '../shell/announce.js';
import { askOutcomes } from './api.js';

const ASK_EVERY_MS = 1500;

type RedriveOutcomeProps = {
  readonly id: string;
  readonly isWatched: boolean;
  /** The app's answer to the redrive. */
  readonly message: string;
  readonly onEnd: () => void;
};

/** Shows the result of a requested redrive, and asks the app for it until the redrive has ended. */
export function RedriveOutcome({ id, isWatched, message, onEnd }: RedriveOutcomeProps) {
  const [text, setText] = useState<string>();
  useEffect(() => {
    if (!isWatched) return onEnd();
    let timer: ReturnType<typeof setTimeout>;
    const ask = async () => {
      const result = await askOutcomes([id]);
      const ended = result.ok ? endOf(result.value) : undefined;
      if (ended === undefined) {
        setText(result.ok ? 'It has not ended yet …' : result.failure.message);
        timer = setTimeout(ask, ASK_EVERY_MS);
        return;
      }
      setText(ended);
      announce(ended);
      onEnd();
    };
    timer = setTimeout(ask, ASK_EVERY_MS);
    return () => clearTimeout(timer);
  }, [id, message]);
  return (
    <div class="box">
      <p>{message}</p>
      {text && <p>{text}</p>}
    </div>
  );
}

function endOf({ resolved, failedAgain, waiting }: Outcomes): string | undefined {
  if (waiting > 0) return undefined;
  if (failedAgain > 0)
    return 'It has failed again: a new dead letter holds the error. The story of its event leads there.';
  return resolved > 0 ? 'It has ended well: the dead letter is resolved.' : 'The app no longer knows this dead letter.';
}
