// Everything that a workflow file imports. The parts are in src/workflow/.
export type { Streamed } from './clients/body.js';
export type { DicomJson, DicomReader, RenderedOptions } from './clients/dicom-reader.js';
export type { FhirParameters, FhirReader, FhirResource, FhirType, ResourceOf } from './clients/fhir-reader.js';
export type { Part } from './clients/multipart.js';
export { ReadError } from './clients/read-error.js';
export type { ReaderOf } from './clients/reader-of.js';
export { digest, keyedDigest, shardOf } from './digest.js';
export { type Duration, hours, minutes, seconds } from './duration.js';
export { NonRetriableError, RetryAfterError } from './errors.js';
export type { Change, DicomEvent, FhirEvent, HealthEvent } from './events/health-event.js';
export { afterApplying, appliedOfRow, orderOf, resourceOf, rowOfApplied } from './events/order.js';
export type { Row, Value } from './storage/table-store.js';
export type { Context, Task, TaskContext, WorkflowLog, WorkflowTable } from './workflow/context.js';
export { definedAt, defineWorkflow, WorkflowError } from './workflow/define-workflow.js';
export { type Lookup, type LookupContext, lookup } from './workflow/lookup.js';
export type { Workflow, WorkflowOptions } from './workflow/options.js';
export { dicom, type EventOf, fhir, type Selector, wants } from './workflow/selector.js';
export { type HostsAbsent, needsHosts, type Setting, type Setup } from './workflow/setup.js';
