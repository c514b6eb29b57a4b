/**
 * What the app needs of one blob container, and no more. Whatever is not a value is thrown as a StorageError, and a
 * write that throws has an unknown outcome. The container is made when it is first needed.
 */
export type BlobStore = {
  /** If-None-Match: *. `exists`: there is one of this name, and nothing was written. */
  create(name: string, content: string, signal?: AbortSignal): Promise<'created' | 'exists'>;
  read(name: string, signal?: AbortSignal): Promise<string | undefined>;
  /** Nothing happens where it is absent. */
  delete(name: string, signal?: AbortSignal): Promise<void>;
  /** In the order of the names; `next` of the page before goes on after it. */
  list(prefix: string, options: { limit: number; page?: string }, signal?: AbortSignal): Promise<BlobPage>;
};

export type BlobPage = { blobs: { name: string; createdAt: Date }[]; next: string | undefined };
