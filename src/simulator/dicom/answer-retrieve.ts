import type { SimulatorAnswer } from '../http.js';
import { uuidOf } from '../seeded.js';
import { type AcceptedForm, AS_STORED, acceptedForms } from './accepted-forms.js';
import { answerBytes, answerDicomJson, answerNothing, type Call, checkAcceptsJson, refuse } from './answers.js';
import { isUid } from './check-image.js';
import { isNative } from './convert-native.js';
import { framesOf } from './frames.js';
import { fileOf, metadataOf, part10Of } from './image-content.js';
import type { Image, ImageSelector } from './image-store.js';
import { writeMultipart } from './multipart.js';
import { EXPLICIT_LITTLE_ENDIAN } from './read-part10.js';

type Piece = { readonly content: Uint8Array; readonly syntax: string };

/** WADO-RS: answers with the files of a study, a series or an image. */
export function answerFiles(call: Call): SimulatorAnswer {
  const images = imagesOf(call);
  const form = formFor(call, images, call.params.instanceUid ? 'image' : 'many');
  const options = { isOriginal: wantsOriginal(call), isConverted: form.syntax === EXPLICIT_LITTLE_ENDIAN };
  const pieces = images.map((image) => ({ content: fileOf(image, options), syntax: syntaxIn(form, image) }));
  return answerPieces(call, form, pieces);
}

/** WADO-RS: answers with the frames of a path such as `frames/1,3`. */
export function answerFrames(call: Call): SimulatorAnswer {
  const { frames = '', ...params } = call.params;
  const numbers = frames.split(',').map((text) => (/^\s*\d{1,9}\s*$/.test(text) ? Number(text) : 0));
  if (numbers.some((number) => number < 1)) {
    throw refuse(400, `'${frames}' are no numbers of frames: the first is 1, and commas are between them.`);
  }
  const images = imagesOf({ ...call, params });
  const image = images[0] as Image;
  const form = formFor(call, images, 'frames');
  if (!form.isMultipart && numbers.length > 1) {
    throw refuse(400, 'A single part has one frame: accept multipart/related for several.');
  }

  const isConverted = form.syntax === EXPLICIT_LITTLE_ENDIAN;
  const found = framesOf(part10Of(image, { isConverted }), metadataOf(image));
  const beyond = numbers.find((number) => number > found.count);
  if (beyond !== undefined) throw refuse(404, `Frame ${beyond} cannot be found: the instance has ${found.count}.`);
  const pieces = numbers.map((number) => ({ content: found.frame(number), syntax: syntaxIn(form, image) }));
  return answerPieces(call, form, pieces);
}

/** WADO-RS: answers with metadata and its ETag, by which a client need not fetch it twice. */
export function answerMetadata(call: Call): SimulatorAnswer {
  checkAcceptsJson(call.request, 'Metadata');
  const images = imagesOf(call);
  const newest = images.reduce((number, image) => Math.max(number, image.sequenceNumber), 0);
  const etag = call.params.instanceUid ? `${newest}` : `${newest}-${images.length}`;
  if (call.request.headers.get('if-none-match')?.replace(/^W\/|"/g, '') === etag) return answerNothing(304);
  const options = { isOriginal: wantsOriginal(call) };
  const metadata = images.map((image) => metadataOf(image, options));
  return answerDicomJson(200, metadata, { etag });
}

/** Deletes a study, a series or an image. */
export function answerDelete({ store, partition, params }: Call): SimulatorAnswer {
  if (store.remove(partition, selectorOf(params)).length === 0) throw notFound(params);
  return answerNothing(204);
}

function imagesOf({ store, partition, params }: Call): Image[] {
  const images = store.find(partition, selectorOf(params));
  if (images.length === 0) throw notFound(params);
  return images;
}

function selectorOf({ studyUid = '', ...further }: Call['params']): ImageSelector {
  const wrong = Object.values({ studyUid, ...further }).find((uid) => !isUid(uid));
  if (wrong === undefined) return { studyUid, ...further };
  throw refuse(400, `'${wrong}' is no UID: at most 64 characters, of 0-9 and '.'.`);
}

function notFound({ seriesUid, instanceUid }: Call['params']): Error {
  const kind = instanceUid ? 'instance' : seriesUid ? 'series' : 'study';
  return refuse(404, `The specified ${kind} cannot be found.`);
}

function wantsOriginal({ request }: Call): boolean {
  return request.headers.get('msdicom-request-original')?.toLowerCase() === 'true';
}

/** Returns the first form in which all images can be sent: compressed pixels stay as they are. */
function formFor({ request }: Call, images: readonly Image[], resource: 'many' | 'image' | 'frames'): AcceptedForm {
  const forms = acceptedForms(request.headers.get('accept'), resource);
  const canGive = (syntax: string, stored: string) =>
    [AS_STORED, stored].includes(syntax) || (syntax === EXPLICIT_LITTLE_ENDIAN && isNative(stored));
  const form = forms.find(({ syntax }) => images.every(({ transferSyntax }) => canGive(syntax, transferSyntax)));
  if (form) return form;
  if (forms.length === 0) {
    throw refuse(406, 'The request headers are not acceptable: none of the Accept header is served here.');
  }
  const stored = [...new Set(images.map(({ transferSyntax }) => transferSyntax))].join(' and ');
  const wanted = forms.map(({ syntax }) => syntax).join(' or ');
  const problem = `Stored with transfer syntax ${stored}, asked for with ${wanted}`;
  throw refuse(406, `${problem}; the simulator does not convert pixels. Accept transfer-syntax=*.`);
}

function syntaxIn(form: AcceptedForm, image: Image): string {
  return form.syntax === AS_STORED ? image.transferSyntax : form.syntax;
}

function answerPieces({ random }: Call, form: AcceptedForm, pieces: readonly Piece[]): SimulatorAnswer {
  const parts = pieces.map(({ content, syntax }) => ({
    contentType: `${form.mediaType}; transfer-syntax=${syntax}`,
    content,
  }));
  const [first] = parts;
  if (!form.isMultipart && first) return answerBytes(first.contentType, first.content);
  const boundary = uuidOf(random);
  return answerBytes(`multipart/related; boundary=${boundary}`, writeMultipart(parts, boundary));
}
