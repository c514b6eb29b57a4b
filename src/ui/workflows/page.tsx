import { useState } from 'preact/hooks';
import type { WorkflowStatus } from '../../api/workflows.js';
import { Problems } from '../parts/problems.js';
import { Empty, LastUpdated, Shown } from '../parts/states.js';
import { Table } from '../parts/table.js';
import { announce } from '../shell/announce.js';
import { usePoll } from '../shell/poll.js';
import { type Failure, request } from '../shell/request.js';
import { PauseDialog } from './pause-dialog.js';
import { WorkflowRow } from './row.js';

const EVERY_MS = 5000;
const COLUMNS = ['Workflow', 'State', 'Last hour', 'Duration p50, p99', 'Limits', 'Change'];

/** Lists the workflows of the app, with pause and resume. */
export function WorkflowsPage() {
  const list = usePoll<{ workflows: WorkflowStatus[] }>('workflows', EVERY_MS);
  const [pausing, setPausing] = useState<string>();
  const [failure, setFailure] = useState<Failure>();
  async function resume(name: string): Promise<void> {
    const result = await request('POST', `workflows/${encodeURIComponent(name)}/resume`, {});
    setFailure(result.ok ? undefined : result.failure);
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
            <Table label="Workflows of the app" columns={COLUMNS}>
              {workflows.map((workflow) => (
                <WorkflowRow key={workflow.name} workflow={workflow} onPause={setPausing} onResume={resume} />
              ))}
            </Table>
          )
        }
      </Shown>
      {pausing && <PauseDialog name={pausing} onClose={() => setPausing(undefined)} onPaused={list.refresh} />}
    </>
  );
}
