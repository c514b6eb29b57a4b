import { readFileSync } from 'node:fs';
import { keywordOf, parseTag, vrOf } from '../../../src/simulator/dicom/dictionary.js';
import { dataElementsJson, TARGET } from './make-data-elements.js';

describe('when an element is looked up', () => {
  it.each([
    { tag: '00100010', vr: 'PN', keyword: 'PatientName' },
    { tag: '00081100', vr: 'SQ', keyword: 'ReferencedResultsSequence' },
    { tag: '7FE00010', vr: 'OW', keyword: 'PixelData' },
    { tag: '60003000', vr: 'OW', keyword: 'OverlayData' },
  ])('given $tag, then the standard has $vr and $keyword', ({ tag, vr, keyword }) => {
    expect({ vr: vrOf(tag), keyword: keywordOf(tag), tag: parseTag(keyword) }).toEqual({ vr, keyword, tag });
  });

  it('given a repeating group, then the element of its first group is found', () => {
    expect(keywordOf('60023000')).toBe('OverlayData');
  });

  it('given the dictionary of dcmjs, then the list in src is the one that the script writes', () => {
    expect(readFileSync(TARGET, 'utf8')).toBe(dataElementsJson());
  });
});
