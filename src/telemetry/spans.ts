import { type Attributes, type Context, ROOT_CONTEXT, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import type { Fields, Span, SpanName } from './telemetry.js';

/** A POST can have thousands of events; a trace of 50 is enough for an example. */
const MAX_CHILDREN = 50;
const TRACE_PARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Starts a span under `parent`. Undefined if the trace is not sent. */
export function startSpan(
  tracer: Tracer,
  name: SpanName,
  { fields = {}, parent }: { readonly fields: Fields | undefined; readonly parent: Context },
): Span | undefined {
  const title = name === 'workflow' && fields.workflow ? `workflow ${fields.workflow}` : name;
  const span = tracer.startSpan(title, { attributes: attributesOf(fields) }, parent);
  if (!span.isRecording()) return undefined;
  const context = trace.setSpan(ROOT_CONTEXT, span);
  let children = 0;
  return {
    child(childName, childFields) {
      children += 1;
      return children <= MAX_CHILDREN
        ? startSpan(tracer, childName, { fields: childFields, parent: context })
        : undefined;
    },
    end(endFields) {
      if (endFields) span.setAttributes(attributesOf(endFields));
      if (endFields?.errorCode) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}

/** Returns the parent of a span. The host sends an empty `traceparent` if tracing is off. */
export function parentOf(traceParent = ''): Context {
  const [, traceId, spanId, flags = '00'] = TRACE_PARENT.exec(traceParent) ?? [];
  if (traceId === undefined || spanId === undefined) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & 1,
    isRemote: true,
  });
}

function attributesOf({ numbers: _, ...fields }: Fields): Attributes {
  return fields;
}
