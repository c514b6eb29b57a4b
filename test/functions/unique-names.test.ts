import * as z from 'zod';
import { checkNames, readSettings } from '../../src/functions/read-settings.js';
import { defineWorkflow, fhir, lookup, type Workflow, WorkflowError } from '../../src/workflow.js';
import { named } from './named-workflow.js';

const HERE = /unique-names\.test\.ts:\d+:\d+/;

const here = (name: string) => defineWorkflow({ name, on: fhir('*'), handle() {} });
const both = (name: string) =>
  defineWorkflow({
    name,
    on: fhir('*'),
    handle() {},
    lookup: lookup({ name: 'things', query: z.object({}), answer: async () => ({}) }),
    task: { name: 'tidy', schedule: '0 * * * * *', async run() {} },
  });

function problemsIn(workflows: readonly Workflow[]): string[] {
  try {
    checkNames(workflows);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(WorkflowError);
    return (error as Error).message.split('\n');
  }
}

describe('when workflows share a name', () => {
  it('given all names are different, then there is no error', () => {
    expect(problemsIn([])).toEqual([]);
    expect(problemsIn([here('a'), named('b'), both('c')])).toEqual([]);
  });

  it('given two workflows, then the error names both files', () => {
    const [problem, ...more] = problemsIn([here('a'), here('b'), named('a')]);

    expect(more).toEqual([]);
    expect(problem).toMatch(/^Several workflows are named 'a': /);
    expect(problem).toMatch(HERE);
    expect(problem).toMatch(/named-workflow\.ts:\d+:\d+/);
  });

  it('given several names, then the error names each', () => {
    const problems = problemsIn([here('a'), here('b'), here('a'), here('b'), here('a')]);

    expect(problems).toEqual([expect.stringContaining("named 'a'"), expect.stringContaining("named 'b'")]);
  });

  it('given one workflow is listed twice, then the error says that, and no more', () => {
    const one = both('a');

    expect(problemsIn([one, one])).toEqual([
      expect.stringMatching(/^The list of workflows holds 'a' twice \(.*unique-names\.test\.ts:\d+:\d+\)\./),
    ]);
  });

  it('given lookups and tasks, then the error names them and both files', () => {
    expect(problemsIn([both('a'), both('b')])).toEqual([
      expect.stringMatching(/^Several workflows have a lookup named 'things': .*\.ts:\d+:\d+ and .*\.ts:\d+:\d+\./),
      expect.stringMatching(/^Several workflows have a task named 'tidy': /),
    ]);
  });

  it('given the start of the app, then it fails, and its error names no setting', () => {
    const read = () => readSettings([here('a'), named('a')], { AzureWebJobsStorage: 'UseDevelopmentStorage=true' });

    expect(read).toThrow(WorkflowError);
    expect(read).not.toThrow(/setting/);
  });
});
