import { existsSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

// Lets Node run src/ as it is, without a build: what is imported as `x.js` is `x.ts` where there is one.
registerHooks({
  resolve(specifier, context, next) {
    const isOurs = specifier.endsWith('.js') && (specifier.startsWith('.') || specifier.startsWith('file:'));
    if (!isOurs) return next(specifier, context);
    const source = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
    return next(existsSync(fileURLToPath(source)) ? source.href : specifier, context);
  },
});
