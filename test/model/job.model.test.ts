import { testModel } from './explore.js';
import { jobModel, jobRules } from './job.model.js';

describe('the protocol of a job', () => {
  testModel('job', jobRules, jobModel);
});
