import type { Clock } from '../clock.js';
import { type BlobMetadata, type BlobPage, type BlobStore, decodeBlob, withoutEmptyTexts } from './blob-store.js';
import { fullSecond } from './storage-clock.js';

/** `inspect` returns the content of every blob by its name, for tests. */
type MemoryBlobStore = BlobStore & { inspect(): Map<string, string> };

type Blob = { content: Uint8Array; createdAt: Date; metadata: BlobMetadata | undefined };

/** Returns a blob container in memory. As in Blob Storage, `createdAt` is a full second. */
export function createMemoryBlobStore({ clock }: { clock: Pick<Clock, 'now'> }): MemoryBlobStore {
  const blobs = new Map<string, Blob>();
  function put(name: string, content: Uint8Array, metadata: BlobMetadata | undefined): 'created' | 'exists' {
    if (blobs.has(name)) return 'exists';
    blobs.set(name, { content, createdAt: fullSecond(clock), metadata: withoutEmptyTexts(metadata) });
    return 'created';
  }

  return {
    async prepare() {},
    create: async (name, content, { metadata } = {}) => put(name, Buffer.from(content), metadata),
    async copy(from, to, { metadata } = {}) {
      const content = blobs.get(from)?.content;
      return content ? put(to, content, metadata) : 'absent';
    },
    async read(name) {
      const content = blobs.get(name)?.content;
      return content && textOf(content);
    },
    async readText(name, maxBytes) {
      const content = blobs.get(name)?.content;
      return content && decodeBlob(content, maxBytes);
    },
    async delete(name) {
      blobs.delete(name);
    },
    async list(prefix, { limit, page }): Promise<BlobPage> {
      const found = [...blobs.entries()]
        .map(([name, { createdAt, metadata }]) => ({ name, createdAt, ...(metadata && { metadata }) }))
        .filter(({ name }) => name.startsWith(prefix) && (page === undefined || name > page))
        .sort((one, other) => (one.name < other.name ? -1 : 1));
      return { blobs: found.slice(0, limit), next: found.length > limit ? found[limit - 1]?.name : undefined };
    },
    inspect: () => new Map([...blobs].map(([name, { content }]) => [name, textOf(content)])),
  };
}

const decoder = new TextDecoder();

function textOf(content: Uint8Array): string {
  return decoder.decode(content);
}
