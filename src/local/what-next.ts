/** Returns commands to try on the running app. */
export function whatNext(url: string, { simulator, lookups }: { simulator: boolean; lookups: boolean }): string {
  const where = url.endsWith(':7071') ? '' : ` --url ${url}`;
  const findThePatient = `
  Find the patient by the beginning of a name:
    curl -s ${url}/api/lookups/patients \\
      -H 'content-type: application/json' \\
      -d '{"name":"ngu"}'
`;
  const withSimulator = `
  Create a Patient in the simulated FHIR service:
    curl -i ${url}/api/simulator/fhir/Patient \\
      -H 'content-type: application/fhir+json' \\
      -d '{"resourceType":"Patient","name":[{"family":"Nguyen"}]}'

  List the events, the newest first, and show the outcome of one:
    curl -s ${url}/api/simulator/events
    curl -s ${url}/api/events/ITS-ID
${lookups ? findThePatient : ''}
  Play a day in a clinic, with duplicates, delays and a receiver that fails:
    npm run simulate -- --events 2000 --chaos rough${where}
`;
  return `
See what the app does, and act, in a browser:
    ${url}/

Try next, in another terminal:
${simulator ? withSimulator : '\n  No simulator and no demonstration: SIMULATOR is not on.\n'}
  See the counts of this app, and whether its storage works:
    curl -s ${url}/api/stats
    curl -s ${url}/api/health/ready

Serving on ${url}. Ctrl-C ends it.
`;
}
