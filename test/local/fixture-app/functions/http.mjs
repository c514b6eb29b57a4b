import { app } from '@azure/functions';

const echo = async (request) => ({
  status: 201,
  headers: { 'x-echo': 'yes' },
  jsonBody: {
    method: request.method,
    params: request.params,
    query: Object.fromEntries(request.query),
    body: await request.text(),
  },
});

app.http('things', { methods: ['GET', 'POST'], route: 'things/{thingId}', authLevel: 'admin', handler: echo });
app.http('special', { methods: ['GET'], route: 'things/special', handler: () => ({ body: 'special' }) });
app.http('rest', { methods: ['GET'], route: 'c/{*path}', handler: echo });
app.http('nothing', { methods: ['GET'], handler: () => undefined });
app.http('throws', {
  methods: ['GET'],
  handler() {
    throw new Error('secret');
  },
});
