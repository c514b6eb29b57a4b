import { useState } from 'preact/hooks';
import type { Overview } from '../../api/overview.js';
import type { ReconcileRequest } from '../../api/reconcile.js';
import { Empty, LastUpdated, Shown } from '../parts/states.js';
import { usePoll } from '../shell/poll.js';
import { isSignedIn, mayAct } from '../shell/session-state.js';
import { MayNot } from '../shell/who.js';
import { AskForm } from './ask-form.js';
import { Compared } from './compared.js';
import { Requests } from './requests.js';

const EVERY_MS = 5000;

/** Shows how far the services are compared, which changes were missing, and the requests of people. */
export function ReconciliationPage() {
  const overview = usePoll<Overview>('overview', EVERY_MS);
  const maySee = mayAct.value || isSignedIn.value;
  const requests = usePoll<{ requests: ReconcileRequest[] }>(maySee ? 'reconcile' : undefined, EVERY_MS);
  const [asked, setAsked] = useState<string>();
  return (
    <>
      <LastUpdated of={overview} />
      <Shown of={overview}>
        {({ compared, minutes }) => <Compared compared={compared} missing={minutes.missing} />}
      </Shown>
      {mayAct.value ? (
        <AskForm
          hosts={[...new Set(overview.value?.compared.map(({ host }) => host))]}
          onAsked={(message) => {
            setAsked(message);
            requests.refresh();
          }}
        />
      ) : (
        <MayNot to={maySee ? 'ask for a comparison' : 'see requests and ask for a comparison'} />
      )}
      {asked && (
        <p class="box green" role="status">
          {asked}
        </p>
      )}
      {maySee && (
        <section aria-labelledby="requests">
          <h2 id="requests">Requests</h2>
          <Shown of={requests}>
            {(value) =>
              value.requests.length > 0 ? (
                <Requests requests={value.requests} />
              ) : (
                <Empty>Nobody has asked for a comparison in the last 30 days.</Empty>
              )
            }
          </Shown>
        </section>
      )}
    </>
  );
}
