import { testModel } from './explore.js';
import { DAY_APART, latestModel, latestRules, MINUTE_APART } from './latest.model.js';

const { noBirth, noBeginning, oneWay, ...always } = latestRules;

describe('the newest of a resource that was made anew a day later', () => {
  testModel('latest, a day apart', { ...always, oneWay }, (broken) => latestModel(DAY_APART, broken));
});

describe('the newest of a resource that was made anew a minute later', () => {
  testModel('latest, a minute apart', { ...always, noBirth, noBeginning }, (broken) =>
    latestModel(MINUTE_APART, broken),
  );
});
