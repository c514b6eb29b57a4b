import type { ComponentChildren } from 'preact';
import type { Minutes, Overview } from '../../api/overview.js';
import { Ago, durationText, numberText } from '../parts/text.js';
import { linkTo } from '../shell/route.js';

type CountsProps = { readonly overview: Overview; readonly of: Pick<Overview, 'eventsPerSecond' | 'minutes'> };

/** Shows the numbers of now and of the last hour. */
export function Counts({ overview, of: { eventsPerSecond, minutes } }: CountsProps) {
  const { waiting, compared } = overview;
  const behind = compared.reduce<number | undefined>(
    (most, { behindSeconds }) => Math.max(most ?? 0, behindSeconds),
    undefined,
  );
  return (
    <section aria-labelledby="numbers">
      <h2 id="numbers">Now, and in the last hour</h2>
      <dl class="tiles">
        <Tile name="Events a second" value={eventsPerSecond.toFixed(1)}>
          {numberText(sum(minutes.events))} in the last hour
        </Tile>
        <Tile name="Lag, p99" value={durationText(last(minutes.lagP99))}>
          p50 {durationText(last(minutes.lagP50))}, from event to outcome
        </Tile>
        <Tile name="Waiting" value={numberText(waiting.rows, waiting.isMore)}>
          {waiting.earliestDueAt ? (
            <>
              next due <Ago at={waiting.earliestDueAt} />
            </>
          ) : (
            'no job waits'
          )}
        </Tile>
        <DeadLetterTile overview={overview} />
        <UndeliveredTile undelivered={overview.undelivered} />
        <Tile name="Found missing" value={numberText(sum(minutes.missing))} href={linkTo('reconciliation')}>
          {behind === undefined
            ? 'reconciliation is off'
            : `in the last hour; compared until ${durationText(behind)} ago`}
        </Tile>
      </dl>
    </section>
  );
}

function DeadLetterTile({ overview: { deadLetters } }: Pick<CountsProps, 'overview'>) {
  const all = sum(Object.values(deadLetters.pending));
  const reasons = Object.entries(deadLetters.byReason).sort(([, one], [, other]) => other - one);
  return (
    <Tile name="Dead letters" value={numberText(all, deadLetters.isMore)} href={linkTo('dead-letters')}>
      {all === 0 ? (
        'none is pending'
      ) : (
        <>
          {deadLetters.isMore && 'Counting takes long, and has stopped. Of those counted, the '}
          oldest <Ago at={deadLetters.oldestAt} />
          <ul>
            {reasons.map(([reason, count]) => (
              <li key={reason}>
                <a href={linkTo('dead-letters', { query: { reason } })}>{reason}</a> {numberText(count)}
              </li>
            ))}
          </ul>
        </>
      )}
    </Tile>
  );
}

function UndeliveredTile({ undelivered }: Pick<Overview, 'undelivered'>) {
  const href = linkTo('dead-letters', { query: { stage: 'undelivered' } });
  if ('error' in undelivered) {
    return (
      <Tile name="Undelivered" value="?" href={href}>
        cannot be counted ({undelivered.error}): check its storage account
      </Tile>
    );
  }
  const { blobs, unreadable, isMore, oldestAt } = undelivered;
  return (
    <Tile name="Undelivered" value={numberText(blobs + unreadable, isMore)} href={href}>
      {blobs + unreadable === 0 ? 'Event Grid has given up on none' : <Ago at={oldestAt} />}
      {unreadable > 0 && `, ${numberText(unreadable)} unreadable`}
    </Tile>
  );
}

type TileProps = {
  readonly name: string;
  readonly value: string;
  readonly href?: string;
  readonly children: ComponentChildren;
};

function Tile({ name, value, href, children }: TileProps) {
  return (
    <div class="tile">
      <dt>{href ? <a href={href}>{name}</a> : name}</dt>
      <dd class="big">{value}</dd>
      <dd class="quiet">{children}</dd>
    </div>
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

/** Returns the lag in the newest minute in which a job settled. */
function last(lags: Minutes['lagP99']): number | null {
  return lags.findLast((lag) => lag !== null) ?? null;
}
