import { testModel } from './explore.js';
import { DAY_APART, latestModel, latestRules, MINUTE_APART } from './latest.model.js';

const { noBirth, noBeginning, oneWay, ...always } = latestRules;

describe("`ordering: 'latest'` for a resource that is recreated a day later", () => {
  testModel('latest, a day apart', { ...always, oneWay }, (broken) => latestModel(DAY_APART, broken));
});

describe("`ordering: 'latest'` for a resource that is recreated a minute later", () => {
  testModel('latest, a minute apart', { ...always, noBirth, noBeginning }, (broken) =>
    latestModel(MINUTE_APART, broken),
  );
});
