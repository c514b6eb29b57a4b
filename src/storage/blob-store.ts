/**
 * What the app needs of one blob container, and no more. Whatever is not a value is thrown as a StorageError, and a
 * write that throws has an unknown outcome. The container is made when it is first needed.
 */
export type BlobStore = {
  /** Makes the container where it is absent, without a request that fails where it exists. */
  prepare(signal?: AbortSignal): Promise<void>;
  /** If-None-Match: *. `exists`: there is one of this name, and nothing was written. */
  create(
    name: string,
    content: string | Uint8Array,
    options?: CreateOptions,
    signal?: AbortSignal,
  ): Promise<'created' | 'exists'>;
  /** Byte for byte, of any size, without holding it. If-None-Match: *. `absent`: there is no blob `from`. */
  copy(
    from: string,
    to: string,
    options?: CreateOptions,
    signal?: AbortSignal,
  ): Promise<'created' | 'exists' | 'absent'>;
  /** For blobs that the app has written. Bytes that are not UTF-8 become U+FFFD. */
  read(name: string, signal?: AbortSignal): Promise<string | undefined>;
  /** For blobs that others have written: reads `maxBytes` at most. */
  readText(name: string, maxBytes: number, signal?: AbortSignal): Promise<BlobText | undefined>;
  /** Nothing happens where it is absent. */
  delete(name: string, signal?: AbortSignal): Promise<void>;
  /** In the order of the names; `next` of the page before goes on after it. */
  list(prefix: string, options: { limit: number; page?: string }, signal?: AbortSignal): Promise<BlobPage>;
};

/**
 * `about`: a few short texts that a list tells along with the name, so that nobody needs to read the content. Names are
 * of a-z; what is '' is not kept. Some 8 KB is the most that storage takes of them.
 */
export type CreateOptions = { readonly about?: About };
export type About = Readonly<Record<string, string>>;

/** `text` of a blob that is no text: as much of it as could be read, for people. */
export type BlobText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'not-text'; readonly why: 'too-large' | 'not-utf8'; readonly text: string };

/** Of the first bytes of a blob: more than `maxBytes` say that it is larger. */
export function decodeBlob(bytes: Uint8Array, maxBytes: number): BlobText {
  if (bytes.length > maxBytes) {
    return { kind: 'not-text', why: 'too-large', text: new TextDecoder().decode(bytes.subarray(0, maxBytes)) };
  }
  try {
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return { kind: 'not-text', why: 'not-utf8', text: new TextDecoder().decode(bytes) };
  }
}

export type ListedBlob = { name: string; createdAt: Date; about?: About };
export type BlobPage = { blobs: ListedBlob[]; next: string | undefined };

/** Without what is ''; undefined where nothing is left. */
export function aboutOrNothing(about: About | undefined): About | undefined {
  const kept = Object.entries(about ?? {}).filter(([, text]) => text !== '');
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}
