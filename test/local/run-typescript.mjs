import { existsSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

// Lets Node run src/ without a build: an import of `x.js` loads `x.ts` if that file exists.
registerHooks({
  resolve(specifier, context, next) {
    const isOurs = specifier.endsWith('.js') && (specifier.startsWith('.') || specifier.startsWith('file:'));
    if (!isOurs) return next(specifier, context);
    const source = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
    return next(existsSync(fileURLToPath(source)) ? source.href : specifier, context);
  },
});
