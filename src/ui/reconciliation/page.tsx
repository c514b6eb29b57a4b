import { useState } from 'preact/hooks';
import type { Overview } from '../../api/overview.js';
import type { ReconcileRequest } from '../../api/reconcile.js';
import { LastUpdated, Shown } from '../parts/states.js';
import { type Column, Table } from '../parts/table.js';
import { counted, durationText, numberText, Time } from '../parts/text.js';
import { usePoll } from '../shell/poll.js';
import { isSignedIn, mayAct } from '../shell/session-state.js';
import { MayNot } from '../shell/who.js';
import { AskForm } from './ask-form.js';
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
          <Shown of={requests}>{(value) => <Requests requests={value.requests} />}</Shown>
        </section>
      )}
    </>
  );
}

const COLUMNS: readonly Column<Overview['compared'][number]>[] = [
  { name: 'Service', kind: 'heading', cell: ({ host }) => host },
  { name: 'Kind', cell: ({ service }) => service.toUpperCase() },
  { name: 'Compared until', cell: ({ upTo }) => <Time at={upTo} /> },
  { name: 'Behind', cell: ({ behindSeconds }) => durationText(behindSeconds) },
  { name: 'Compared', kind: 'number', cell: ({ compared }) => numberText(compared) },
  { name: 'Missing', kind: 'number', cell: ({ missing }) => numberText(missing) },
  { name: 'Brought in', kind: 'number', cell: ({ broughtIn }) => numberText(broughtIn) },
];

/** Shows how far each service is compared with the ledger. */
function Compared({ compared, missing }: { compared: Overview['compared']; missing: readonly number[] }) {
  const found = missing.reduce((all, one) => all + one, 0);
  return (
    <section aria-labelledby="compared">
      <h2 id="compared">How far the app has compared</h2>
      <p>
        In the last hour it found <strong>{counted(found, 'missing change')}</strong>
        {found > 0 && ', and brought them in. Event Grid has dropped their events: find out why'}.
      </p>
      <Table
        label="How far the app has compared, by service"
        columns={COLUMNS}
        rows={compared}
        keyOf={({ host, service }) => `${host} ${service}`}
        empty="The app compares no service. Set FHIR_HOSTS or DICOM_HOSTS, with RECONCILE on."
      />
      <p class="quiet">It stays some 12 minutes behind: events of the last 10 minutes may still come by themselves.</p>
    </section>
  );
}
