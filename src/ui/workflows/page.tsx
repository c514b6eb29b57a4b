import { useState } from 'preact/hooks';
import type { WorkflowStatus } from '../../api/workflows.js';
import { Problems, useFailure } from '../parts/problems.js';
import { Empty, LastUpdated, Shown } from '../parts/states.js';
import { Table } from '../parts/table.js';
import { announce } from '../shell/announce.js';
import { usePoll } from '../shell/poll.js';
import { request } from '../shell/request.js';
import { columnsOf } from './columns.js';
import { PauseDialog } from './pause-dialog.js';

const EVERY_MS = 5000;

/** Lists the workflows of the app, with pause and resume. */
export function WorkflowsPage() {
  const list = usePoll<{ workflows: WorkflowStatus[] }>('workflows', EVERY_MS);
  const [pausing, setPausing] = useState<string>();
  const [failure, watched] = useFailure();
  async function resume(name: string): Promise<void> {
    const result = await watched(request('POST', `workflows/${encodeURIComponent(name)}/resume`, {}));
    if (result.ok) announce(`${name} is resumed. All instances follow within 10 seconds.`);
    list.refresh();
  }
  return (
    <>
      <LastUpdated of={list} />
      <Problems of={failure} />
      <Shown of={list}>
        {({ workflows }) =>
          workflows.length === 0 ? (
            <Empty>The app has no workflow. Add one: npm run new:workflow.</Empty>
          ) : (
            <Table
              label="Workflows of the app"
              columns={columnsOf({ onPause: setPausing, onResume: resume })}
              rows={workflows}
              keyOf={({ name }) => name}
            />
          )
        }
      </Shown>
      {pausing && <PauseDialog name={pausing} onClose={() => setPausing(undefined)} onPaused={list.refresh} />}
    </>
  );
}
