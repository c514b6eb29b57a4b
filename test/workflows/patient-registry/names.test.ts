import {
  matchesAll,
  prefixesOf,
  prefixFor,
  wordsOf,
  wordsOfName,
} from '../../../src/workflows/patient-registry/names.js';

describe('when a name is taken apart', () => {
  it.each([
    { given: 'capitals and marks', name: 'ÉLODIE Nováková', words: ['elodie', 'novakova'] },
    { given: 'an apostrophe', name: "O'Brien O’Brien", words: ['obrien', 'obrien'] },
    { given: 'a hyphen', name: 'Smith-Jones', words: ['smith', 'jones'] },
    { given: 'a letter that is two in capitals', name: 'Groß', words: ['gross'] },
    { given: 'both forms of an accent', name: 'Zoe\u0308 Zo\u00eb', words: ['zoe', 'zoe'] },
    { given: 'a sigma at the end', name: 'Μάρκος ΜΑΡΚΟΣ', words: ['μαρκοσ', 'μαρκοσ'] },
    { given: 'Hangul', name: '김민준', words: ['김민준'] },
    { given: 'digits, as Synthea has them', name: 'Smith123', words: ['smith123'] },
    { given: 'nothing but signs', name: ' -./ ', words: [] },
  ])('given $given, then these words', ({ name, words }) => {
    expect(wordsOf(name)).toEqual(words);
  });

  it.each([
    {
      given: 'family and given',
      name: { family: 'de la Cruz', given: ['Ana', 'M.'] },
      words: ['de', 'la', 'cruz', 'ana', 'm'],
    },
    { given: 'text beside them', name: { text: 'Dr Who', family: 'Smith' }, words: ['smith'] },
    { given: 'text alone', name: { text: 'Ana Cruz' }, words: ['ana', 'cruz'] },
    { given: 'text beside empty parts', name: { text: 'Ana', family: '', given: [] }, words: ['ana'] },
    { given: 'a script without blanks', name: { family: '王', given: ['小明'] }, words: ['王', '小明', '王小明'] },
  ])('given $given, then it is found by these', ({ name, words }) => {
    expect(wordsOfName(name)).toEqual(words);
  });
});

describe('when a word is to be found by its beginning', () => {
  it.each([
    { word: 'smith', prefixes: ['sm', 'smi', 'smit', 'smith'] },
    { word: 'wu', prefixes: ['wu'] },
    { word: 'j', prefixes: [] },
    { word: '王', prefixes: ['王'] },
    { word: '小明', prefixes: ['小', '小明'] },
    { word: '김민', prefixes: ['김', '김민'] },
    { word: '𠮷田', prefixes: ['𠮷', '𠮷田'] },
  ])('given $word, then its entries are $prefixes', ({ word, prefixes }) => {
    expect(prefixesOf(word)).toEqual(prefixes);
  });

  it('given a long word, then its entries have at most ten characters', () => {
    expect(prefixesOf('wolfeschlegelstein').at(-1)).toBe('wolfeschle');
    expect(prefixFor('wolfeschlegelstein')).toBe('wolfeschle');
  });
});

describe('when a query is compared with a name', () => {
  it.each([
    { asked: ['smi'], is: true },
    { asked: ['smi', 'j'], is: true },
    { asked: ['smi', 'smi'], is: true },
    { asked: ['smi', 'x'], is: false },
    { asked: ['mith'], is: false },
  ])('given $asked, then the match is $is', ({ asked, is }) => {
    expect(matchesAll(asked, ['john', 'smith'])).toBe(is);
  });
});
