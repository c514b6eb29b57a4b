import { changeModel, changeRules } from './change.model.js';
import { testModel } from './explore.js';

const { noGuard, ...always } = changeRules;

describe('a change of the middle of a day, of which an event and history tell', () => {
  testModel('change', always, (broken) => changeModel({ midnight: 1000 }, broken));
});

describe('a change of which the event tells before midnight, and history after it', () => {
  testModel('change at midnight', { noGuard }, (broken) => changeModel({ midnight: 1 }, broken));
});
