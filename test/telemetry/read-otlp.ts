import type { Received } from './stand-in.js';

// Decodes OTLP by hand, as a collector does. The numbers of the fields are those of opentelemetry-proto.

type Value = string | number | boolean | undefined;
export type ReadAttributes = Record<string, Value>;
export type ReadPoint = {
  readonly attributes: ReadAttributes;
  readonly value: number;
  readonly count?: number;
  bounds?: number[];
};
export type ReadMetric = {
  readonly name: string;
  readonly unit: string;
  readonly kind: string;
  readonly points: ReadPoint[];
};
export type ReadSpan = {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  readonly isError: boolean;
  readonly attributes: ReadAttributes;
};
export type ReadLog = { readonly severity: number; readonly body: Value; readonly attributes: ReadAttributes };

/** Returns all that the requests hold, in their order. */
export function readOtlp(received: readonly Received[]) {
  const bodies = (path: string) => received.filter(({ url }) => url === path).map(({ body }) => body);
  return {
    resources: received.flatMap(({ body }) => all(body, 1).map((resource) => readAttributes(bytes(resource, 1), 1))),
    metrics: bodies('/v1/metrics').flatMap((body) => inScopes(body).map(readMetric)),
    spans: bodies('/v1/traces').flatMap((body) => inScopes(body).map(readSpan)),
    logs: bodies('/v1/logs').flatMap((body) => inScopes(body).map(readLog)),
  };
}

/** Returns the metrics, spans or log records, which are all at the same depth: request, resource, scope. */
function inScopes(body: Buffer): Buffer[] {
  return all(body, 1).flatMap((resource) => all(resource, 2).flatMap((scope) => all(scope, 2)));
}

function readMetric(metric: Buffer): ReadMetric {
  const kinds = { 5: 'gauge', 7: 'sum', 9: 'histogram' } as const;
  const [number, kind] = Object.entries(kinds).find(([at]) => all(metric, Number(at)).length > 0) ?? ['5', 'gauge'];
  const points = all(bytes(metric, Number(number)), 1).map((point) => {
    if (kind !== 'histogram') return { attributes: readAttributes(point, 7), value: readNumber(point) };
    const [sum, count] = [double(point, 5), Number(fixed(point, 4)?.readBigUInt64LE() ?? 0n)];
    const packed = bytes(point, 7);
    const bounds = Array.from({ length: packed.length / 8 }, (_, at) => packed.readDoubleLE(at * 8));
    return { attributes: readAttributes(point, 9), value: sum, count, bounds };
  });
  return { name: text(metric, 1), unit: text(metric, 3), kind, points };
}

function readNumber(point: Buffer): number {
  return fixed(point, 4) ? double(point, 4) : Number(fixed(point, 6)?.readBigInt64LE() ?? 0n);
}

function readSpan(span: Buffer): ReadSpan {
  const hex = (at: number) => bytes(span, at).toString('hex');
  return {
    name: text(span, 5),
    traceId: hex(1),
    spanId: hex(2),
    parentId: hex(4),
    isError: number(bytes(span, 15), 3) === 2,
    attributes: readAttributes(span, 9),
  };
}

function readLog(log: Buffer): ReadLog {
  return { severity: number(log, 2), body: readValue(bytes(log, 5)), attributes: readAttributes(log, 6) };
}

function readAttributes(message: Buffer, field: number): ReadAttributes {
  return Object.fromEntries(all(message, field).map((pair) => [text(pair, 1), readValue(bytes(pair, 2))]));
}

function readValue(value: Buffer): Value {
  if (all(value, 1).length > 0) return text(value, 1);
  if (fixed(value, 4)) return double(value, 4);
  return number(value, 3);
}

// ---- Protobuf: a field is its number and how it is written, then the value.

type Field = { readonly at: number; readonly varint?: number; readonly bytes?: Buffer };

function fieldsOf(message: Buffer): Field[] {
  const fields: Field[] = [];
  let offset = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message.readUInt8(offset);
      offset += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
  };
  const take = (length: number) => {
    offset += length;
    return message.subarray(offset - length, offset);
  };
  while (offset < message.length) {
    const tag = varint();
    const at = tag >>> 3;
    if ((tag & 7) === 0) fields.push({ at, varint: varint() });
    else fields.push({ at, bytes: take((tag & 7) === 1 ? 8 : (tag & 7) === 5 ? 4 : varint()) });
  }
  return fields;
}

const all = (message: Buffer, at: number) =>
  fieldsOf(message).flatMap((field) => (field.at === at && field.bytes ? [field.bytes] : []));
const bytes = (message: Buffer, at: number) => all(message, at)[0] ?? Buffer.alloc(0);
const fixed = (message: Buffer, at: number) => all(message, at)[0];
const text = (message: Buffer, at: number) => bytes(message, at).toString('utf8');
const double = (message: Buffer, at: number) => fixed(message, at)?.readDoubleLE() ?? 0;
const number = (message: Buffer, at: number) => fieldsOf(message).find((field) => field.at === at)?.varint ?? 0;
