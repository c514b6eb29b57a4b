import type { FindInProcess } from '../clients/readers.js';
import type { Simulator } from './simulator.js';

const NOTHING = new Uint8Array();
/** What the path of a DICOM request begins with, before what the service itself is told of it. */
const DICOM_VERSION = /^v2\//;

/** As `simulator.ts` names its services. */
const HOSTS = {
  fhir: /^simulator-[a-z0-9-]+\.fhir\.azurehealthcareapis\.com$/,
  dicom: /^simulator-[a-z0-9-]+\.dicom\.azurehealthcareapis\.com$/,
};
/** A service that went with an earlier process, or with its run: all that it held is gone. */
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
    return ({ path, query, headers }) =>
      service.answer({
        method: 'GET',
        path: kind === 'dicom' ? path.replace(DICOM_VERSION, '') : path,
        query,
        headers,
        body: NOTHING,
        base: kind === 'dicom' ? `${base}/v2` : base,
      });
  };
}
