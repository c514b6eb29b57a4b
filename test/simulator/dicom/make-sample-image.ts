import { writeFileSync } from 'node:fs';
import { attributesOf, EXPLICIT, writeFile } from './files.js';

// Writes docs/sample-image.dcm, the image that docs/simulator.md sends:
//   node_modules/.bin/node --import ./test/local/run-typescript.mjs test/simulator/dicom/make-sample-image.ts

export const SAMPLE_IMAGE = 'docs/sample-image.dcm';
export const SAMPLE_INSTANCE = '2.25.305828488182831875890203105390285383139';
const EDGE = 32;

if (process.argv[1]?.endsWith('make-sample-image.ts')) writeFileSync(SAMPLE_IMAGE, sampleImage());

/** A slice of a CT of nobody: a bright disc on a dark ground. */
export function sampleImage(): Uint8Array {
  const attributes = attributesOf({
    '00080018': { vr: 'UI', Value: [SAMPLE_INSTANCE] },
    '0020000D': { vr: 'UI', Value: ['2.25.329800735698586629295641978511506172918'] },
    '0020000E': { vr: 'UI', Value: ['2.25.313929832374838372819372837483728193728'] },
    '00080090': { vr: 'PN', Value: [{ Alphabetic: 'Sample^Referring' }] },
    '00081090': { vr: 'LO', Value: ['Sample'] },
    '00081140': { vr: 'SQ', Value: [] },
    '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Sample^Patient' }] },
    '00100020': { vr: 'LO', Value: ['SAMPLE-1'] },
    '00280010': { vr: 'US', Value: [EDGE] },
    '00280011': { vr: 'US', Value: [EDGE] },
    '7FE00010': { vr: 'OW', Value: [disc()] },
  });
  return writeFile(attributes, EXPLICIT, SAMPLE_INSTANCE);
}

function disc(): ArrayBuffer {
  const pixels = new Uint16Array(EDGE * EDGE);
  const middle = (EDGE - 1) / 2;
  for (const n of pixels.keys()) {
    const distance = Math.hypot((n % EDGE) - middle, Math.floor(n / EDGE) - middle);
    pixels[n] = distance < middle ? Math.round(3000 - 100 * distance) : 0;
  }
  return pixels.buffer;
}
