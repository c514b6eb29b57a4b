import type { Overview } from '../../api/overview.js';
import { Empty } from '../parts/states.js';
import { type Column, Table } from '../parts/table.js';
import { counted, durationText, numberText, Time } from '../parts/text.js';

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
export function Compared({ compared, missing }: { compared: Overview['compared']; missing: readonly number[] }) {
  const found = missing.reduce((all, one) => all + one, 0);
  return (
    <section aria-labelledby="compared">
      <h2 id="compared">How far the app has compared</h2>
      <p>
        In the last hour it found <strong>{counted(found, 'missing change')}</strong>
        {found > 0 && ', and brought them in. Event Grid has dropped their events: find out why'}.
      </p>
      {compared.length === 0 ? (
        <Empty>The app compares no service. Set FHIR_HOSTS or DICOM_HOSTS, with RECONCILE on.</Empty>
      ) : (
        <Table
          label="How far the app has compared, by service"
          columns={COLUMNS}
          rows={compared}
          keyOf={({ host, service }) => `${host} ${service}`}
        />
      )}
      <p class="quiet">It stays some 12 minutes behind: events of the last 10 minutes may still come by themselves.</p>
    </section>
  );
}
