import { bodyOf, ORIGIN, patient, useSimulator } from './send-request.js';

const { world, send } = useSimulator();

describe('when a method is not allowed', () => {
  it.each([
    { path: '', method: 'POST' },
    { path: '', method: 'PUT' },
    { path: 'events', method: 'DELETE' },
    { path: 'runs', method: 'PUT' },
    { path: 'runs', method: 'DELETE' },
    { path: 'subscriptions', method: 'POST' },
    { path: 'subscriptions/mine', method: 'PATCH' },
  ])('given $method of /$path, then 405', async ({ path, method }) => {
    expect(await send(path, { method })).toMatchObject({ status: 405, jsonBody: { error: {} } });
  });
});

describe('when a body is not declared as JSON', () => {
  it.each([
    { path: '', method: 'PATCH', type: 'text/plain', body: { seed: 6 } },
    { path: 'runs', method: 'POST', type: 'text/plain', body: { scenario: 'clinic-day', events: 1 } },
    { path: 'runs', method: 'POST', type: '', body: '' },
    { path: 'subscriptions/mine', method: 'PUT', type: 'application/x-www-form-urlencoded', body: { properties: {} } },
  ])('given $method of /$path with "$type", then 415 says what is needed', async ({ path, method, type, body }) => {
    expect(await send(path, { method, type, body })).toMatchObject({
      status: 415,
      jsonBody: { error: { code: 'UnsupportedMediaType', message: expect.stringContaining('application/json') } },
    });
    expect(world.simulator.runs.list()).toEqual([]);
    expect(world.simulator.settings().seed).toBe(0);
  });
});

describe('when settings are changed', () => {
  it('given one setting, then the others stay', async () => {
    await send('', { method: 'PATCH', body: { timeScale: 60, seed: 5, chaos: { duplicates: 0.5 } } });

    await send('', { method: 'PATCH', body: { seed: 6 } });

    expect(world.simulator.settings()).toMatchObject({ timeScale: 60, seed: 6, chaos: { duplicates: 0.5 } });
  });

  it('given no setting, then nothing changes', async () => {
    expect(await send('', { method: 'PATCH' })).toMatchObject({ jsonBody: { settings: { timeScale: 1, seed: 0 } } });
  });

  it('given no JSON, then 400', async () => {
    expect(await send('', { method: 'PATCH', body: '{"seed":' })).toMatchObject({
      status: 400,
      jsonBody: { error: { code: 'InvalidRequest', message: '(body): is no JSON' } },
    });
  });

  it('given a run is under way, then the state shows it; else it shows none', async () => {
    expect(bodyOf(await send(''))).toMatchObject({ run: null });

    const { id } = bodyOf(
      await send('runs', { method: 'POST', body: { scenario: 'clinic-day', events: 50_000, rate: 10 } }),
    ) as { id: string };

    expect(bodyOf(await send(''))).toMatchObject({ run: { id, phase: 'making' } });
  });
});

describe('when runs are listed', () => {
  const short = (fields: object = {}) => ({
    method: 'POST',
    body: { scenario: 'clinic-day', events: 1, rate: 1000, ...fields },
  });

  it('given two runs, then both are listed, the newest first, with all scenarios', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 2; n += 1) {
      const { id } = bodyOf(await send('runs', short())) as { id: string };
      await world.ended(id);
      ids.unshift(id);
    }

    const { runs, scenarios } = bodyOf(await send('runs')) as { runs: { id: string }[]; scenarios: object[] };

    expect(runs.map(({ id }) => id)).toEqual(ids);
    expect(scenarios).toContainEqual({ name: 'outage', summary: expect.stringContaining('redriven') });
    expect(scenarios).toHaveLength(6);
  });

  it('given a seed, then the run has it; else each run has another', async () => {
    const seeds: number[] = [];
    for (const fields of [{ seed: 11 }, {}, {}]) {
      const { id, seed } = bodyOf(await send('runs', short(fields))) as { id: string; seed: number };
      await world.ended(id);
      seeds.push(seed);
    }

    expect(seeds[0]).toBe(11);
    expect(new Set(seeds).size).toBe(3);
    expect(seeds.every(Number.isInteger)).toBe(true);
  });

  it('given a slash at the end, then the Location of the run has one slash', async () => {
    const begun = await send('runs', { ...short(), url: `${ORIGIN}/runs/` });

    expect(begun).toMatchObject({ headers: { Location: `${ORIGIN}/runs/${(bodyOf(begun) as { id: string }).id}` } });
  });

  it('given a run is under way, then a second one is refused with the id of the first', async () => {
    const { id } = bodyOf(await send('runs', short({ events: 50_000, rate: 10 }))) as { id: string };

    expect(await send('runs', short())).toMatchObject({
      status: 409,
      jsonBody: { error: { code: 'RunUnderWay', message: expect.stringContaining(`/runs/${id}`) } },
    });
  });

  it.each([{ body: '{' }, {}])('given %j for a run, then 400, and no run has begun', async (sent) => {
    expect(await send('runs', { method: 'POST', ...sent })).toMatchObject({ status: 400 });

    expect(world.simulator.runs.list()).toEqual([]);
  });
});

describe('when a webhook subscribes', () => {
  const webhook = {
    method: 'PUT',
    body: {
      properties: {
        destination: { endpointType: 'WebHook', properties: { endpointUrl: 'https://hook.test/events' } },
        eventDeliverySchema: 'EventGridSchema',
      },
    },
  };

  it('given an answer without the code, then a GET of the validation URL confirms it, once', async () => {
    let code = '';
    world.answerWith((body) => {
      code = /"validationCode":"([^"]+)"/.exec(body)?.[1] ?? code;
      return 200;
    });
    expect(await send('subscriptions/hook', webhook)).toMatchObject({
      status: 201,
      jsonBody: { properties: { provisioningState: 'AwaitingManualAction' } },
    });

    expect(await send(`subscriptions?validationCode=${code}`)).toMatchObject({ status: 200 });

    expect(await send('subscriptions/hook')).toMatchObject({
      jsonBody: { properties: { provisioningState: 'Succeeded' } },
    });
    expect(await send(`subscriptions?validationCode=${code}`)).toMatchObject({ status: 400 });
  });

  it('given the endpoint refuses, then 400 says so, and there is no such subscription', async () => {
    world.answerWith(() => 500);

    expect(await send('subscriptions/hook', webhook)).toMatchObject({
      status: 400,
      jsonBody: { error: { code: 'Url validation' } },
    });

    expect(await send('subscriptions/hook')).toMatchObject({ status: 404 });
  });
});

describe('when the last events are listed', () => {
  it('given several events, then the newest is first, and a subject selects events by its end', async () => {
    for (const id of ['p1', 'p2', 'x-p1']) await send(`fhir/Patient/${id}`, patient(id));

    const subjects = async (query = '') =>
      (bodyOf(await send(`events${query}`)) as { events: { subject: string }[] }).events.map(
        ({ subject }) => subject.split('/Patient/')[1],
      );

    expect(await subjects()).toEqual(['x-p1', 'p2', 'p1']);
    expect(await subjects('?subject=p1')).toEqual(['x-p1', 'p1']);
    expect(await subjects('?subject=/p1')).toEqual(['p1']);
  });
});
