import { parseMediaTypes } from './media-types.js';
import { EXPLICIT_LITTLE_ENDIAN } from './read-part10.js';

/** One way in which a client takes what it retrieves. */
export type Way = {
  readonly mediaType: string;
  readonly isMultipart: boolean;
  /** A transfer syntax, or `*`: as it was stored. */
  readonly syntax: string;
};

type Kind = { readonly mediaType: string; readonly syntaxes: readonly string[]; readonly fallback: string };

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

/** The ways of an Accept header that the service goes, the most wanted first. Studies and series come in parts alone. */
export function acceptedWays(header: string | null, resource: 'many' | 'image' | 'frames'): Way[] {
  const kinds = resource === 'frames' ? FRAMES : FILES;
  return (parseMediaTypes(header) ?? [{ type: '*/*', parameters: new Map<string, string>() }])
    .map(({ type, parameters }) => ({
      isAny: type === '*/*',
      isMultipart: type === 'multipart/related' || type === '*/*',
      mediaType: type === 'multipart/related' ? (parameters.get('type') ?? '').toLowerCase() : type,
      syntax: parameters.get('transfer-syntax'),
      quality: Number(parameters.get('q') ?? 1),
    }))
    .filter(({ isMultipart }) => isMultipart || resource !== 'many')
    .flatMap(({ isAny, isMultipart, mediaType, syntax, quality }) => {
      const kind = isAny ? kinds[0] : kinds.find((one) => one.mediaType === mediaType);
      const wanted = syntax ?? (isAny ? AS_STORED : kind?.fallback);
      if (!kind || wanted === undefined || !kind.syntaxes.includes(wanted)) return [];
      return [{ mediaType: kind.mediaType, isMultipart, syntax: wanted, quality, isExact: syntax === AS_STORED }];
    })
    .sort((a, b) => b.quality - a.quality || Number(b.isExact) - Number(a.isExact))
    .map(({ mediaType, isMultipart, syntax }) => ({ mediaType, isMultipart, syntax }));
}
