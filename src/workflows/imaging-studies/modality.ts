import { type DicomEvent, type DicomReader, digest } from '../../workflow.js';
import { createSharedRuns } from './shared-runs.js';

/** The modality of the series that an image is of; undefined where the image is gone or has none. */
export type FindModality = (event: DicomEvent, resource: DicomReader) => Promise<string | undefined>;

const MODALITY = '00080060';

/**
 * All images of a series have one modality, so those that arrive together share a read: one is under way and one in
 * line, however many ask. A shared read begins after who asks has come, so what it finds is not older than the event,
 * also where the series was deleted and made anew. Whose shared read finds nothing, since that image is gone, reads its
 * own.
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
