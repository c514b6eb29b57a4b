import { createConsoleLog } from '../../../src/local/host/host-log.js';

describe('when the host writes a line', () => {
  it('given control characters, then one line has them escaped', () => {
    const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);

    createConsoleLog('information', () => new Date('2026-03-14T12:00:00Z'))('warning', 'a\x1b[2J\nforged\x9b31m');

    expect(write.mock.calls).toEqual([['2026-03-14T12:00:00.000Z warning: a\\u001b[2J\\nforged\\u009b31m\n']]);
    write.mockRestore();
  });
});
