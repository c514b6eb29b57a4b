import { useState } from 'preact/hooks';
import { route } from '../shell/route.js';
import { BulkActions } from './bulk-actions.js';
import { forgetCounts } from './counts.js';
import { DeadLetterDetail } from './detail.js';
import { filterOf } from './filter.js';
import { FilterForm } from './filter-form.js';
import { Groups } from './groups.js';
import { DeadLetterList } from './list.js';
import { RunProgress } from './run-progress.js';

/** Shows the dead letters by cause, those that match, and their actions; or one dead letter. */
export function DeadLettersPage() {
  const { id, query } = route.value;
  const [changes, setChanges] = useState(0);
  if (id !== '') return <DeadLetterDetail key={id} id={id} />;
  const filter = filterOf(query);
  const key = `${JSON.stringify(query)} ${changes}`;
  const onChange = () => {
    forgetCounts();
    setChanges((before) => before + 1);
  };
  return (
    <>
      <RunProgress />
      <FilterForm key={JSON.stringify(query)} filter={filter} />
      <Groups key={`groups ${key}`} filter={filter}>
        {(found) => !filter.resolved && <BulkActions filter={filter} found={found} onChange={onChange} />}
      </Groups>
      <DeadLetterList key={`list ${key}`} filter={filter} onReload={onChange} />
    </>
  );
}
