import type { Overview } from '../../api/overview.js';
import { Empty } from '../parts/states.js';
import { Table } from '../parts/table.js';
import { counted, durationText, numberText, Time } from '../parts/text.js';

const COUNTS = ['Compared', 'Missing', 'Brought in'];
const COLUMNS = ['Service', 'Kind', 'Compared until', 'Behind', ...COUNTS];

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
        <Table label="How far the app has compared, by service" columns={COLUMNS} numbers={COUNTS}>
          {compared.map(({ host, service, upTo, behindSeconds, ...counts }) => (
            <tr key={`${host} ${service}`}>
              <th scope="row">{host}</th>
              <td data-name="Kind">{service.toUpperCase()}</td>
              <td data-name="Compared until">
                <Time at={upTo} />
              </td>
              <td data-name="Behind">{durationText(behindSeconds)}</td>
              <td class="number" data-name="Compared">
                {numberText(counts.compared)}
              </td>
              <td class="number" data-name="Missing">
                {numberText(counts.missing)}
              </td>
              <td class="number" data-name="Brought in">
                {numberText(counts.broughtIn)}
              </td>
            </tr>
          ))}
        </Table>
      )}
      <p class="quiet">It stays some 12 minutes behind: events of the last 10 minutes may still come by themselves.</p>
    </section>
  );
}
