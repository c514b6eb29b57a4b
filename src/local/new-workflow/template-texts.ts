/** The text of a workflow. `templates.ts` fills in each part such as `$NAME`, and biome formats the file. */
export const WORKFLOW = `import { defineWorkflow, $FUNCTIONS, needsHosts, resourceOf, shardOf } from '../workflow.js';

const PARTITIONS = 8;
$CONSTANT
/**
 * Keeps table \`$TABLE\`: a row for each $CONTENT.
 *
 * The handler may run twice for one event, because a process can die after the row and before the record. The second
 * run writes the same row.
 */
export const $IDENTIFIER = defineWorkflow({
  name: '$NAME',
  on: $TRIGGER,
  ordering: 'latest',
  setup: needsHosts('$SERVICE'),
  async handle(event, { resource, tables }) {
    const $VARIABLE = event.change === 'deleted' ? undefined : await resource.$READ();
    const key = digest(resourceOf(event)); // keys reach the logs of storage
    await tables('$TABLE').change(String(shardOf(key, PARTITIONS)), key, () => {
      if (!$VARIABLE) return 'remove';
      return $ROW;
    });
  },
});
`;

/** The text of the test of a workflow. */
export const TEST = `$TYPE_IMPORT
import { $TEST_IMPORTS } from '../../src/testing/index.js';
import { $IDENTIFIER } from '../../src/workflows/$NAME.js';

const one = $ONE;
const event = $EVENT(one);
const $READ_VALUE;

describe('$NAME', () => {
  it('given $SITUATION, then the table has its row', async () => {
    const kit = createTestKit();

    expect(await kit.run($IDENTIFIER, event, { resource: $RESOURCE })).toEqual({ kind: 'completed' });

    expect(kit.rows('$TABLE').map(({ row }) => row)).toEqual([$TEST_ROW]);
  });

  it('given a process that dies after the handler, then the second run leaves one row', async () => {
    const kit = createTestKit();

    await kit.run($IDENTIFIER, event, { resource: $RESOURCE, processDies: true });
    await kit.run($IDENTIFIER, event, { resource: $RESOURCE });

    expect(kit.rows('$TABLE')).toHaveLength(1);
  });

  it('given a deletion, then the row is gone', async () => {
    const kit = createTestKit();
    await kit.run($IDENTIFIER, event, { resource: $RESOURCE });

    await kit.run($IDENTIFIER, $EVENT({ ...one, $DELETED }), { resource: $NO_RESOURCE });

    expect(kit.rows('$TABLE')).toEqual([]);
  });

  it('given a service that does not answer, then the job runs again', async () => {
    const kit = createTestKit();

    expect(await kit.run($IDENTIFIER, event, { resource: new Error('no answer') })).toMatchObject({ kind: 'retry' });
  });
});
`;
