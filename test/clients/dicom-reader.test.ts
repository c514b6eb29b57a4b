import type { Part, Streamed } from '../../src/workflow.js';
import { failureOf, json, startReaders, startService, status } from './stand-in.js';

const INSTANCE = '/v2/studies/1.2.3/series/1.2.3.4/instances/1.2.3.4.5';
const DATASET = { '00080018': { vr: 'UI', Value: ['1.2.3.4.5'] } };
const TYPE = { 'content-type': 'multipart/related; type="application/octet-stream"; boundary=b1' };

async function contentOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const bytes of content) chunks.push(bytes);
  return Buffer.concat(chunks).toString('latin1');
}

async function contentsOf(parts: AsyncIterable<Part> | undefined): Promise<[string, string][] | undefined> {
  if (!parts) return undefined;
  const contents: [string, string][] = [];
  for await (const { contentType, content } of parts) contents.push([contentType, await contentOf(content)]);
  return contents;
}

describe('when a handler reads metadata', () => {
  it('given image, series and study, then each is asked for by its path', async () => {
    await using service = await startService(json([DATASET]), json([DATASET, DATASET]), json([DATASET]));
    const { dicom } = startReaders(service);
    const resource = dicom();

    expect(await resource.instance()).toEqual(DATASET);
    expect(await resource.series()).toEqual([DATASET, DATASET]);
    expect(await resource.study()).toEqual([DATASET]);

    expect(service.urls()).toEqual([
      `${INSTANCE}/metadata`,
      '/v2/studies/1.2.3/series/1.2.3.4/metadata',
      '/v2/studies/1.2.3/metadata',
    ]);
    expect(service.asked[0]?.accept).toBe('application/dicom+json');
  });

  it('given they are gone, then the image is undefined, and the lists are empty', async () => {
    await using service = await startService(status(404), status(410), status(204));
    const { dicom, counters } = startReaders(service);
    expect(await dicom().instance()).toBeUndefined();
    expect(await dicom().series()).toEqual([]);
    expect(await dicom().study()).toEqual([]);
    expect(counters).toMatchObject({ dicomReadsGone: 3 });
  });

  it.each([
    { body: '<html>', code: 'dicom-not-json' },
    { body: '{}', code: 'dicom-no-list' },
  ])('given $body, then the read fails with $code', async ({ body, code }) => {
    await using service = await startService(status(200, {}, body));
    expect(await failureOf(startReaders(service).dicom().study())).toMatchObject({ code });
  });

  it('given UIDs and a partition that are meant to lead elsewhere, then they stay in their segments', async () => {
    await using service = await startService(status(404));
    const { dicom } = startReaders(service);
    await dicom({ studyUid: '../x', seriesUid: 'a?b', instanceUid: 'c#d', partition: 'p/q' }).instance();
    expect(service.urls()).toEqual(['/v2/partitions/p%2Fq/studies/..%2Fx/series/a%3Fb/instances/c%23d/metadata']);
    expect(await failureOf(dicom({ studyUid: '..' }).study())).toMatchObject({ code: 'id-not-addressable' });
  });
});

describe('when a service has partitions', () => {
  it('given another partition than the default, then the path names the partition', async () => {
    await using service = await startService(json([DATASET]));
    await startReaders(service).dicom({ partition: 'clinic-b' }).study();
    expect(service.urls()).toEqual(['/v2/partitions/clinic-b/studies/1.2.3/metadata']);
  });

  it('given the default partition, and a service that wants its name, then later paths name it at once', async () => {
    await using service = await startService(status(400), json([DATASET]));
    const { dicom } = startReaders(service);

    expect(await dicom({ version: 1 }).study()).toEqual([DATASET]);
    expect(await dicom({ version: 2 }).study()).toEqual([DATASET]);

    const named = '/v2/partitions/Microsoft.Default/studies/1.2.3/metadata';
    expect(service.urls()).toEqual(['/v2/studies/1.2.3/metadata', named, named]);
  });

  it('given the service refuses both paths, then the next read begins with the short path again', async () => {
    await using service = await startService(status(400), status(400), json([DATASET]));
    const { dicom } = startReaders(service);
    expect(await failureOf(dicom({ version: 1 }).study())).toMatchObject({ code: 'dicom-http-400' });
    expect(await dicom({ version: 2 }).study()).toEqual([DATASET]);
    expect(service.urls().at(-1)).toBe('/v2/studies/1.2.3/metadata');
  });
});

describe('when a handler reads pixels', () => {
  it('given frames, then each is a stream, as it is stored', async () => {
    const body = '--b1\r\nContent-Type: image/jp2\r\n\r\none\r\n--b1\r\nContent-Type: image/jp2\r\n\r\nthree\r\n--b1--';
    await using service = await startService(status(200, TYPE, body));

    const parts = await startReaders(service).dicom().frames([1, 3]);

    expect(await contentsOf(parts)).toEqual([
      ['image/jp2', 'one'],
      ['image/jp2', 'three'],
    ]);
    expect(service.urls()).toEqual([`${INSTANCE}/frames/1,3`]);
    expect(service.asked[0]?.accept).toBe('multipart/related; type="application/octet-stream"; transfer-syntax=*');
  });

  it('given a frame without a multipart body, then it is the only part', async () => {
    await using service = await startService(status(200, { 'content-type': 'application/octet-stream' }, 'one'));
    const parts = await startReaders(service).dicom().frames([1]);
    expect(await contentsOf(parts)).toEqual([['application/octet-stream', 'one']]);
  });

  it.each([[[]], [[0]], [[1.5]], [[1, Number.NaN]]])(
    'given the frames %j, then no request is sent',
    async (numbers) => {
      await using service = await startService(status(404));
      expect(await failureOf(startReaders(service).dicom().frames(numbers))).toMatchObject({ code: 'frame-number' });
      expect(service.asked).toEqual([]);
    },
  );

  it('given a rendered image, then its stream has the requested type', async () => {
    await using service = await startService(status(200, { 'content-type': 'image/png' }, 'pixels'));
    const { dicom } = startReaders(service);

    const first = await dicom().rendered();
    const second = await dicom().rendered({ frame: 2, as: 'image/png', quality: 80 });

    expect(await contentOf(first?.content as AsyncIterable<Uint8Array>)).toBe('pixels');
    expect(second?.contentType).toBe('image/png');
    expect(service.urls()).toEqual([`${INSTANCE}/rendered`, `${INSTANCE}/frames/2/rendered?quality=80`]);
    expect(service.asked.map(({ accept }) => accept)).toEqual(['image/jpeg', 'image/png']);
  });

  it('given the image is gone, then the pixels are undefined', async () => {
    await using service = await startService(status(404));
    const { dicom } = startReaders(service);
    expect(await dicom().frames([1])).toBeUndefined();
    expect(await dicom().rendered()).toBeUndefined();
  });

  it('given more pixels than the memory for metadata, then all of them arrive', async () => {
    const CHUNK = Buffer.alloc(1024 * 1024);
    await using service = await startService(async (_request, response) => {
      for (let i = 0; i < 80; i += 1) {
        if (!response.write(CHUNK)) await new Promise((resolve) => response.once('drain', resolve));
      }
      response.end();
    });
    const image = await startReaders(service).dicom().rendered();
    let bytes = 0;
    let largest = 0;
    for await (const chunk of image?.content ?? []) {
      bytes += chunk.length;
      largest = Math.max(largest, chunk.length);
    }
    expect(bytes).toBe(80 * 1024 * 1024);
    expect(largest).toBeLessThan(1024 * 1024);
  });
});

describe('when a stream does not come to its end', () => {
  /** Reads an image of which only the beginning comes. `closed` resolves when its connection ends. */
  async function begin() {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const service = await startService((_request, response) => {
      response.once('close', resolve);
      response.writeHead(200, { 'content-type': 'image/jpeg' }).write('begin');
    });
    const readers = startReaders(service);
    const image = (await readers.dicom().rendered()) as Streamed;
    const chunks = image.content[Symbol.asyncIterator]();
    return {
      ...readers,
      closed,
      image,
      first: () => chunks.next(),
      second: () => failureOf(chunks.next()),
      [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
    };
  }

  it('given a broken connection, then the content so far is followed by a ReadError', async () => {
    await using service = await startService((_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('begin', () => response.socket?.destroy());
    });
    const image = await startReaders(service).dicom().rendered();
    const chunks = image?.content[Symbol.asyncIterator]();
    expect(Buffer.from((await chunks?.next())?.value).toString()).toBe('begin');
    expect(await failureOf(chunks?.next() as Promise<unknown>)).toMatchObject({ code: 'dicom-unreachable' });
  });

  it('given the handler is aborted in the middle, then the stream ends, and so does the connection', async () => {
    await using reading = await begin();
    await reading.first();
    const next = reading.second();

    reading.abort();

    expect(await next).toMatchObject({ code: 'dicom-aborted' });
    await reading.closed;
    expect(reading.limits()).toBe(0);
  });

  it('given no chunk arrives for 30 s, then the stream ends', async () => {
    await using reading = await begin();
    await reading.first();
    expect(reading.limits()).toBe(0); // the reader of a chunk has no time limit
    const next = reading.second();
    expect(reading.limits()).toBe(1);

    reading.expire();

    expect(await next).toMatchObject({ code: 'dicom-timeout' });
    await reading.closed;
  });

  it('given a stream that is never read, then the stream ends', async () => {
    await using reading = await begin();

    reading.expire();

    await reading.closed;
    expect(await failureOf(reading.first())).toMatchObject({ code: 'dicom-timeout' });
  });

  it('given a reader that stops, then the connection ends', async () => {
    await using reading = await begin();
    for await (const _chunk of reading.image.content) break;
    await reading.closed;
    expect(reading.limits()).toBe(0);
  });
});
