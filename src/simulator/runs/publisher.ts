import type { Workflow } from '../../workflow.js';
import type { ServiceChange } from '../changes.js';
import type { Chaos } from '../chaos/chaos.js';
import { isLost } from '../chaos/interference.js';
import { MALFORMED, type Malformation, OF_ANOTHER_WORKSPACE } from '../chaos/malformed.js';
import type { EventGrid } from '../event-grid/event-grid.js';
import { type TopicEvent, topicEventOf } from '../event-grid/topic-event.js';
import { chanceOf } from '../seeded.js';
import { eventIdOf } from './event-name.js';
import { RunChanges } from './run-changes.js';

export type Publisher = ReturnType<typeof createPublisher>;

type PublisherDeps = {
  runId: string;
  seed: number;
  chaos: Pick<Chaos, 'malformed' | 'lost'>;
  workflows: readonly Workflow[];
  source: string;
  /** True if the app takes only events of listed workspaces. */
  isListing: boolean;
  eventGrid: Pick<EventGrid, 'publish'>;
};

/** Makes events from a run's changes, records them, and publishes them; now and then with a malformed event. */
export function createPublisher(deps: PublisherDeps) {
  const { runId, seed, chaos, source, eventGrid } = deps;
  const made = new RunChanges(deps.workflows);
  const nextKind = { fhir: createKinds('fhir', deps), dicom: createKinds('dicom', deps) };

  return {
    made,
    publish(changes: readonly ServiceChange[]): void {
      const batch: TopicEvent[] = [];
      for (const change of changes) {
        const event = nextEvent(change);
        made.add(change, event, isLost(String(made.sent.count), { chaos, seed }) ? 'lost' : undefined);
        batch.push(event);
        if (chanceOf(seed, 'malformed', made.count) < chaos.malformed) batch.push(spoil(change));
      }
      eventGrid.publish(batch, runId);
    },
    /** Records changes that make no event, because the events of the service are off. */
    withhold(changes: readonly ServiceChange[]): void {
      for (const change of changes) made.add(change, nextEvent(change), 'off');
    },
  };

  function nextEvent(change: ServiceChange): TopicEvent {
    return topicEventOf(change, { id: eventIdOf(runId, made.sent.count), source });
  }

  /** Returns the change, spoilt and with a new id. The resource has that id too, for an event that lacks its own. */
  function spoil(change: ServiceChange): TopicEvent {
    const name = eventIdOf(runId, made.sent.add({ wanted: 0, atMs: change.at.getTime(), isMalformed: true }));
    const named = change.service === 'fhir' ? { resourceId: name } : { instanceUid: name };
    const { spoil } = nextKind[change.service]();
    return { ...topicEventOf({ ...change, ...named }, { id: name, source }), spoil };
  }
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
