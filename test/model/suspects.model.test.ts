import { testModel } from './explore.js';
import { suspectRules, suspectsModel } from './suspects.model.js';

describe('jobs that were there when a process died', () => {
  testModel('suspects', suspectRules, suspectsModel);
});
