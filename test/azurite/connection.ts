/** The connection string of the Azurite that the tests share. */
export function testConnection(): string {
  const connection = process.env.TEST_STORAGE;
  if (!connection)
    throw new Error('TEST_STORAGE is not set: run the tests with jest, whose global setup starts Azurite.');
  return connection;
}
