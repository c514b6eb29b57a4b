import { digest } from '../../digest.js';
import { resourceOf } from '../../events/order.js';
import { parseEvent } from '../../events/parse.js';
import { type HealthEvent, type Workflow, wants } from '../../workflow.js';
import type { ServiceChange } from '../changes.js';
import { MALFORMED, type Malformation, OF_ANOTHER_WORKSPACE } from '../chaos/malformed.js';
import type { EventGrid } from '../event-grid/event-grid.js';
import { type TopicEvent, topicEventOf, writeEvent } from '../event-grid/topic-event.js';
import { chanceOf } from '../seeded.js';
import { eventIdOf } from './event-name.js';
import { MAX_WORKFLOWS, Sent } from './sent.js';
import type { NewestChange } from './table-checks/table-check.js';

export type Publisher = ReturnType<typeof createPublisher>;

type PublisherDeps = {
  runId: string;
  seed: number;
  /** The share of events that a malformed event follows. */
  malformed: number;
  workflows: readonly Workflow[];
  source: string;
  /** Whether the app takes events of listed workspaces only. */
  isListing: boolean;
  eventGrid: Pick<EventGrid, 'publish'>;
};

/** Makes events from a run's changes, records them, and publishes them; now and then with a malformed event. */
export function createPublisher(of: PublisherDeps) {
  const { runId, seed, malformed, source, eventGrid } = of;
  const sent = new Sent();
  const newest: Map<string, NewestChange> = new Map();
  const nextKind = { fhir: createKinds('fhir', of), dicom: createKinds('dicom', of) };
  let valid = 0;

  return {
    sent,
    newest,
    /** The number of events made, without malformed events. */
    valid: () => valid,
    publish(changes: readonly ServiceChange[]): void {
      const batch: TopicEvent[] = [];
      for (const change of changes) {
        const event = topicEventOf(change, { id: eventIdOf(runId, sent.count), source });
        record(event, change);
        batch.push(event);
        if (chanceOf(seed, 'malformed', valid) < malformed) batch.push(spoil(change));
      }
      eventGrid.publish(batch, runId);
    },
  };

  /** Before the event is published, for its verdict may be asked for at once. */
  function record(event: TopicEvent, { change, at }: ServiceChange): void {
    const parsed = parseEvent(writeEvent(event, 'EventGridSchema'));
    const n = sent.add({ wanted: bitsOf(of.workflows, parsed), atMs: at.getTime(), isMalformed: false });
    newest.set(digest(resourceOf(parsed)), { version: parsed.version, change, n });
    valid += 1;
  }

  /** The same change with a new id, spoilt. The resource gets the id too, so that an event without its id is found. */
  function spoil(change: ServiceChange): TopicEvent {
    const name = eventIdOf(runId, sent.add({ wanted: 0, atMs: change.at.getTime(), isMalformed: true }));
    const named = change.service === 'fhir' ? { resourceId: name } : { instanceUid: name };
    const { spoil } = nextKind[change.service]();
    return { ...topicEventOf({ ...change, ...named }, { id: name, source }), spoil };
  }
}

/** The workflows that want the event: bit n stands for workflow n. */
function bitsOf(workflows: readonly Workflow[], event: HealthEvent): number {
  let bits = 0;
  for (const [n, workflow] of workflows.slice(0, MAX_WORKFLOWS).entries()) if (wants(workflow, event)) bits |= 1 << n;
  return bits >>> 0;
}

/** Returns one kind of malformation after the other; the seed decides the first. */
function createKinds(
  service: ServiceChange['service'],
  { seed, isListing }: Pick<PublisherDeps, 'seed' | 'isListing'>,
): () => Malformation {
  const all = MALFORMED.filter((kind) => (kind.service ?? service) === service);
  if (isListing) all.push(OF_ANOTHER_WORKSPACE);
  let next = seed;
  return () => all[next++ % all.length] as Malformation;
}
