import type { Change } from '../workflow.js';

/** The content types of the two schemas in which Event Grid delivers. */
export const CONTENT_TYPES = {
  eventGrid: 'application/json; charset=utf-8',
  cloudEvents: 'application/cloudevents+json; charset=utf-8',
} as const;
export type Schema = keyof typeof CONTENT_TYPES;

export type DemoEvent = {
  readonly id: string;
  readonly schema: Schema;
  readonly change: Change;
  readonly resourceType: string;
  readonly resourceId: string;
  readonly version: number;
  /** The Azure resource id of the workspace. */
  readonly workspace: string;
  readonly at: Date;
};

export const DEMO_WORKSPACE = '/subscriptions/1/resourceGroups/demo/providers/Microsoft.HealthcareApis/workspaces/demo';
const HOST = 'demo.fhir.azurehealthcareapis.com';

/** The event as Event Grid writes it, in its own schema or as a CloudEvent. */
export function writeEvent(event: DemoEvent): Record<string, unknown> {
  const { id, schema, change, resourceType, resourceId, version, workspace, at } = event;
  const type = `Microsoft.HealthcareApis.FhirResource${change.charAt(0).toUpperCase()}${change.slice(1)}`;
  const subject = `${HOST}/${resourceType}/${resourceId}`;
  const data = { resourceType, resourceFhirAccount: HOST, resourceFhirId: resourceId, resourceVersionId: version };
  const time = at.toISOString();
  switch (schema) {
    case 'eventGrid':
      return {
        id,
        topic: workspace,
        subject,
        data,
        eventType: type,
        eventTime: time,
        dataVersion: '1',
        metadataVersion: '1',
      };
    case 'cloudEvents':
      return { id, source: workspace, subject, data, type, time, specversion: '1.0', dataschema: '#1' };
    default:
      throw new TypeError(`unhandled ${JSON.stringify(schema satisfies never)}`);
  }
}
