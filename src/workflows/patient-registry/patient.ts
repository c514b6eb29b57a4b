import { type Fields, fieldsOf, listOf, type ResourceOf, type Row, withoutUndefined } from '../../workflow.js';
import { type NameParts, wordsOfName } from './names.js';
import { patientIn } from './references.js';

/** An identifier as FHIR has it; `type` is the code or text of its type. */
type Identifier = { readonly system?: string; readonly value: string; readonly type?: string };
/** A name and its use, as FHIR has it. */
type Name = NameParts & { readonly use?: string };
/** A link to another record of the patient. `resourceId` is set if `reference` points into the same service. */
type Link = { readonly type: string; readonly reference: string; readonly resourceId?: string };

/** The data that the registry keeps of an existing patient. */
export type Patient = {
  readonly host: string;
  readonly resourceId: string;
  readonly version: number;
  /** The name to show; a maiden or old name only if there is no other. */
  readonly family?: string;
  readonly given?: string;
  readonly names: readonly Name[];
  readonly birthDate?: string;
  readonly gender?: string;
  readonly active?: boolean;
  readonly deceased?: boolean;
  readonly deceasedAt?: string;
  readonly identifiers: readonly Identifier[];
  readonly links: readonly Link[];
  /** The id of the patient of the same service that this patient was merged into. */
  readonly replacedBy?: string;
  /** Some names, identifiers or links had no room; a search by these does not find the patient. */
  readonly isMore: boolean;
};

/** A column holds 32 K characters. */
const MAX_CHARACTERS = 30_000;
const MAX_IDENTIFIERS = 100;
const MAX_NAMES = 20;
const MAX_LINKS = 20;
const MAX_WORDS = 40;
/** Limit of a text with its own column. */
const MAX_TEXT_LENGTH = 1000;
const NAMES_TO_SHOW = ['official', 'usual'];
const NAMES_TO_HIDE = ['old', 'maiden', 'temp', 'nickname', 'anonymous'];

/**
 * Returns what the registry keeps of `content`. Anything that is not as FHIR defines it is left out. `version` is
 * used if the content has none.
 */
export function describePatient(
  content: ResourceOf<'Patient'>,
  { host, resourceId, version }: { host: string; resourceId: string; version: number },
): Patient {
  const identifiers = fitting(listOf(content.identifier).flatMap(identifierOf), MAX_IDENTIFIERS);
  const names = fitting(listOf(content.name).flatMap(nameOf), MAX_NAMES);
  const allLinks = listOf(content.link).flatMap((link) => linkOf(link, host));
  const links = fitting(allLinks, MAX_LINKS);
  const shown = nameToShow(names.items);
  const hasMoreWords = allWordsOf(names.items).length > MAX_WORDS;
  return withoutUndefined({
    host,
    resourceId,
    version: versionOf(content) ?? version,
    family: shortText(shown?.family ?? shown?.text),
    given: shortText(shown?.given?.join(' ')),
    names: names.items,
    birthDate: shortText(content.birthDate),
    gender: shortText(content.gender),
    active: typeof content.active === 'boolean' ? content.active : undefined,
    ...deceasedOf(content),
    identifiers: identifiers.items,
    links: links.items,
    replacedBy: links.items.find((link) => link.type === 'replaced-by' && link.resourceId)?.resourceId,
    isMore: identifiers.isMore || names.isMore || links.isMore || hasMoreWords,
  });
}

/** Returns the columns of a patient. Lists become JSON texts. */
export function rowOfPatient({ names, identifiers, links, ...plain }: Patient): Row {
  const textIn = (list: unknown) => JSON.stringify(list);
  return { ...plain, names: textIn(names), identifiers: textIn(identifiers), links: textIn(links) };
}

/** Returns the patient of a row. The caller has removed all columns that are not of the patient. */
export function patientOfRow({ names, identifiers, links, ...plain }: Row): Patient {
  const listIn = (json: unknown) => JSON.parse(String(json ?? '[]'));
  return { ...plain, names: listIn(names), identifiers: listIn(identifiers), links: listIn(links) } as Patient;
}

/** Returns the words that a search finds the patient by, without duplicates. */
export function wordsOfPatient({ names }: Pick<Patient, 'names'>): string[] {
  return allWordsOf(names).slice(0, MAX_WORDS);
}

function allWordsOf(names: readonly Name[]): string[] {
  return [...new Set(names.flatMap(wordsOfName))];
}

function identifierOf({ system, value, type }: Fields): Identifier[] {
  const checkedValue = text(value);
  if (checkedValue === undefined) return [];
  const { coding, text: typeText } = fieldsOf(type);
  const [code = text(typeText)] = listOf(coding).flatMap((one) => text(one.code) ?? []);
  return [withoutUndefined({ system: text(system), value: checkedValue, type: code })];
}

function nameOf({ use, text: whole, family, given }: Fields): Name[] {
  const parts = (Array.isArray(given) ? given : []).flatMap((one) => text(one) ?? []);
  const name = withoutUndefined({
    use: text(use),
    text: text(whole),
    family: text(family),
    given: parts[0] ? parts : undefined,
  });
  return name.text || name.family || parts[0] ? [name] : [];
}

function linkOf({ type, other }: Fields, host: string): Link[] {
  const reference = text(fieldsOf(other).reference);
  const ofType = text(type);
  if (reference === undefined || ofType === undefined) return [];
  return [withoutUndefined({ type: ofType, reference, resourceId: patientIn(reference, host) })];
}

function nameToShow(names: readonly Name[]): Name | undefined {
  const rank = ({ use = '' }: Name) =>
    NAMES_TO_SHOW.includes(use) ? NAMES_TO_SHOW.indexOf(use) : NAMES_TO_HIDE.includes(use) ? 3 : 2;
  return [...names].sort((a, b) => rank(a) - rank(b))[0];
}

function deceasedOf({ deceasedBoolean, deceasedDateTime }: ResourceOf<'Patient'>) {
  const deceasedAt = shortText(deceasedDateTime);
  if (deceasedAt !== undefined) return { deceased: true, deceasedAt };
  return typeof deceasedBoolean === 'boolean' ? { deceased: deceasedBoolean } : {};
}

function versionOf({ meta }: ResourceOf<'Patient'>): number | undefined {
  const versionId = String(meta?.versionId ?? '');
  return /^\d{1,15}$/.test(versionId) ? Number(versionId) : undefined;
}

/** Returns the items that fit into a column, and whether any were left out. */
function fitting<T>(items: readonly T[], max: number): { items: T[]; isMore: boolean } {
  let characters = 0;
  const fit = items.slice(0, max).filter((item) => {
    const size = JSON.stringify(item).length + 1;
    if (characters + size > MAX_CHARACTERS) return false;
    characters += size;
    return true;
  });
  return { items: fit, isMore: fit.length < items.length };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.toWellFormed() : undefined;
}

function shortText(value: unknown): string | undefined {
  return text(value)?.slice(0, MAX_TEXT_LENGTH).toWellFormed();
}
