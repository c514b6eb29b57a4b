import Module from 'node:module';
import { pathToFileURL } from 'node:url';

// node start-up-once.js FILE: loads an app's `main` as the worker of Azure Functions does. Prints the number of
// registered functions and the time in ms. Like the worker, injects only `@azure/functions-core` into `require`.

const functions: string[] = [];
let model: unknown;
const core = {
  version: '3.9.0',
  hostVersion: '4.1037.0',
  registerFunction: ({ name }: { name: string }) => functions.push(name),
  registerHook: () => undefined,
  setProgrammingModel: (set: unknown) => {
    model = set;
  },
  getProgrammingModel: () => model,
  log: () => undefined,
  Disposable: class {},
};

Module.prototype.require = new Proxy(Module.prototype.require, {
  apply: (require, module, [name]) =>
    name === '@azure/functions-core' ? core : Reflect.apply(require, module, [name]),
});

const { href } = pathToFileURL(process.argv[2] ?? '');
const before = performance.now();
await import(href);
const ms = performance.now() - before;
process.stdout.write(`${JSON.stringify({ functions: functions.length, ms })}\n`);
