import { printable, printableLines } from '../src/printable.js';

describe('when untrusted text is printed', () => {
  it.each([
    { given: 'colours', text: '\x1b[31mred', then: '\\u001b[31mred' },
    { given: 'the clipboard (OSC 52)', text: '\x1b]52;c;cm0=\x07', then: '\\u001b]52;c;cm0=\\u0007' },
    { given: 'a C1 control', text: '\x9b31m', then: '\\u009b31m' },
    { given: 'DEL and NUL', text: '\x7f\0', then: '\\u007f\\u0000' },
    { given: 'carriage returns, line feeds, tabs', text: 'a\rb\nc\td', then: 'a\\rb\\nc\\td' },
    { given: 'bidirectional controls', text: '\u202egnp.exe\u2066\u200f', then: '\\u202egnp.exe\\u2066\\u200f' },
    { given: 'Unicode line separators', text: 'a\u2028b\u2029c', then: 'a\\u2028b\\u2029c' },
    { given: 'invisible characters', text: 'a\u200bb\ufeff\u{e0041}', then: 'a\\u200bb\\ufeff\\udb40\\udc41' },
    { given: 'letters of any script', text: 'Nguyễn, 山田, 🏥', then: 'Nguyễn, 山田, 🏥' },
  ])('given $given, then it escapes only the characters that affect a terminal', ({ text, then }) => {
    expect(printable(text)).toBe(then);
  });

  it('given lines, then it keeps line feeds and escapes other control characters', () => {
    expect(printableLines('a\n\x1b[2Jb\r\n')).toBe('a\n\\u001b[2Jb\\r\n');
  });

  it('given JSON, then the escaped text is JSON with the same value', () => {
    const value = { id: '\x1b\x7f\x9b\u202e\u2028\u200b\u{e0041}\n\r' };

    expect(JSON.parse(printable(JSON.stringify(value)))).toEqual(value);
  });
});
