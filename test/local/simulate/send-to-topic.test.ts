import { systemClock } from '../../../src/clock.js';
import { parseEvent } from '../../../src/events/parse.js';
import { sendToTopic } from '../../../src/local/simulate/send-to-topic.js';

describe('when a scenario is sent to a topic', () => {
  it('given 250 events, then the topic gets each once, in requests that it can take, and the app would take each', async () => {
    const requests: Record<string, unknown>[][] = [];
    const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);

    const code = await sendToTopic(
      {},
      { scenario: 'clinic-day', events: 250, rate: 10_000, seed: 7 },
      {
        clock: systemClock,
        signal: new AbortController().signal,
        send: async (events) => void requests.push(events),
      },
    );
    write.mockRestore();

    const events = requests.flat();
    expect(code).toBe(0);
    expect(new Set(events.map(({ id }) => id)).size).toBe(250);
    for (const event of events) expect(parseEvent(event).id).toBe(event.id);
    expect(Math.max(...requests.map((request) => request.length))).toBeLessThanOrEqual(500);
  });

  it('given an unknown scenario, then nothing is sent', async () => {
    const send = jest.fn(async () => {});

    const sending = sendToTopic(
      {},
      { scenario: 'party' },
      {
        clock: systemClock,
        signal: new AbortController().signal,
        send,
      },
    );

    await expect(sending).rejects.toThrow('clinic-day');
    expect(send).not.toHaveBeenCalled();
  });
});
