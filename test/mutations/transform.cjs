const { createHash } = require('node:crypto');
const { relative, sep } = require('node:path');
const { createTransformer } = require('@swc/jest');
const { mutate } = require('./mutate.ts');

/** The project's transform, but with one rule left out of one file: the environment's MUTATION is the mutation. */
module.exports = {
  createTransformer(options) {
    const swc = createTransformer(options);
    const mutation = JSON.parse(process.env.MUTATION);
    const mutated = (source, path, { config }) =>
      relative(config.rootDir, path).split(sep).join('/') === mutation.file ? mutate(source, mutation) : source;
    return {
      ...swc,
      process: (source, path, rest) => swc.process(mutated(source, path, rest), path, rest),
      processAsync: undefined,
      getCacheKey: (source, path, rest) =>
        createHash('sha256')
          .update(mutated(source, path, rest))
          .update(path)
          .update(JSON.stringify(options))
          .digest('hex'),
    };
  },
};
