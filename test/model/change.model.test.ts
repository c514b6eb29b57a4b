import { changeModel, changeRules } from './change.model.js';
import { testModel } from './explore.js';

const { noGuard, ...always } = changeRules;

describe('a change at midday, with an event and an entry in history', () => {
  testModel('change', always, (broken) => changeModel({ midnight: 1000 }, broken));
});

describe('a change whose event is dated before midnight, and whose entry in history after it', () => {
  testModel('change at midnight', { noGuard }, (broken) => changeModel({ midnight: 1 }, broken));
});
