import { createTestKit, type TestKit } from '../../../src/testing/index.js';
import { addToActiveList, removeFromActiveList } from '../../../src/workflows/observation-alerts/active-alerts.js';
import { placeOfAlert } from '../../../src/workflows/observation-alerts/alert.js';
import { observationAlerts } from '../../../src/workflows/observation-alerts/observation-alerts.js';
import { rulesFile } from './rules-file.js';
import { HOSTS, RULES, storyOf, write } from './stories.js';

const settings = { ALERT_RULES: rulesFile(RULES), SIMULATOR: 'on' };
const PLACE = { partition: '1', key: 'k' };

describe('when one handler withdraws an alert and another raises it again', () => {
  it('given a late removal from the list, then the alert stays listed', async () => {
    const kit = createTestKit();
    await addToActiveList(kit.tables, PLACE, 1);
    await addToActiveList(kit.tables, PLACE, 3); // 2 was the withdrawal

    await removeFromActiveList(kit.tables, PLACE, 2);
    expect(kit.rows('activealerts').map(({ row }) => row)).toEqual([{ revision: 3 }]);

    await removeFromActiveList(kit.tables, PLACE, 4);
    expect(kit.rows('activealerts')).toEqual([]);
  });

  it('given a late handler that lists an older revision, then the newer revision stays', async () => {
    const kit = createTestKit();
    await addToActiveList(kit.tables, PLACE, 3);

    await addToActiveList(kit.tables, PLACE, 1);

    expect(kit.rows('activealerts').map(({ row }) => row)).toEqual([{ revision: 3 }]);
  });

  it('given an alert that changed since the read, then its new revision is listed before it is active', async () => {
    const run = async (kit: TestKit) => {
      for (const { event, content } of storyOf([write('o-1', 0, 8)]))
        await kit.run(observationAlerts, event, { resource: content }); // the first holder: it reads no alert
    };
    const before = createTestKit({ settings });
    await run(before);
    const kit = createTestKit({ settings });
    const { partition, key } = placeOfAlert({ host: HOSTS[0], observationId: 'o-1' }, 'high');
    const alert = before.rows('alerts')[0]?.row;
    await kit.tables('alerts').change(partition, key, () => ({ ...alert, status: 'withdrawn', revision: 4 }));

    await run(kit);

    expect(kit.rows('alerts')[0]?.row).toMatchObject({ status: 'active', revision: 5 });
    expect(kit.rows('activealerts').map(({ row }) => row)).toEqual([{ revision: 5 }]);
  });
});

describe('when an alert is withdrawn', () => {
  it('given no handler that raises the alert again, then the alert is removed from the list', async () => {
    const kit = createTestKit({ settings });
    const story = storyOf([write('o-1', 0, 8), write('o-1', 0, 5)]);
    const listed: number[] = [];
    for (const { event, content } of story) {
      await kit.run(observationAlerts, event, { resource: content });
      listed.push(kit.rows('activealerts').length);
    }

    expect(listed).toEqual([1, 0]);
  });
});
