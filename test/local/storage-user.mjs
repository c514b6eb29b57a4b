import { systemClock } from '../../src/clock.js';
import { namesStorage, readConfig } from '../../src/config.js';
import { StartError } from '../../src/local/host/start-error.js';
import { provideStorage } from '../../src/local/provide-storage.js';

// node storage-user.mjs <folder>: provides storage as npm start does, says which, and releases it at SIGTERM.
const end = new Promise((resolve) => process.once('SIGTERM', resolve));
try {
  const storage = namesStorage() ? readConfig().storage : undefined;
  const azurite = await provideStorage(process.argv[2], storage, systemClock);
  console.log(`provided ${azurite?.connectionString ?? 'as it is'}`);
  const alive = setInterval(() => {}, 60_000);
  await end;
  await azurite?.release();
  clearInterval(alive);
  console.log('released');
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  console.log(error.message);
  process.exitCode = 1;
}
