import { systemRandom } from '../../src/functions/random.js';
import { createAzureTableStore } from '../../src/storage/azure-table-store.js';
import { testConnection } from '../azurite/connection.js';

const store = createAzureTableStore({ kind: 'connection-string', connectionString: testConnection() });

describe('a transaction', () => {
  it('given values and keys with special characters, then they read as written', async () => {
    const table = `t${systemRandom.token().replaceAll(/[^A-Za-z0-9]/g, '')}`;
    await store.create(table);
    const text =
      'line end \u2028, paragraph end \u2029, "quotes", \\, --changesetresponse_, \r\n\r\nHTTP/1.1 500, 你好 🩺';
    const keys = ["it's", 'a b&c=d+e%20', 'ключ'];

    const written = await store.commit(
      table,
      "p'art",
      keys.map((key) => ({ kind: 'insert', key, row: { text, half: 0.5, large: 2 ** 40 } })),
    );

    expect(written).toMatchObject({ kind: 'done' });
    for (const key of keys) {
      const { stored } = await store.read(table, "p'art", key);
      expect(stored?.row).toEqual({ text, half: 0.5, large: 2 ** 40 });
    }
  });
});
