import { type DicomEvent, type DicomReader, digest } from '../../workflow.js';
import { createSharedRuns } from './shared-runs.js';

/** Returns the modality of the series of an image; undefined if the image is gone or has no modality. */
type FindModality = (event: DicomEvent, resource: DicomReader) => Promise<string | undefined>;

const MODALITY = '00080060';

/**
 * Returns a reader of modalities that shares reads. All images of a series have one modality, so images that arrive
 * together share a read: one is under way and one is queued. A shared read begins after the caller has joined, so its
 * result is not older than the event, even if the series was deleted and created again. If the shared read finds
 * nothing because its image is gone, the caller reads its own image.
 */
export function createFindModality(): FindModality {
  const shareRun = createSharedRuns<string | undefined>();

  return async (event, resource) => {
    const { host, partition, studyUid, seriesUid } = event;
    let isOwn = false;
    const found = await shareRun(digest(JSON.stringify([host, partition, studyUid, seriesUid])), (close) => {
      close();
      isOwn = true;
      return readModality(resource);
    });
    return found !== undefined || isOwn ? found : readModality(resource);
  };
}

async function readModality(resource: DicomReader): Promise<string | undefined> {
  const instance = await resource.instance();
  const modality = instance?.[MODALITY]?.Value?.[0];
  return typeof modality === 'string' && modality.trim() !== '' ? modality.trim() : undefined;
}
