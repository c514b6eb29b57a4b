import { digest } from '../../digest.js';
import { resourceOf } from '../../events/order.js';
import { parseEvent } from '../../events/parse.js';
import { type Workflow, wants } from '../../workflow.js';
import type { Publish, ServiceChange } from '../changes.js';
import { MALFORMED, type Malformation, OF_ANOTHER_WORKSPACE } from '../chaos/malformed.js';
import type { EventGrid } from '../event-grid/event-grid.js';
import { type TopicEvent, topicEventOf, writeEvent } from '../event-grid/topic-event.js';
import { chanceOf } from '../seeded.js';
import { eventIdOf } from './event-name.js';
import { createSent, MAX_WORKFLOWS, type Sent } from './sent.js';
import type { Newest } from './table-checks/table-check.js';

/** Makes a run's events of changes, notes them, and publishes them; among them, now and then, a malformed one. */
export type Publisher = {
  readonly publish: Publish;
  readonly sent: Sent;
  readonly newest: Newest;
  /** How many were made, the malformed ones apart. */
  readonly valid: () => number;
};

export function createPublisher(of: {
  runId: string;
  seed: number;
  /** For so many events, a malformed one more. */
  malformed: number;
  workflows: readonly Workflow[];
  source: string;
  /** Whether the app takes events of listed workspaces only. */
  isListing: boolean;
  eventGrid: Pick<EventGrid, 'publish'>;
}): Publisher {
  const { runId, seed, malformed, source, isListing, eventGrid } = of;
  const workflows = of.workflows.slice(0, MAX_WORKFLOWS);
  const sent = createSent();
  const newest = new Map<string, { version: number; change: string; n: number }>();
  let valid = 0;
  const kinds = { fhir: createKinds('fhir'), dicom: createKinds('dicom') };

  return {
    sent,
    newest,
    valid: () => valid,
    publish(changes) {
      const batch: TopicEvent[] = [];
      for (const change of changes) {
        const event = topicEventOf(change, { id: eventIdOf(runId, sent.count), source });
        note(event, change);
        batch.push(event);
        if (chanceOf(seed, 'malformed', valid) < malformed) batch.push(spoil(change));
      }
      eventGrid.publish(batch, runId);
    },
  };

  /** Before it is published: from then on it may be asked for. */
  function note(event: TopicEvent, { change, at }: ServiceChange): void {
    const parsed = parseEvent(writeEvent(event, 'EventGridSchema'));
    let wanted = 0;
    for (const [bit, workflow] of workflows.entries()) if (wants(workflow, parsed)) wanted |= 1 << bit;
    const n = sent.add({ wanted: wanted >>> 0, atMs: at.getTime(), isMalformed: false });
    newest.set(digest(resourceOf(parsed)), { version: parsed.version, change, n });
    valid += 1;
  }

  /** The same change under an id of its own. Where its id is spoilt, the name of its resource still tells which it is. */
  function spoil(change: ServiceChange): TopicEvent {
    const name = eventIdOf(runId, sent.add({ wanted: 0, atMs: change.at.getTime(), isMalformed: true }));
    const named = change.service === 'fhir' ? { resourceId: name } : { instanceUid: name };
    const { spoil } = kinds[change.service]();
    return { ...topicEventOf({ ...change, ...named }, { id: name, source }), spoil };
  }

  /** One kind after the other, from another one with each seed. */
  function createKinds(service: ServiceChange['service']): () => Malformation {
    const all = MALFORMED.filter((kind) => (kind.service ?? service) === service);
    if (isListing) all.push(OF_ANOTHER_WORKSPACE);
    let next = seed;
    return () => all[next++ % all.length] as Malformation;
  }
}
