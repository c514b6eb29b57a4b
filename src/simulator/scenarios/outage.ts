import { clinicDay } from './clinic-day.js';
import type { Scenario } from './scenario.js';

export const outage: Scenario = {
  name: 'outage',
  summary:
    'a clinic day while the receiver is down for more than 24 hours; then what Event Grid gave up on is redriven',
  defaults: { events: 300, rate: 200, timeScale: 1440 },
  receiver: 'down',
  play: (world) => clinicDay.play(world),
};
