import fc from 'fast-check';
import { dicomEvent } from '../../../src/testing/index.js';
import type { DicomEvent, DicomJson } from '../../../src/workflow.js';

const STARTS_AT = Date.parse('2026-01-01T00:00:00Z');
const STUDY = { host: 'a.dicom.example', partition: 'clinic-b', studyUid: '1.2.840.1' };

/** A change of one image of a study. `remade`: hard-deleted and stored again. */
export type Step = {
  image: number;
  does: 'stored' | 'updated' | 'deleted' | 'remade';
  modality: string;
  gapMs: number;
};

type Image = { seriesUid: string; instanceUid: string; modality: string; createdAt: string };
/** The images of the service at one moment, by number. */
export type Held = ReadonlyMap<number, Image>;

/** `moments[n]` is the content of the service at `events[n]`; the last is the end. */
export type Story = { events: DicomEvent[]; moments: Held[] };

/**
 * Returns the story of `steps`. A series has the modality of its first image until it is empty. Even and odd images are
 * two series.
 */
export function storyOf(steps: readonly Step[], study: Partial<typeof STUDY> = {}): Story {
  const events: DicomEvent[] = [];
  const moments: Held[] = [];
  let held: Held = new Map();
  let atMs = STARTS_AT;
  for (const { image, does, modality, gapMs } of steps) {
    if (held.has(image) === (does === 'stored')) continue;
    atMs += gapMs;
    const time = new Date(atMs).toISOString();
    const uids = { seriesUid: `1.2.840.1.${image % 2}`, instanceUid: `1.2.840.1.${image % 2}.${image}` };
    const others = new Map([...held].filter(([number]) => number !== image));
    const neighbour = [...others.values()].find(({ seriesUid }) => seriesUid === uids.seriesUid);
    const made = { ...uids, modality: neighbour?.modality ?? modality, createdAt: time };
    if (does === 'deleted') held = others;
    else if (does !== 'updated') held = new Map([...others, [image, made]]);
    moments.push(held);
    const change = does === 'stored' || does === 'remade' ? 'created' : does;
    events.push(dicomEvent({ ...STUDY, ...study, ...uids, change, version: events.length + 1, time }));
  }
  return { events, moments };
}

/** Returns the study's row without its status, for a service that holds `held`. */
export function expectedOf(held: Held) {
  const images = [...held.values()];
  const times = images.map(({ createdAt }) => createdAt).sort();
  return {
    instances: images.length,
    series: new Set(images.map(({ seriesUid }) => seriesUid)).size,
    modalities: [...new Set(images.map(({ modality }) => modality))].sort().join(','),
    firstSeenAt: times[0] ?? '',
    lastSeenAt: times.at(-1) ?? '',
  };
}

/** Returns what a read of the event's image finds. */
export function metadataOf(event: DicomEvent, held: Held): DicomJson | undefined {
  const image = [...held.values()].find(({ instanceUid }) => instanceUid === event.instanceUid);
  return image && { '00080060': { vr: 'CS', Value: [image.modality] } };
}

export const steps: fc.Arbitrary<Step[]> = fc
  .array(
    fc.record({
      image: fc.integer({ min: 0, max: 4 }),
      does: fc.constantFrom('stored', 'stored', 'stored', 'updated', 'deleted', 'remade'),
      modality: fc.constantFrom('CT', 'MR', 'SR'),
      gapMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 600_000 })),
    }),
    { minLength: 1, maxLength: 14 },
  )
  .map(([first, ...rest]) => [{ ...(first as Step), does: 'stored' as const }, ...rest]);
