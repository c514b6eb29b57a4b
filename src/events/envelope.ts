import * as z from 'zod';
import { type Fields, first, id, source, time } from './fields.js';
import { EVENT_TYPES } from './kinds.js';

/** The fields of an envelope. `paths` has the path in the event of each field whose name differs from `shape`. */
export type Envelope = {
  readonly shape: {
    readonly id: z.ZodString;
    readonly source: z.ZodString;
    readonly type: z.ZodEnum;
    readonly time: z.ZodString | z.ZodOptional<z.ZodString>;
    readonly specversion?: z.ZodString;
  };
  readonly paths: Readonly<Record<string, string>>;
};

/** Event Grid's own envelope: `id`, `topic`, `eventType`, `eventTime`. Other properties are ignored. */
export const eventGrid: Envelope = {
  shape: { id, source, type: z.enum(EVENT_TYPES), time },
  paths: { source: 'topic', type: 'eventType', time: 'eventTime' },
};

/** CloudEvents 1.0: `specversion`, `id`, `source`, `type`, and optionally `time`. */
export const cloudEvents: Envelope = {
  shape: { ...eventGrid.shape, time: time.optional(), specversion: z.string().startsWith('1.').max(16) },
  paths: {},
};

/**
 * Returns the fields of the envelope, under any of their names: senders mix the two schemas, and write `specVersion`.
 * An event with a `specversion` is a CloudEvent, whatever names its other fields have.
 */
export function readEnvelope(raw: Fields) {
  return {
    id: first(raw.id),
    source: first(raw.source, raw.topic),
    type: first(raw.type, raw.eventType),
    time: first(raw.time, raw.eventTime),
    specversion: first(raw.specversion, raw.specVersion),
  };
}
