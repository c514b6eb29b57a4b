import type { ImageName } from '../changes.js';
import { type Attribute, type Dataset, firstText, TAG, textOfValue, textsOf } from './dataset.js';
import { problemOfValue } from './value-rules.js';

/** The result of a check. As API v2, a store refuses only images without the values that it needs. */
type Check = {
  /** The reason of the refusal; undefined if the image can be stored. */
  readonly reason?: number;
  readonly problems: readonly string[];
  /** Tags of attributes that metadata and the index leave out. */
  readonly wrong: readonly string[];
};

export type Uids = Omit<ImageName, 'partition'>;

/** Failure reasons of the service (0008,1197). */
export const REASON = { processing: 272, validation: 43264, otherStudy: 43265, exists: 45070 } as const;

const NEEDED_UIDS = [TAG.sopClassUid, TAG.studyUid, TAG.seriesUid, TAG.instanceUid];
/** These attributes stay even with wrong values: an image has no name without them. */
const NAMES: readonly string[] = [TAG.studyUid, TAG.seriesUid, TAG.instanceUid];
/** Leading zeros are accepted. */
const LENIENT_UID = /^[0-9.]*[0-9]$/;

/** Returns whether the service accepts `text` as a UID: up to 64 digits and dots, with a digit at its end. */
export function isUid(text: string): boolean {
  return text.length <= 64 && LENIENT_UID.test(text);
}

/** Returns the UIDs that name an image; '' for a missing UID. */
export function uidsOf(dataset: Dataset): Uids {
  const [studyUid = '', seriesUid = '', instanceUid = ''] = NAMES.map((tag) => firstText(dataset, tag));
  return { studyUid, seriesUid, instanceUid };
}

/** Checks an image before the store. `studyUid` is given where the request names the study. */
export function checkImage(dataset: Dataset, studyUid?: string): Check {
  const lacking = missingProblem(dataset);
  if (lacking) return refuseImage(REASON.validation, [lacking]);
  if (studyUid !== undefined && firstText(dataset, TAG.studyUid) !== studyUid) {
    const text = 'The StudyInstanceUID of the image is not that of the request.';
    return refuseImage(REASON.otherStudy, [problem(TAG.studyUid, text)]);
  }
  const needed = [...NEEDED_UIDS, TAG.patientId].flatMap((tag) => neededProblem(dataset, tag) ?? []);
  if (needed.length > 0) return refuseImage(REASON.validation, needed);

  const found = new Map<string, string>();
  const wrong = findProblems(dataset, found).filter((tag) => !NAMES.includes(tag));
  if (!dataset[TAG.patientId]?.Value) found.set(TAG.patientId, missing(TAG.patientId)); // empty: only a warning
  return { wrong, problems: [...found.values()] };
}

/** Returns a problem in the words of the service: DICOM100 stands for a value that fails validation. */
export function problem(tag: string, text: string): string {
  return `DICOM100: ${tagText(tag)} - ${text}`;
}

/**
 * Puts every problem into `found`, those inside of sequences too, each tag once. Returns the tags that are wrong here.
 */
export function findProblems(dataset: Dataset, found: Map<string, string>): string[] {
  return Object.entries(dataset).flatMap(([tag, attribute]) => {
    if (attribute.vr === 'SQ') for (const item of attribute.Value ?? []) findProblems(item as Dataset, found);
    const text = problemOf(tag, attribute);
    if (text && !found.has(tag)) found.set(tag, text);
    return text ? [tag] : [];
  });
}

function problemOf(tag: string, { vr, Value = [] }: Attribute): string | undefined {
  for (const value of Value) {
    const reason = problemOfValue(vr, value);
    if (reason) return problem(tag, `Content "${textOfValue(value)}" does not validate VR ${vr}: ${reason}`);
  }
  return undefined;
}

function missingProblem(dataset: Dataset): string | undefined {
  const uid = NEEDED_UIDS.find((tag) => textsOf(dataset[tag]).length !== 1);
  if (uid) return missing(uid);
  return dataset[TAG.patientId] ? undefined : missing(TAG.patientId);
}

function missing(tag: string): string {
  return problem(tag, `The required tag '${tagText(tag)}' is missing.`);
}

function neededProblem(dataset: Dataset, tag: string): string | undefined {
  const attribute = dataset[tag] ?? { vr: 'UN' };
  const expected = tag === TAG.patientId ? 'LO' : 'UI';
  if (attribute.vr !== expected) return problem(tag, `It has VR ${attribute.vr}, where ${expected} is expected.`);
  if (expected === 'LO') return problemOf(tag, attribute);
  const uid = firstText(dataset, tag);
  return isUid(uid) ? undefined : problem(tag, `Content "${uid}" is no UID: at most 64 characters, of 0-9 and '.'.`);
}

function tagText(tag: string): string {
  return `(${tag.slice(0, 4)},${tag.slice(4)})`.toLowerCase();
}

function refuseImage(reason: number, problems: readonly string[]): Check {
  return { reason, problems, wrong: [] };
}
