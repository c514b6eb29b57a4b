import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readConfig } from '../../src/config.js';
import { createAzureStores } from '../../src/functions/azure-stores.js';
import { testConnection } from '../azurite/connection.js';

const NOBODY_LISTENS = 'https://127.0.0.1:1/account';

describe('when the stores of Azure are made', () => {
  it('given a connection string, then each store answers', async () => {
    const { tables, workflowTables, deadLetters, due, dueLong } = createAzureStores(
      readConfig({ EventStorage: testConnection() }),
    );

    expect(workflowTables).toBeUndefined();
    expect(await tables.list('nosuchtable')).toEqual([]);
    expect(await deadLetters.read('no such blob')).toBeUndefined();
    expect([await due.length(), await dueLong.length()]).toEqual([expect.any(Number), expect.any(Number)]);
  });

  it('given storage of the workflows, then their tables have a separate store', async () => {
    const config = readConfig({ EventStorage: testConnection(), WorkflowStorage: testConnection() });
    expect(await createAzureStores(config).workflowTables?.list('nosuchtable')).toEqual([]);
  });

  it('given an identity, then its token is requested at the first call, not before', async () => {
    await using identities = await startIdentityServer();
    const { tables } = createAzureStores(
      readConfig({
        EventStorage__tableServiceUri: NOBODY_LISTENS,
        EventStorage__blobServiceUri: NOBODY_LISTENS,
        EventStorage__queueServiceUri: NOBODY_LISTENS,
        EventStorage__credential: 'managedidentity',
        EventStorage__clientId: 'the-client',
      }),
    );
    expect(identities.asked).toEqual([]);

    await expect(tables.list('ledger')).rejects.toMatchObject({ code: 'unreachable' });

    expect(identities.asked).toEqual([{ client: 'the-client', resource: 'https://storage.azure.com' }]);
  });
});

/** Gives tokens as a function app in Azure gets them. */
async function startIdentityServer() {
  const asked: { client: string | null; resource: string | null }[] = [];
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
    asked.push({ client: searchParams.get('client_id'), resource: searchParams.get('resource') });
    response.setHeader('content-type', 'application/json');
    const token = { access_token: 'a token', expires_on: '4102444800', resource: searchParams.get('resource') };
    response.end(JSON.stringify({ ...token, token_type: 'Bearer', client_id: searchParams.get('client_id') }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  process.env.IDENTITY_ENDPOINT = `http://127.0.0.1:${(server.address() as AddressInfo).port}/msi/token`;
  process.env.IDENTITY_HEADER = 'a secret';
  return {
    asked,
    async [Symbol.asyncDispose]() {
      delete process.env.IDENTITY_ENDPOINT;
      delete process.env.IDENTITY_HEADER;
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
