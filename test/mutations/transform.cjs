const { createHash } = require('node:crypto');
const { relative, sep } = require('node:path');
const { createTransformer } = require('@swc/jest');

/** The project's transform, but with one rule left out of one file: MUTATION names it, MUTATION_PATCH holds it. */
module.exports = {
  createTransformer(options) {
    const swc = createTransformer(options);
    const patch = JSON.parse(process.env.MUTATION_PATCH ?? '{}');
    const patched = (source, path, { config }) => {
      if (relative(config.rootDir, path).split(sep).join('/') !== patch.file) return source;
      if (!source.includes(patch.find))
        throw new Error(
          `mutation '${patch.rule}': its place in ${patch.file} is gone; bring test/mutations/mutations.ts up to date`,
        );
      return source.replace(patch.find, () => patch.put);
    };
    return {
      ...swc,
      process: (source, path, rest) => swc.process(patched(source, path, rest), path, rest),
      processAsync: undefined,
      getCacheKey: (source, path, rest) =>
        createHash('sha256')
          .update(patched(source, path, rest))
          .update(path)
          .update(JSON.stringify(options))
          .digest('hex'),
    };
  },
};
