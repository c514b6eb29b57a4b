/**
 * One blob container. All failures are thrown as a StorageError. A write that throws has an unknown outcome. The
 * container is created when it is first needed.
 */
export type BlobStore = {
  /** Creates the container if it is absent. No request fails if it exists. */
  prepare(signal?: AbortSignal): Promise<void>;
  /** Creates a blob, with If-None-Match: *. `exists`: a blob has this name, and nothing was written. */
  create(
    name: string,
    content: string | Uint8Array,
    options?: CreateOptions,
    signal?: AbortSignal,
  ): Promise<'created' | 'exists'>;
  /** Copies the bytes of a blob of any size, in parts, with If-None-Match: *. `absent`: there is no blob `from`. */
  copy(
    from: string,
    to: string,
    options?: CreateOptions,
    signal?: AbortSignal,
  ): Promise<'created' | 'exists' | 'absent'>;
  /** Reads a blob that the app has written. Bytes that are not UTF-8 become U+FFFD. */
  read(name: string, signal?: AbortSignal): Promise<string | undefined>;
  /** Reads up to `maxBytes` of a blob that others have written. */
  readText(name: string, maxBytes: number, signal?: AbortSignal): Promise<BlobText | undefined>;
  /** Deletes a blob. Nothing happens if it is absent. */
  delete(name: string, signal?: AbortSignal): Promise<void>;
  /** Lists blobs by name. `page`: `next` of the page before. */
  list(prefix: string, options: { limit: number; page?: string }, signal?: AbortSignal): Promise<BlobPage>;
};

type CreateOptions = { readonly metadata?: BlobMetadata };
/**
 * The metadata of a blob: short texts that a list returns, so that the content need not be read. Names consist of a-z;
 * empty texts are not stored. Storage takes up to about 8 KB.
 */
export type BlobMetadata = Readonly<Record<string, string>>;

/** The text of a blob. For `not-text`, `text` is the readable part of it, for people. */
export type BlobText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'not-text'; readonly why: 'too-large' | 'not-utf8'; readonly text: string };

/** Returns the text of a blob. `bytes` are its first bytes; more than `maxBytes` mean that the blob is too large. */
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

/** `createdAt` is by storage's clock. */
export type ListedBlob = { name: string; createdAt: Date; metadata?: BlobMetadata };
/** `next` is the `page` of the next list; undefined on the last page. */
export type BlobPage = { blobs: ListedBlob[]; next: string | undefined };

/** Returns the texts that are not empty; undefined if there are none. */
export function withoutEmptyTexts(metadata: BlobMetadata | undefined): BlobMetadata | undefined {
  const kept = Object.entries(metadata ?? {}).filter(([, text]) => text !== '');
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}
