import type { ResourceOf, Row } from '../../workflow.js';
import { type Named, wordsOfName } from './names.js';
import { patientIn } from './references.js';

export type Identifier = { readonly system?: string; readonly value: string; readonly type?: string };
export type Name = Named & { readonly use?: string };
/** `resourceId`: where `reference` is of a patient of the same service. */
export type Link = { readonly type: string; readonly reference: string; readonly resourceId?: string };

/** What is kept of a living patient. */
export type Patient = {
  readonly host: string;
  readonly resourceId: string;
  readonly version: number;
  /** Of the name to show; a maiden or old name only where there is no other. */
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
  /** The patient of the same service that this one was merged into. */
  readonly replacedBy?: string;
  /** Not all of its names, identifiers and links had room here; by what is missing it is not found. */
  readonly isMore: boolean;
};

/** A property of a row takes 32 K characters. */
const MAX_CHARACTERS = 30_000;
const MAX_IDENTIFIERS = 100;
const MAX_NAMES = 20;
const MAX_LINKS = 20;
const MAX_WORDS = 40;
/** Of one text that is a column of its own. */
const MAX_TEXT_LENGTH = 1000;
const NAMES_TO_SHOW = ['official', 'usual'];
const NAMES_TO_HIDE = ['old', 'maiden', 'temp', 'nickname', 'anonymous'];

/** The content may be of anybody's making: what is not as FHIR has it is left out. `version`, where it says none. */
export function describePatient(
  content: ResourceOf<'Patient'>,
  { host, resourceId, version }: { host: string; resourceId: string; version: number },
): Patient {
  const identifiers = fitting(objectsIn(content.identifier).flatMap(identifierOf), MAX_IDENTIFIERS);
  const names = fitting(objectsIn(content.name).flatMap(nameOf), MAX_NAMES);
  const links = fitting(
    objectsIn(content.link).flatMap((link) => linkOf(link, host)),
    MAX_LINKS,
  );
  const shown = nameToShow(names.items);
  const family = shortText(shown?.family ?? shown?.text);
  const given = shortText(shown?.given?.join(' '));
  const replacedBy = links.items.find((link) => link.type === 'replaced-by' && link.resourceId)?.resourceId;
  const hasMoreWords = allWordsOf(names.items).length > MAX_WORDS;
  return {
    host,
    resourceId,
    version: versionOf(content) ?? version,
    ...optional({ family, given }),
    names: names.items,
    ...optional({ birthDate: shortText(content.birthDate), gender: shortText(content.gender) }),
    ...(typeof content.active === 'boolean' && { active: content.active }),
    ...deceasedOf(content),
    identifiers: identifiers.items,
    links: links.items,
    ...optional({ replacedBy }),
    isMore: identifiers.isMore || names.isMore || links.isMore || hasMoreWords,
  };
}

/** As columns: lists are JSON texts. */
export function rowOfPatient({ names, identifiers, links, ...plain }: Patient): Row {
  const lists = { names, identifiers, links };
  return { ...plain, ...Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, JSON.stringify(list)])) };
}

/** And back; the properties that a row has beside those of a patient are left out by who has put them there. */
export function patientOfRow({ names, identifiers, links, ...plain }: Row): Patient {
  const listIn = (json: unknown) => JSON.parse(String(json ?? '[]'));
  return { ...plain, names: listIn(names), identifiers: listIn(identifiers), links: listIn(links) } as Patient;
}

/** What it is found by: each word once. */
export function wordsOfPatient({ names }: Pick<Patient, 'names'>): string[] {
  return allWordsOf(names).slice(0, MAX_WORDS);
}

function allWordsOf(names: readonly Name[]): string[] {
  return [...new Set(names.flatMap(wordsOfName))];
}

function identifierOf({ system, value, type }: Fields): Identifier[] {
  const of = text(value);
  if (of === undefined) return [];
  const { coding, text: typeText } = fieldsOf(type);
  const code =
    objectsIn(coding)
      .map((one) => text(one.code))
      .find(Boolean) ?? text(typeText);
  return [{ ...optional({ system: text(system) }), value: of, ...optional({ type: code }) }];
}

function nameOf({ use, text: whole, family, given }: Fields): Name[] {
  const parts = (Array.isArray(given) ? given : []).flatMap((one) => text(one) ?? []);
  const name = {
    ...optional({ use: text(use), text: text(whole), family: text(family) }),
    ...(parts[0] && { given: parts }),
  };
  return name.text || name.family || parts[0] ? [name] : [];
}

function linkOf({ type, other }: Fields, host: string): Link[] {
  const reference = text(fieldsOf(other).reference);
  const ofType = text(type);
  if (reference === undefined || ofType === undefined) return [];
  return [{ type: ofType, reference, ...optional({ resourceId: patientIn(reference, host) }) }];
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

/** The first ones that have room in a column. */
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

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function objectsIn(value: unknown): Fields[] {
  return (Array.isArray(value) ? value : []).map(fieldsOf);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.toWellFormed() : undefined;
}

function shortText(value: unknown): string | undefined {
  return text(value)?.slice(0, MAX_TEXT_LENGTH).toWellFormed();
}

/** Without what is undefined. */
function optional<T extends Record<string, string | undefined>>(of: T): { [K in keyof T]?: string } {
  return Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: string;
  };
}
