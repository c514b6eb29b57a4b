/** The properties of GET /api/simulator that the page reads. */
export type SimulatorState = {
  readonly settings: { readonly chaos: { readonly downMs: number; readonly downEveryMs: number } };
  readonly services: Readonly<Record<string, { readonly fhir: Switch; readonly dicom: Switch }>>;
};
type Switch = { readonly events: boolean };

/** The properties of GET /api/simulator/events that the page reads. */
export type SimulatedEvents = {
  readonly events: readonly { readonly id: string; readonly type: string; readonly time: string }[];
};

/** The properties of GET /api/simulator/runs that the page reads. */
export type SimulatedRuns = {
  readonly runs: readonly Run[];
  readonly scenarios: readonly { readonly name: string; readonly summary: string }[];
};
export type Run = {
  readonly id: string;
  readonly scenario: string;
  readonly seed: number;
  readonly phase: 'making' | 'delivering' | 'redriving' | 'reconciling' | 'checking' | 'done' | 'stopped' | 'failed';
  readonly events: number;
  readonly made: number;
  readonly pending: number;
  readonly startedAt: string;
  readonly error: string | null;
  readonly verdict: Verdict | null;
};
export type Verdict = {
  readonly ok: boolean;
  readonly events: Readonly<Record<'sent' | 'settled' | 'deadLettered' | 'rejected' | 'lost', number>>;
  readonly lagMs: { readonly p50: number; readonly p99: number } | null;
  readonly problems: readonly string[];
};
