/**
 * What the app needs of one blob container, and no more. Whatever is not a value is thrown as a StorageError, and a
 * write that throws has an unknown outcome. The container is made when it is first needed.
 */
export type BlobStore = {
  /** If-None-Match: *. `exists`: there is one of this name, and nothing was written. */
  create(name: string, content: string, options?: CreateOptions, signal?: AbortSignal): Promise<'created' | 'exists'>;
  read(name: string, signal?: AbortSignal): Promise<string | undefined>;
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

export type ListedBlob = { name: string; createdAt: Date; about?: About };
export type BlobPage = { blobs: ListedBlob[]; next: string | undefined };

/** Without what is ''; undefined where nothing is left. */
export function aboutOrNothing(about: About | undefined): About | undefined {
  const kept = Object.entries(about ?? {}).filter(([, text]) => text !== '');
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}
