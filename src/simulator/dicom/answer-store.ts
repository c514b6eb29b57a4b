import type { SimulatorAnswer } from '../http.js';
import { answerDicomJson, answerNothing, type Call, checkAcceptsJson, refuse } from './answers.js';
import { isUid, REASON } from './check-image.js';
import type { Attribute, Dataset } from './dataset.js';
import { parseMediaTypes } from './media-types.js';
import { type Part, readMultipart } from './multipart.js';
import { refuseFile, type Stored, storeImage } from './store-image.js';

/** Warning reasons of the service (0008,1196). */
const IMPLICIT_VR = 45063;
const WRONG_VALUES = 1;

/** STOW-RS: stores every part that is valid, whatever the other parts are. */
export function answerStore({ request, store, partition, studies, params, maxBodyBytes }: Call): SimulatorAnswer {
  const { headers, body } = request;
  const { studyUid } = params;
  checkAcceptsJson(request, 'The answer to a store');
  if (studyUid !== undefined && !isUid(studyUid)) throw refuse(400, `'${studyUid}' is no UID of a study.`);
  if (body.length > maxBodyBytes) {
    const limit = `exceeds the allowed limit of ${maxBodyBytes} bytes`;
    throw refuse(413, `The request has ${body.length} bytes, and ${limit}.`);
  }
  const parts = readParts(headers.get('content-type'), body);
  if (parts.length === 0) return answerNothing(204);

  const outcomes = parts.map((part) =>
    part.isWhole ? storeImage(part.content, { store, partition, studyUid }) : BROKEN_PART,
  );
  return answerOutcomes(outcomes, { studies, studyUid });
}

const BROKEN_PART = refuseFile(REASON.processing, ['The part has no headers, or the body ends before it does.']);

/** Returns the parts of a request. */
function readParts(contentType: string | null, body: Uint8Array): Part[] {
  const [media] = parseMediaTypes(contentType) ?? [];
  if (media?.essence === 'application/dicom') return [{ contentType: media.essence, content: body, isWhole: true }];
  if (media?.essence !== 'multipart/related') {
    throw refuse(415, `The specified content type '${contentType}' is not supported: ${SUPPORTED}.`);
  }
  const boundary = media.params.get('boundary');
  if (!boundary) throw refuse(415, `The content type '${contentType}' is missing its boundary.`);
  if (media.params.has('start')) {
    throw refuse(400, 'The start parameter of multipart/related is not supported.');
  }
  const parts = readMultipart(body, boundary);
  if (!parts) throw refuse(400, `No part begins: a line '--${boundary}' is not in the body.`);

  const rootType = media.params.get('type');
  const typeOf = (part: Part, at: number) => part.contentType ?? (at === 0 ? rootType : undefined) ?? null;
  const other = parts.findIndex(
    (part, at) => part.isWhole && parseMediaTypes(typeOf(part, at))?.[0]?.essence !== 'application/dicom',
  );
  if (other < 0) return parts;
  const found = parts[other]?.contentType ?? 'none';
  throw refuse(415, `The content type of part ${other + 1} is ${found}: ${SUPPORTED}. Nothing was stored.`);
}

const SUPPORTED = 'multipart/related; type="application/dicom", and application/dicom, are';

function answerOutcomes(
  outcomes: readonly Stored[],
  { studies, studyUid }: { studies: string; studyUid: string | undefined },
): SimulatorAnswer {
  const stored = outcomes.filter((outcome) => outcome.status === 'stored');
  const failed = outcomes.filter((outcome) => outcome.status !== 'stored');
  const references = stored.map((outcome) => referenceOf(outcome, studies));
  const hasWarnings = references.some((reference) => reference[WARNING_REASON]);
  const isPartial = stored.length > 0 && (failed.length > 0 || hasWarnings);
  return answerDicomJson(stored.length === 0 ? 409 : isPartial ? 202 : 200, {
    ...(stored.length > 0 && studyUid !== undefined && { '00081190': { vr: 'UR', Value: [`${studies}/${studyUid}`] } }),
    ...(failed.length > 0 && { '00081198': { vr: 'SQ', Value: failed.map(failureOf) } }),
    ...(stored.length > 0 && { '00081199': { vr: 'SQ', Value: references } }),
  });
}

const WARNING_REASON = '00081196';

function referenceOf(outcome: Extract<Stored, { status: 'stored' }>, studies: string): Dataset {
  const { entry, isImplicit, problems } = outcome;
  const { studyUid, seriesUid, instanceUid } = entry.name;
  const url = `${studies}/${studyUid}/series/${seriesUid}/instances/${instanceUid}`;
  const warning = isImplicit ? IMPLICIT_VR : problems.length > 0 ? WRONG_VALUES : undefined;
  return {
    ...sopOf(outcome),
    '00081190': { vr: 'UR', Value: [url] },
    ...(warning !== undefined && { [WARNING_REASON]: { vr: 'US', Value: [warning] } }),
    '00741048': { vr: 'SQ' }, // API v2 sends the sequence without items too.
    ...commentsOf(problems),
  };
}

function failureOf(outcome: Exclude<Stored, { status: 'stored' }>): Dataset {
  const reason = { '00081197': { vr: 'US', Value: [outcome.reason] } };
  return { ...sopOf(outcome), ...reason, ...commentsOf(outcome.problems) };
}

function sopOf({ sopClassUid, instanceUid }: Stored): Dataset {
  return {
    ...(sopClassUid && { '00081150': { vr: 'UI', Value: [sopClassUid] } }),
    ...(instanceUid && { '00081155': { vr: 'UI', Value: [instanceUid] } }),
  };
}

/** Returns the Failed Attributes Sequence, with an Error Comment for each problem. */
export function commentsOf(problems: readonly string[]): Readonly<Record<string, Attribute>> {
  if (problems.length === 0) return {};
  return { '00741048': { vr: 'SQ', Value: problems.map((text) => ({ '00000902': { vr: 'LO', Value: [text] } })) } };
}
