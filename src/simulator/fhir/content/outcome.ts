export type Issue = {
  readonly severity: 'error' | 'warning' | 'information';
  readonly code: IssueCode;
  readonly diagnostics: string;
  /** The FHIRPath of the wrong element. */
  readonly expression?: string;
  readonly details?: { readonly text: string };
};

type IssueCode =
  | 'deleted'
  | 'exception'
  | 'forbidden'
  | 'informational'
  | 'invalid'
  | 'not-found'
  | 'not-supported'
  | 'processing'
  | 'required'
  | 'structure'
  | 'too-costly'
  | 'too-long';

/** Refuses a request: nothing has changed, and the error is the answer. */
export class FhirError extends Error {
  override readonly name = 'FhirError';
  readonly status: number;
  readonly issues: readonly Issue[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, issues: readonly Issue[], headers: Readonly<Record<string, string>> = {}) {
    super(issues.map(({ diagnostics }) => diagnostics).join(' '));
    this.status = status;
    this.issues = issues;
    this.headers = headers;
  }
}

/** Returns an error with one issue, for the caller to throw. */
export function refuse(status: number, code: IssueCode, diagnostics: string): FhirError {
  return new FhirError(status, [{ severity: 'error', code, diagnostics }]);
}

/** Returns the most frequent refusal: the request is wrong. `expression`: the FHIRPath of the wrong element. */
export function invalid(diagnostics: string, expression?: string): FhirError {
  return new FhirError(400, [{ severity: 'error', code: 'invalid', diagnostics, ...(expression && { expression }) }]);
}

/** Returns the OperationOutcome of the issues as JSON. */
export function outcomeText(issues: readonly Issue[]): string {
  return JSON.stringify({
    resourceType: 'OperationOutcome',
    issue: issues.map(({ expression, ...issue }) => ({ ...issue, ...(expression && { expression: [expression] }) })),
  });
}
