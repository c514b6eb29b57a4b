import { parseMediaTypes } from './media-types.js';
import { EXPLICIT_LITTLE_ENDIAN } from './read-part10.js';

/** One form in which a client accepts the files that it retrieves. */
export type Way = {
  readonly mediaType: string;
  readonly isMultipart: boolean;
  /** A transfer syntax, or `*`: as it was stored. */
  readonly syntax: string;
};

type Kind = { readonly mediaType: string; readonly syntaxes: readonly string[]; readonly fallback: string };

/** Stands for a transfer syntax in an Accept header: the file as it was stored. */
export const AS_STORED = '*';
const JPEG_2000 = '1.2.840.10008.1.2.4.90';
const STORED_OR_LITTLE = [AS_STORED, EXPLICIT_LITTLE_ENDIAN];
const FILES: readonly Kind[] = [
  { mediaType: 'application/dicom', syntaxes: [...STORED_OR_LITTLE, JPEG_2000], fallback: EXPLICIT_LITTLE_ENDIAN },
];
const FRAMES: readonly Kind[] = [
  { mediaType: 'application/octet-stream', syntaxes: STORED_OR_LITTLE, fallback: EXPLICIT_LITTLE_ENDIAN },
  { mediaType: 'image/jp2', syntaxes: [JPEG_2000], fallback: JPEG_2000 },
];

/**
 * Returns the forms of an Accept header that the service supports, the most wanted first: multipart alone for `many`.
 */
export function acceptedWays(header: string | null, resource: 'many' | 'image' | 'frames'): Way[] {
  const kinds = resource === 'frames' ? FRAMES : FILES;
  return (parseMediaTypes(header) ?? [{ type: '*/*', parameters: new Map<string, string>() }])
    .flatMap(({ type, parameters }) => {
      const isAny = type === '*/*';
      const isParts = type === 'multipart/related';
      if (resource === 'many' && !isAny && !isParts) return [];
      const mediaType = isParts ? parameters.get('type')?.toLowerCase() : type;
      const kind = isAny ? kinds[0] : kinds.find((one) => one.mediaType === mediaType);
      const asked = parameters.get('transfer-syntax');
      const syntax = asked ?? (isAny ? AS_STORED : kind?.fallback);
      if (!kind || syntax === undefined || !kind.syntaxes.includes(syntax)) return [];
      const way: Way = { mediaType: kind.mediaType, isMultipart: isAny || isParts, syntax };
      return [{ way, quality: Number(parameters.get('q') ?? 1), isExact: asked === AS_STORED }];
    })
    .sort((a, b) => b.quality - a.quality || Number(b.isExact) - Number(a.isExact))
    .map(({ way }) => way);
}
