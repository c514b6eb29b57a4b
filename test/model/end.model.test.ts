import { endModel, endRules } from './end.model.js';
import { testModel } from './explore.js';

describe('the orderly end of a process', () => {
  testModel('end of a process', endRules, endModel);
});
