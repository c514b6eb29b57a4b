import base from '../../jest.config.mjs';

const { globalSetup: _start, globalTeardown: _stop, transform, ...rest } = base;
const [, options] = Object.values(transform)[0];

/** The simulations need no Azurite. */
export default {
  ...rest,
  rootDir: new URL('../..', import.meta.url).pathname,
  transform: { '^.+\\.ts$': ['<rootDir>/test/mutations/transform.cjs', options] },
};
