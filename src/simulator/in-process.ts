import type { FindInProcess } from '../clients/readers.js';
import type { Simulator } from './simulator.js';

/** The prefix of a DICOM path, which the service itself does not get. */
const DICOM_VERSION = /^(v[12])\//;

/** The host names that `simulator.ts` gives to services. */
const HOSTS = {
  fhir: /^simulator-[a-z0-9-]+\.fhir\.azurehealthcareapis\.com$/,
  dicom: /^simulator-[a-z0-9-]+\.dicom\.azurehealthcareapis\.com$/,
};

/** The answer of a service that ended with its process or its run: its data is gone. */
const nothingThere = () => ({ status: 404 });

/** Lets the app read the simulator's services by the host names in their events, without a port or a key. */
export function findInProcess(simulator: Simulator): FindInProcess {
  return (kind, host) => {
    const service = simulator
      .serviceNames()
      .map((name) => simulator.services(name)?.[kind])
      .find((one) => one?.host === host);
    if (!service) return HOSTS[kind].test(host) ? nothingThere : undefined;
    const base = `https://${host}`;
    return (call) => {
      const request = { ...call, base };
      if (kind === 'fhir') return service.answer(request);
      const { path } = request;
      const version = DICOM_VERSION.exec(path)?.[1] === 'v1' ? 'v1' : 'v2';
      return service.answer({
        ...request,
        path: path.replace(DICOM_VERSION, ''),
        base: `${base}/${version}`,
        version,
      });
    };
  };
}
