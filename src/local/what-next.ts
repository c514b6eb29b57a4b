/** Returns commands to try on the running app. */
export function whatNext(url: string, { simulator, lookups }: { simulator: boolean; lookups: boolean }): string {
  const where = url.endsWith(':7071') ? '' : ` --url ${url}`;
  const findThePatient = `
  Find the patient by the beginning of a name:
    curl -s ${url}/api/lookups/patients -H 'content-type: application/json' \\
      -d '{"name":"ngu"}'
`;
  const withSimulator = `
  Create a Patient in the simulated FHIR service:
    curl -i ${url}/api/simulator/fhir/Patient -H 'content-type: application/fhir+json' \\
      -d '{"resourceType":"Patient","name":[{"family":"Nguyen"}]}'

  See which events there were, the newest first, and what became of one:
    curl -s ${url}/api/simulator/events
    curl -s ${url}/api/events/ITS-ID
${lookups ? findThePatient : ''}
  Play a day in a clinic, with duplicates, delays and a receiver that is down now and then:
    npm run simulate -- --scenario clinic-day --events 2000 --chaos rough${where}
`;
  return `
Try next, in another terminal:
${simulator ? withSimulator : '\n  There is no simulator, nor a demonstration: SIMULATOR is not on.\n'}
  See what this app has done, and whether it is well:
    curl -s ${url}/api/stats
    curl -s ${url}/api/health/ready

Serving on ${url}. Ctrl-C ends it.
`;
}
