import { DEMO_WORKSPACE, writeEvent } from './demo-events.js';

/** What to try on the running app, as commands to copy. */
export function whatNext(url: string, now: Date): string {
  const event = writeEvent({
    id: 'my-first-event',
    schema: 'eventGrid',
    change: 'created',
    resourceType: 'Patient',
    resourceId: 'my-patient',
    version: 1,
    workspace: DEMO_WORKSPACE,
    at: now,
  });
  return `
Try next, in another terminal:

  Deliver an event as Event Grid does. Deliver it twice, and it still runs once:
    curl -i '${url}/runtime/webhooks/EventGrid?functionName=fhirEvents' \\
      -H 'aeg-event-type: Notification' -H 'content-type: application/json' \\
      -d '[${JSON.stringify(event)}]'

  See what became of it:
    curl -s ${url}/api/events/my-first-event

  See what this app has done, and whether it is well:
    curl -s ${url}/api/stats
    curl -s ${url}/api/health/ready

Serving on ${url}. Ctrl-C ends it.
`;
}
