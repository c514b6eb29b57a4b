import type { FhirResource } from './content/resource-rules.js';
import type { Version } from './store/version.js';

/** A request as the service handles it: from HTTP, from an entry of a bundle, or from a scenario. */
export type Call = {
  readonly method: string;
  /** Decoded. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  readonly header: (name: string) => string | null;
  readonly prefer: Prefer;
  readonly base: string;
  readonly body: CallBody;
  /** The id for what a POST creates, where others refer to it already. */
  readonly newId?: string | undefined;
};

/** The wishes of a client in the header Prefer. */
export type Prefer = {
  /** The content that the answer to a write should have. */
  readonly returns: 'minimal' | 'representation' | 'operationoutcome';
  /** True if parameters that are not supported are errors. */
  readonly isStrict: boolean;
};

/** The body, read when a call needs it. Each function throws a FhirError for a body of another kind. */
export type CallBody = {
  resource(): FhirResource;
  /** A bundle is returned as sent, because its entries are read one by one. */
  bundle(): Record<string, unknown>;
  jsonPatch(): unknown;
  form(): URLSearchParams;
};

/** The result of a call that succeeded. */
export type Result =
  /** The answer is this version of a resource. */
  | {
      readonly kind: 'version';
      readonly status: 200 | 201;
      readonly version: Version;
      readonly isWrite: boolean;
      readonly text?: string;
    }
  /** The answer is this JSON. */
  | { readonly kind: 'text'; readonly status: 200; readonly text: string }
  | {
      readonly kind: 'empty';
      readonly status: 204;
      readonly version?: Version | undefined;
      readonly headers?: Readonly<Record<string, string>>;
    };

/** Returns the weak ETag of a version, such as `W/"3"`. */
export function etagOf({ number }: Version): string {
  return `W/"${number}"`;
}
