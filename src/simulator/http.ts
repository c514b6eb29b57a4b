/** A request to a simulated service. */
export type SimulatorRequest = {
  readonly method: string;
  /** The path after `base` as it was sent: not decoded, without a slash at its beginning. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: { get(name: string): string | null };
  readonly body: Uint8Array;
  /** The absolute URL of the service, without a slash at its end. Links in answers begin with it. */
  readonly base: string;
  /** The version of the API in a DICOM path; v2 if left out. */
  readonly version?: DicomVersion;
};

/** The only part of v1 that the DICOM service has is the change feed. */
export type DicomVersion = 'v1' | 'v2';

export type SimulatorAnswer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
};

/** Refuses a request: nothing has changed, and `answer` is the answer. */
export class Refusal<Answer> extends Error {
  override readonly name = 'Refusal';
  readonly answer: Answer;

  constructor(answer: Answer, message = 'The request was refused.') {
    super(message);
    this.answer = answer;
  }
}
