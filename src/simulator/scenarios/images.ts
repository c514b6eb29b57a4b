import type { Random } from '../../clock.js';
import type { Dataset } from '../dicom/dataset.js';
import { between, pick } from './scenario.js';

/** The root under which everyone may make a UID from a UUID. */
const ROOT = '2.25';
const CT_IMAGE = '1.2.840.10008.5.1.4.1.1.2';
const MR_IMAGE = '1.2.840.10008.5.1.4.1.1.4';

export type Study = {
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly modality: 'CT' | 'MR';
  readonly patientId: string;
  readonly accession: string;
  readonly at: Date;
};

function makeUid(random: Random): string {
  const digits = Array.from({ length: 30 }, () => String(between(random, 0, 9))).join('');
  return `${ROOT}.${between(random, 1, 9)}${digits}`;
}

export function makeStudy(random: Random, at: Date): Study {
  return {
    studyUid: makeUid(random),
    seriesUid: makeUid(random),
    modality: pick(random, ['CT', 'MR'] as const),
    patientId: `M${between(random, 10_000_000, 99_999_999)}`,
    accession: `A${between(random, 100_000, 999_999)}`,
    at,
  };
}

/** Returns a small image without pixels, because only its events matter. */
export function makeImage(random: Random, study: Study, number: number): Dataset {
  const date = study.at.toISOString().slice(0, 10).replaceAll('-', '');
  return {
    '00080016': { vr: 'UI', Value: [study.modality === 'CT' ? CT_IMAGE : MR_IMAGE] },
    '00080018': { vr: 'UI', Value: [makeUid(random)] },
    '00080020': { vr: 'DA', Value: [date] },
    '00080050': { vr: 'SH', Value: [study.accession] },
    '00080060': { vr: 'CS', Value: [study.modality] },
    '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Simulated^Patient' }] },
    '00100020': { vr: 'LO', Value: [study.patientId] },
    '0020000D': { vr: 'UI', Value: [study.studyUid] },
    '0020000E': { vr: 'UI', Value: [study.seriesUid] },
    '00200013': { vr: 'IS', Value: [number] },
  };
}
