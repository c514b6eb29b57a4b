import { inspect } from 'node:util';
import { createReaders } from '../../src/clients/readers.js';
import { createTelemetry } from '../../src/telemetry/telemetry.js';
import { defineWorkflow, dicom, fhir } from '../../src/workflow.js';
import { dicomRaw, expectLetters, fhirRaw, HOST, MARK, NAME, printed, WHOLE } from '../pipeline/marked-world.js';
import { createAccount, startApp } from '../pipeline/memory-app.js';
import { createQuickClock } from './quick-clock.js';
import { json, startService, status } from './stand-in.js';

// The service's answer holds a mark in every place, as the event does. No mark may leave the process.

const MARKED = { 'x-name': 'M4RK3R', location: 'https://m4rk3r.example/M4RK3R' };
const BODY = { resourceType: 'Patient', id: '7.M4RK3R', name: [{ family: NAME }] };
const FOREIGN = { resourceType: 'Bundle', link: [{ relation: 'next', url: 'https://m4rk3r.example/M4RK3R' }] };

async function readAll(answer: Parameters<typeof startService>[0], host = HOST) {
  await using service = await startService(answer);
  const account = createAccount();
  const errors: unknown[] = [];
  const look = defineWorkflow({
    name: 'look',
    on: [fhir('*'), dicom()],
    retry: { tries: 1 },
    async handle(_event, { resource }) {
      const reads =
        resource.service === 'fhir'
          ? [resource.current(), resource.version(), resource.read('Patient', NAME), resource.operation('$everything')]
          : [resource.instance(), resource.study(), resource.frames([1]), resource.rendered()];
      if (resource.service === 'fhir') {
        const search = async () => {
          for await (const _found of resource.search('Patient', { name: NAME })) break;
          for await (const _found of resource.search('Device', { name: NAME })) break;
        };
        reads.push(search() as never);
      }
      const failed = (await Promise.allSettled(reads)).flatMap((one) =>
        one.status === 'rejected' ? [one.reason] : [],
      );
      errors.push(...failed);
      if (failed.length > 0) throw failed[0];
    },
  });
  const lines: string[] = [];
  const telemetry = createTelemetry((_level, line) => lines.push(line));
  const listed = [{ host, url: service.url, audience: 'https://audience.example' }];
  const readers = createReaders({
    fhirHosts: listed,
    dicomHosts: listed,
    credential: { getToken: () => Promise.reject(new Error('M4RK3R')) },
    clock: createQuickClock().clock,
    random: account.random,
    telemetry,
  });
  const app = startApp(account, { workflows: [look], readerFor: readers.of });

  await app.pipeline.deliver([fhirRaw({ id: 'e1' }), dicomRaw('e2')]);

  const output = [...lines, ...app.lines, ...printed, JSON.stringify([telemetry.counters, app.counters])];
  return { account, app, errors, told: [...output, ...errors.map((error) => inspect(error, WHOLE))] };
}

describe('when a service is read', () => {
  it.each([
    { given: 'a refused token', answer: status(401, MARKED, NAME) },
    { given: 'a refusal', answer: status(403, MARKED, NAME) },
    { given: 'a bad request', answer: status(400, MARKED, JSON.stringify(BODY)) },
    { given: 'a failure', answer: status(500, MARKED, JSON.stringify(BODY)) },
    { given: 'a redirect', answer: status(302, MARKED) },
    { given: 'a wait', answer: status(503, { ...MARKED, 'retry-after': 'M4RK3R' }, NAME) },
    { given: 'what is not JSON', answer: status(200, MARKED, `<${NAME}>`) },
    {
      given: 'parts that are none',
      answer: status(200, { ...MARKED, 'content-type': 'multipart/M4RK3R;boundary=M4RK3R' }, NAME),
    },
    { given: 'another resource', answer: json({ ...BODY, resourceType: 'M4RK3R' }) },
    { given: 'a next page elsewhere', answer: json(FOREIGN) },
    {
      given: 'a broken connection',
      answer: ((request) => request.socket.resetAndDestroy()) as ReturnType<typeof json>,
    },
    { given: 'too much', answer: status(200, { ...MARKED, 'content-length': '99999999999' }) },
  ])('given $given, then errors, dead letters and logs have no part of the answer', async ({ answer }) => {
    const { account, app, errors, told } = await readAll(answer);

    expect(errors.length).toBeGreaterThan(0);
    expect(app.counters.jobsDeadLettered + app.counters.jobsRetried).toBeGreaterThan(0);
    expect(told.filter((text) => MARK.test(text))).toEqual([]);
    const reasons = [...account.blobs.inspect().values()].map((letter) => JSON.parse(letter).reason);
    expectLetters(account, reasons);
  });

  it('given a host that is not listed, then errors, dead letters and logs do not name it', async () => {
    const { account, errors, told } = await readAll(json(BODY), 'other.example');
    expect(errors.length).toBe(9);
    expect(told.filter((text) => MARK.test(text))).toEqual([]);
    expectLetters(account, ['non-retriable', 'non-retriable']);
  });
});
