import { testModel } from './explore.js';
import { groupCommitModel, groupCommitRules } from './group-commit.model.js';

describe('the protocol of a group commit', () => {
  testModel('group commit', groupCommitRules, groupCommitModel);
});
