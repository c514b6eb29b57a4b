import type { ComponentChildren } from 'preact';
import type { Polled } from '../shell/poll.js';
import type { Failure } from '../shell/request.js';
import { Ago, useNow } from './text.js';

const STALE_MS = 30_000;
const TITLES: Readonly<Record<Failure['kind'], string>> = {
  locked: 'A key is needed',
  'signed-out': 'You must sign in',
  forbidden: 'You may not see this',
  'not-found': 'Not found',
  refused: 'The app has refused this',
  storage: 'Storage does not answer',
  unreachable: 'The app does not answer',
  broken: 'The app has failed',
};

/** Shows why there is no data, and what to do. */
export function FailureBox({ failure, onRetry }: { failure: Failure; onRetry?: () => void }) {
  return (
    <div class="box red" role="alert">
      <p>
        <strong>{TITLES[failure.kind]}.</strong> {failure.message}
      </p>
      {onRetry && (
        <button type="button" onClick={onRetry}>
          Ask again
        </button>
      )}
    </div>
  );
}

/** Shows polled data, or why there is none. Old data stays visible, marked as old. */
export function Shown<T>({ of, children }: { of: Polled<T>; children: (value: T) => ComponentChildren }) {
  const { value, failure, refresh } = of;
  if (value === undefined && failure) return <FailureBox failure={failure} onRetry={refresh} />;
  if (value === undefined) return <p class="quiet">Loading …</p>;
  return <>{children(value)}</>;
}

/** Shows when the data arrived, and whether it is old. */
export function LastUpdated({ of: { at, failure } }: { of: Polled<unknown> }) {
  const now = useNow();
  if (!at) return null;
  const isStale = failure !== undefined || now - at.getTime() > STALE_MS;
  return (
    <p class={isStale ? 'updated stale' : 'updated'}>
      {isStale ? 'Old data: last updated ' : 'Updated '}
      <Ago at={at.toISOString()} />
      {failure && `. ${failure.message}`}
    </p>
  );
}
