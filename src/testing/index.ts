export type { Content, DicomContent, FhirContent } from './content.js';
export { createFakeClock, type FakeClock } from './fake-clock.js';
export { dicomEvent, fhirEvent } from './sample-events.js';
export { createTestKit, type Logged, type TestKit } from './test-kit.js';
export type { TryOptions, TryResult } from './try-job.js';
