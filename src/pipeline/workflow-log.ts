import type { Fields, Telemetry } from '../telemetry/telemetry.js';
import type { WorkflowLog } from '../workflow.js';

export const NO_CODE = 'code-not-a-word';

/** What a workflow logs: words and numbers. `fields` say whose it is; `isTellable` of a word, whether it may be told. */
export function createWorkflowLog(
  telemetry: Telemetry,
  fields: Fields,
  isTellable: (word: string) => boolean = () => true,
): WorkflowLog {
  /** A code is a word, not a sentence with a name in it. */
  const codeOf = (code: string) => (/^[a-z][a-z0-9-]{0,63}$/.test(code) && isTellable(code) ? code : NO_CODE);
  const numbersOf = (numbers: Readonly<Record<string, number>>) =>
    Object.fromEntries(Object.entries(numbers).map(([name, value]) => [codeOf(name.toLowerCase()), Number(value)]));
  const write = (level: 'info' | 'warn' | 'error') => (code: string, numbers?: Readonly<Record<string, number>>) =>
    telemetry.log(level, 'workflow', {
      ...fields,
      code: codeOf(code),
      ...(numbers ? { numbers: numbersOf(numbers) } : {}),
    });
  return { info: write('info'), warn: write('warn'), error: write('error') };
}
