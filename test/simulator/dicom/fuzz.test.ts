import fc from 'fast-check';
import { BIG_ENDIAN, DEFLATED, EXPLICIT, fileOf, IMPLICIT, JPEG, uids } from './files.js';
import { jsonOf, multipartOf, openService } from './open-service.js';

const bytes = { '7FE00010': { vr: 'OB', Value: [Uint8Array.of(1, 2, 3, 4).buffer] } };
const good = fileOf(uids('1.9', '1.9.1', '1.9.1.1'));
const files = [EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED, JPEG].map((syntax) =>
  fileOf(syntax === JPEG ? bytes : {}, syntax),
);

type Damage = { at: number; byte: number }[];
const damage: fc.Arbitrary<Damage> = fc.array(
  fc.record({ at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), byte: fc.nat(255) }),
  { maxLength: 6 },
);

function damaged(whole: Uint8Array, changes: Damage, keep: number): Uint8Array {
  const copy = new Uint8Array(whole);
  for (const { at, byte } of changes) copy[Math.floor(at * copy.length)] = byte;
  return copy.subarray(0, Math.ceil(copy.length * keep));
}

/** Checks that every stored image can be read in every way, and that the published changes match the images. */
function expectConsistent({ service, published, get, json }: ReturnType<typeof openService>): void {
  const { images } = service.counts;
  expect(published).toHaveLength(images);
  const found: Record<string, { Value: string[] }>[] = json('instances?limit=200&includefield=all') ?? [];
  expect(found).toHaveLength(images);
  for (const { studyUid, seriesUid, instanceUid, sequenceNumber, partition } of published) {
    expect(service.images.image({ partition, studyUid, seriesUid, instanceUid })).toMatchObject({ sequenceNumber });
    const path = `studies/${studyUid}/series/${seriesUid}/instances/${instanceUid}`;
    expect(get(`${path}/metadata`).status).toBe(200);
    expect(get(path, { accept: 'application/dicom; transfer-syntax=*' }).status).toBe(200);
    expect([200, 406]).toContain(get(path, { accept: 'application/dicom' }).status);
    expect([200, 404, 406]).toContain(get(`${path}/frames/1`).status);
    const name = { '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Ünknown' }] } };
    expect(service.images.revise('Microsoft.Default', studyUid, name)).not.toEqual([]);
    published.pop();
    expect(get(path, { accept: 'application/dicom; transfer-syntax=*' }).status).toBe(200);
    expect(get(`${path}/metadata`).status).toBe(200);
  }
  expect(json('changefeed').length).toBeGreaterThanOrEqual(images);
}

describe('when what is sent is damaged', () => {
  it('given any bytes of a file changed or missing, then the other files are stored, and reads agree with them', () => {
    fc.assert(
      fc.property(
        fc.nat(files.length - 1),
        damage,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (which, changes, keep) => {
          const opened = openService();
          const bad = damaged(files[which] as Uint8Array, changes, keep);

          const answer = opened.store([bad, good]);

          expect([200, 202]).toContain(answer.status);
          const stored: unknown[] = jsonOf(answer)['00081199'].Value;
          expect(stored).toHaveLength(opened.service.counts.images);
          const names = { studyUid: '1.9', seriesUid: '1.9.1', instanceUid: '1.9.1.1' };
          expect(opened.service.images.image({ partition: 'Microsoft.Default', ...names })).toBeDefined();
          expectConsistent(opened);
        },
      ),
      { numRuns: 700 },
    );
  });

  it('given any bytes of a body changed or missing, then the answer is as documented, and reads agree with the store', () => {
    const { body, headers } = multipartOf([fileOf(), fileOf(uids('1.9', '1.9.1', '1.9.1.1'))]);
    fc.assert(
      fc.property(damage, fc.double({ min: 0, max: 1, noNaN: true }), (changes, keep) => {
        const opened = openService();

        const answer = opened.send('POST', 'studies', { headers, body: damaged(body as Uint8Array, changes, keep) });

        expect([200, 202, 204, 400, 409, 415]).toContain(answer.status);
        expectConsistent(opened);
      }),
      { numRuns: 500 },
    );
  });

  it('given any path, query, headers and body, then there is an answer, and nothing is stored', () => {
    const word = fc.oneof(
      fc.constant(''),
      fc.constantFrom(
        ...'studies series instances frames metadata changefeed latest partitions operations'.split(' '),
        ...'$bulkUpdate 1.2 1 % .. __proto__'.split(' '),
      ),
      fc.string({ maxLength: 8 }),
    );
    const pair = fc.tuple(
      fc.oneof(
        fc.constantFrom('limit', 'offset', 'PatientName', 'StudyDate', 'includefield', 'startTime', '__proto__'),
        fc.string(),
      ),
      fc.string(),
    );
    const header = fc.stringMatching(/^[ -~]{0,40}$/);
    fc.assert(
      fc.property(
        fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'FOO'),
        fc.array(word, { maxLength: 9 }),
        fc.array(pair, { maxLength: 3 }),
        fc.record({ accept: header, 'content-type': header, 'if-none-match': header }, { requiredKeys: [] }),
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((json) => Buffer.from(json)),
        ),
        (method, words, query, headers, body) => {
          const { service, published } = openService();

          const answer = service.answer({
            method,
            path: words.join('/'),
            query: new URLSearchParams(query),
            headers: new Headers(headers as Record<string, string>),
            body,
            base: 'http://localhost',
          });

          expect(answer.status).not.toBe(500);
          expect(published).toEqual([]);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
