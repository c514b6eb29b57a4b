import type { Row } from '../../../storage/table-store.js';
import type { AnsweredChange } from '../../dicom/answer-feed.js';
import type { Dataset } from '../../dicom/dataset.js';
import type { DicomService } from '../../dicom/dicom-service.js';
import { dicomEntries, rowsOfRun } from './reads.js';
import { type Checked, type CheckedRun, isNewestCompleted, type TableCheck } from './table-check.js';

const MODALITY = '00080060';
const STUDY_UID = '0020000D';

type StudiesRun = Pick<CheckedRun, 'tables' | 'since' | 'hasCompleted'> & {
  readonly services: { readonly dicom: Pick<DicomService, 'host' | 'answer'> };
  readonly newest: ReadonlyMap<string, { readonly n: number }>;
};

/** The state of a study in the service's own change feed and search. */
type Study = {
  /** The creation time of each existing image. */
  readonly images: Map<string, string>;
  readonly modalities: Set<string>;
  series: number;
  /** The newest event of an image is not completed, so the row cannot be checked. */
  isOpen: boolean;
};

/** Checks that each study, past or present, has a row with the study's content in the service. */
export const checkStudies = {
  workflow: 'imaging-studies',
  async check(run: StudiesRun): Promise<Checked> {
    const left = studiesIn(run);
    const problems: string[] = [];
    let rows = 0;
    for await (const row of rowsOfRun(run, 'studies')) {
      if (row.host !== run.services.dicom.host) continue;
      const key = keyOf(row.dicomPartition, row.studyUid);
      const study = left.get(key);
      left.delete(key);
      rows += 1;
      if (study === undefined) problems.push('a row is there for a study that never was, or twice');
      else if (!study.isOpen) problems.push(...differences(row, study));
    }
    for (const { isOpen, images } of left.values()) {
      if (!isOpen) problems.push(`a row is missing for a study of ${images.size} images`);
    }
    return { rows, problems };
  },
} satisfies TableCheck;

function studiesIn(run: StudiesRun): Map<string, Study> {
  const { dicom } = run.services;
  const studies = new Map<string, Study>();
  const partitions = new Set<string>();
  for (const entry of dicomEntries<AnsweredChange>(dicom, 'changefeed')) {
    const { partitionName, studyInstanceUid, sopInstanceUid, action, timestamp } = entry;
    const key = keyOf(partitionName, studyInstanceUid);
    const study = studies.get(key) ?? { images: new Map(), modalities: new Set(), series: 0, isOpen: false };
    studies.set(key, study);
    partitions.add(partitionName);
    const image = JSON.stringify([entry.seriesInstanceUid, sopInstanceUid]);
    if (action === 'create') study.images.set(image, timestamp);
    if (action === 'delete') study.images.delete(image);
    if (entry.state !== 'replaced') study.isOpen ||= !isNewestCompleted(run, imageOf(entry));
  }
  for (const partition of partitions) {
    for (const series of dicomEntries<Dataset>(dicom, `partitions/${encodeURIComponent(partition)}/series`)) {
      const study = studies.get(keyOf(partition, series[STUDY_UID]?.Value?.[0]));
      const modality = series[MODALITY]?.Value?.[0];
      if (study) study.series += 1;
      if (typeof modality === 'string') study?.modalities.add(modality);
    }
  }
  return studies;

  function imageOf(entry: AnsweredChange) {
    const { partitionName: partition, studyInstanceUid: studyUid, seriesInstanceUid: seriesUid } = entry;
    return { service: 'dicom', host: dicom.host, partition, studyUid, seriesUid, instanceUid: entry.sopInstanceUid };
  }
}

/** Returns one problem at most, with the names of columns and no values. */
function differences(row: Row, { images, modalities, series }: Study): string[] {
  const times = [...images.values()].sort();
  const expected = {
    instances: images.size,
    series,
    modalities: [...modalities].sort().join(','),
    firstSeenAt: times[0] ?? '',
    lastSeenAt: times.at(-1) ?? '',
  };
  const wrong = Object.entries(expected).flatMap(([name, value]) => (row[name] === value ? [] : [name]));
  const isStatusRight = images.size === 0 ? row.status === 'deleted' : /^(arriving|settled)$/.test(String(row.status));
  if (!isStatusRight) wrong.push('status');
  return wrong.length === 0 ? [] : [`a row is not as a study of ${images.size} images is: ${wrong.join(', ')}`];
}

function keyOf(partition: unknown, studyUid: unknown): string {
  return JSON.stringify([partition, studyUid]);
}
