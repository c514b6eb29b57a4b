/** A data set in the DICOM JSON model (PS3.18, F): by tag, eight hexadecimal digits. */
export type Dataset = Readonly<Record<string, Attribute>>;

/** An attribute. `vr` is its value representation, such as `PN` for the name of a person. */
export type Attribute = {
  readonly vr: string;
  readonly Value?: readonly unknown[];
  /** A binary value, in base64. */
  readonly InlineBinary?: string;
};

/** The tags that the service itself reads. */
export const TAG = {
  characterSet: '00080005',
  sopClassUid: '00080016',
  instanceUid: '00080018',
  studyUid: '0020000D',
  seriesUid: '0020000E',
  patientId: '00100020',
  modality: '00080060',
  modalitiesInStudy: '00080061',
} as const;

const TEXT_VRS = new Set('AE AS CS DA DS DT IS LO LT PN SH ST TM UC UI UR UT'.split(' '));
/** VRs that metadata leaves out. */
const BULK_VRS = new Set('OB OD OF OL OV OW UN'.split(' '));
/** VRs with a length of four bytes in explicit VR. */
const LONG_VRS = new Set([...BULK_VRS, 'SQ', 'SV', 'UC', 'UR', 'UT', 'UV']);

/** Returns whether the values of this VR are text. */
export const isText = (vr: string): boolean => TEXT_VRS.has(vr);
/** Returns whether metadata leaves out the values of this VR. */
export const isBulk = (vr: string): boolean => BULK_VRS.has(vr);
/** Returns whether explicit VR writes the length of this VR in four bytes, not in two. */
export const isLong = (vr: string): boolean => LONG_VRS.has(vr);

/** Returns the values of an attribute as text, without the padding; a person's name as a file has it. */
export function textsOf(attribute: Attribute | undefined): string[] {
  return (attribute?.Value ?? []).map((value) => withoutPadding(textOfValue(value)));
}

/** Returns the first value of an attribute as text; '' if the attribute has no value. */
export function firstText(dataset: Dataset, tag: string): string {
  return textsOf(dataset[tag])[0] ?? '';
}

/** Returns a value as text: '' for null, and the groups of a person's name with `=` between them. */
export function textOfValue(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'object') return String(value);
  const { Alphabetic = '', Ideographic = '', Phonetic = '' } = value as Record<string, unknown>;
  return `${Alphabetic}=${Ideographic}=${Phonetic}`.replace(/=+$/, '');
}

/** Returns `text` without the spaces and zero bytes at its end, which make the length of a value even. */
export function withoutPadding(text: string): string {
  return text.replace(/[\0 ]+$/, '');
}

/** Returns the attributes in the order of their tags, as the standard requires. */
export function sortByTag(dataset: Dataset): Dataset {
  return Object.fromEntries(Object.entries(dataset).sort(([a], [b]) => (a < b ? -1 : 1)));
}
