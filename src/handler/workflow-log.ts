import { knownCode } from '../codes.js';
import type { Fields, Telemetry } from '../telemetry/telemetry.js';
import type { WorkflowLog } from '../workflow.js';

/**
 * Returns the log of a workflow, which takes codes that the workflow declares, and numbers. P1: any other code, also as the
 * name of a number, is logged as `undeclared-code`. `fields` identify the job, task or lookup.
 */
export function createWorkflowLog(telemetry: Telemetry, fields: Fields, codes: readonly string[]): WorkflowLog<string> {
  const numbersOf = (numbers: Readonly<Partial<Record<string, number>>>) =>
    Object.fromEntries(Object.entries(numbers).map(([name, value]) => [knownCode(name, codes), Number(value)]));
  const write =
    (level: 'info' | 'warn' | 'error') => (code: string, numbers?: Readonly<Partial<Record<string, number>>>) =>
      telemetry.log(level, 'workflow', {
        ...fields,
        code: knownCode(code, codes),
        ...(numbers ? { numbers: numbersOf(numbers) } : {}),
      });
  return { info: write('info'), warn: write('warn'), error: write('error') };
}
