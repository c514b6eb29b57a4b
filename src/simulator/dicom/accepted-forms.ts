import { MIMEType } from 'node:util';
import { parseMediaTypes } from './media-types.js';
import { EXPLICIT_LITTLE_ENDIAN } from './read-part10.js';

/** A form in which a client accepts the files or frames that it retrieves. */
export type AcceptedForm = {
  readonly mediaType: string;
  readonly isMultipart: boolean;
  /** A transfer syntax, or `*`: as it was stored. */
  readonly syntax: string;
};

/** A media type with its transfer syntaxes. `fallback` is the one for a client that names none. */
type Supported = { readonly mediaType: string; readonly syntaxes: readonly string[]; readonly fallback: string };

/** Stands for a transfer syntax in an Accept header: the file as it was stored. */
export const AS_STORED = '*';
const JPEG_2000 = '1.2.840.10008.1.2.4.90';
const STORED_OR_LITTLE = [AS_STORED, EXPLICIT_LITTLE_ENDIAN];
const FILES: readonly Supported[] = [
  { mediaType: 'application/dicom', syntaxes: [...STORED_OR_LITTLE, JPEG_2000], fallback: EXPLICIT_LITTLE_ENDIAN },
];
const FRAMES: readonly Supported[] = [
  { mediaType: 'application/octet-stream', syntaxes: STORED_OR_LITTLE, fallback: EXPLICIT_LITTLE_ENDIAN },
  { mediaType: 'image/jp2', syntaxes: [JPEG_2000], fallback: JPEG_2000 },
];

/**
 * Returns the forms of an Accept header that the service supports, the most wanted first: multipart alone for `many`.
 */
export function acceptedForms(header: string | null, resource: 'many' | 'image' | 'frames'): AcceptedForm[] {
  const all = resource === 'frames' ? FRAMES : FILES;
  return (parseMediaTypes(header) ?? [new MIMEType('*/*')])
    .flatMap(({ essence, params }) => {
      const isAny = essence === '*/*';
      const isParts = essence === 'multipart/related';
      if (resource === 'many' && !isAny && !isParts) return [];
      const mediaType = isParts ? params.get('type')?.toLowerCase() : essence;
      const supported = isAny ? all[0] : all.find((one) => one.mediaType === mediaType);
      const asked = params.get('transfer-syntax');
      const syntax = asked ?? (isAny ? AS_STORED : supported?.fallback);
      if (!supported || syntax === undefined || !supported.syntaxes.includes(syntax)) return [];
      const form: AcceptedForm = { mediaType: supported.mediaType, isMultipart: isAny || isParts, syntax };
      return [{ form, quality: Number(params.get('q') ?? 1), isExact: asked === AS_STORED }];
    })
    .sort((a, b) => b.quality - a.quality || Number(b.isExact) - Number(a.isExact))
    .map(({ form }) => form);
}
