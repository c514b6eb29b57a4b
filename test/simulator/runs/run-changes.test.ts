import type { FhirChange } from '../../../src/simulator/changes.js';
import { topicEventOf } from '../../../src/simulator/event-grid/topic-event.js';
import { RunChanges } from '../../../src/simulator/runs/run-changes.js';
import type { Missed } from '../../../src/simulator/runs/sent.js';
import { WORKSPACE } from '../memory-simulator.js';

const HOST = 'w-f.fhir.azurehealthcareapis.com';

function start() {
  const changes = new RunChanges([]);
  return {
    changes,
    add(resourceId: string, { version = 1, missed }: { version?: number; missed?: Missed } = {}): void {
      const at = new Date('2026-01-01T12:00:00.000Z');
      const change = version === 1 ? 'created' : 'updated';
      const made: FhirChange = {
        service: 'fhir',
        change,
        host: HOST,
        resourceType: 'Patient',
        resourceId,
        version,
        at,
      };
      changes.add(made, topicEventOf(made, { id: `e${changes.sent.count}`, source: WORKSPACE }), missed);
    },
    forget: (resourceId: string) => changes.forget({ host: HOST, resourceType: 'Patient', resourceId }),
    newest: () => [...changes.newest.values()],
  };
}

describe('when a resource of a run is hard-deleted', () => {
  it('given its changes, then none of them is expected or searched', () => {
    const { changes, add, forget, newest } = start();
    add('p1', { missed: 'lost' });
    add('p1', { version: 2, missed: 'off' });
    add('p2', { missed: 'off' });

    forget('p1');

    expect([...changes.neverDelivered.keys()]).toEqual([2]);
    expect(newest()).toEqual([{ version: 1, change: 'created', n: 2 }]);
    expect([changes.count, changes.withheld]).toEqual([3, 2]);
  });

  it('given it is created again, then its new version is expected', () => {
    const { add, forget, newest } = start();
    add('p1');
    add('p1', { version: 2 });

    forget('p1');
    add('p1');

    expect(newest()).toEqual([{ version: 1, change: 'created', n: 2 }]);
  });

  it('given a resource that the run does not know, then nothing changes', () => {
    const { add, forget, newest } = start();
    add('p1');

    forget('other');

    expect(newest()).toHaveLength(1);
  });
});
