import { NonRetriableError } from '../errors.js';

/** The settings that name the workspace of a service. */
export type WorkspaceSettings = {
  /** `WORKSPACES`. */
  readonly workspaces?: readonly string[] | undefined;
  /** `SIMULATOR`. */
  readonly simulator?: boolean;
};

/** The workspace of the simulator's events if `WORKSPACES` is absent: the same text as in src/simulator/register.ts. */
const SIMULATED = '/subscriptions/1/resourceGroups/simulator/providers/Microsoft.HealthcareApis/workspaces/simulator';
const SIMULATED_HOST = /^simulator-[a-z0-9-]+\.(fhir|dicom)\.azurehealthcareapis\.com$/;

/**
 * Returns the workspace of a service, as its events name the workspace in `source`. A history does not name the
 * workspace, but a host name begins with the workspace's name: `{workspace}-{service}.fhir.azurehealthcareapis.com`.
 * @throws NonRetriableError with the code `workspace-unknown`, and a message that says what to set.
 */
export function workspaceOf(host: string, { workspaces = [], simulator = false }: WorkspaceSettings): string {
  const [only, ...others] = workspaces;
  // The simulator's events have the first workspace of the list, whatever its name.
  if (simulator && SIMULATED_HOST.test(host)) return only ?? SIMULATED;
  const named = workspaces
    .filter((workspace) => host.startsWith(`${nameOf(workspace)}-`))
    .sort((one, other) => nameOf(other).length - nameOf(one).length); // `a-b` before `a`, for a-b-c
  const [found = others.length === 0 ? only : undefined] = named;
  if (found !== undefined) return found;
  throw new NonRetriableError(
    `No entry of WORKSPACES ends in the name of the workspace of ${host}. Set WORKSPACES to the Azure resource id of ` +
      'each workspace whose events the app gets: /subscriptions/…/providers/Microsoft.HealthcareApis/workspaces/NAME, ' +
      'where NAME is the first part of the host name, before the hyphen.',
    { code: 'workspace-unknown' },
  );
}

function nameOf(workspace: string): string {
  return workspace.slice(workspace.lastIndexOf('/') + 1).toLowerCase();
}
