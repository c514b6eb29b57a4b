import { readdirSync, readFileSync } from 'node:fs';
import { readModule } from './observe-bicep.js';

export type Query = { name: string; text: string };
export type Item = { type: number; name: string; content: Record<string, unknown>; [more: string]: unknown };
export type Workbook = { version: string; items: Item[]; [more: string]: unknown };

export const ALERTS = {
  location: 'westeurope',
  namePrefix: 'ahds',
  applicationInsightsId: '/insights',
  logAnalyticsId: '/workspace',
  storageAccountIds: ['/storage/one', '/storage/two'],
  functionAppId: '/app',
  testedUrl: 'https://app.example.com/api/health/live',
};
export const TOPIC_ALERTS = {
  namePrefix: 'ahds',
  systemTopicId: '/topic',
  subscriptionNames: ['app-fhir', 'app-dicom'],
  actionGroupId: '/operators',
};
export const WORKBOOK = {
  location: 'westeurope',
  name: 'events',
  applicationInsightsId: '/Insights',
  logAnalyticsId: '/workspace',
  systemTopicId: '/topic',
  storageAccountIds: ['/storage/one', '/storage/two'],
};

export const operations = readFileSync('docs/operations.md', 'utf8');

/** Every query of the alerts, of the workbook and of docs/operations.md. */
export async function queries(): Promise<Query[]> {
  const alerts = readdirSync('infra/kql').map((file) => ({
    name: `infra/kql/${file}`,
    text: readFileSync(`infra/kql/${file}`, 'utf8'),
  }));
  const { items } = await workbook();
  const shown = items.flatMap(({ type, name, content }) =>
    type === 3 ? [{ name: `workbook: ${name}`, text: filledIn(String(content.query)) }] : [],
  );
  const documented = [...operations.matchAll(/```kql\n(.*?)```/gs)].map(([, text = ''], i) => ({
    name: `docs/operations.md, ${i + 1}: ${text.split('\n')[1]}`,
    text,
  }));
  return [...alerts, ...shown, ...documented];
}

/** The workbook as Azure stores it, with the ids of resources filled in. */
export async function workbook(given = WORKBOOK): Promise<Workbook> {
  const { resources } = await readModule('infra/modules/workbook.bicep', given);
  const [content] = resources.map(({ body }) => (body.properties as { serializedData: string }).serializedData);
  return JSON.parse(content ?? '');
}

/** Replaces the workbook's parameter with a value. */
const filledIn = (text: string) => text.replaceAll('{TimeRange:grain}', '5m');
