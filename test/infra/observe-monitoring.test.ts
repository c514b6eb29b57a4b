import { readFileSync } from 'node:fs';
import { readModule } from './observe-bicep.js';

const PATH = 'infra/modules/monitoring.bicep';
const GIVEN = {
  location: 'westeurope',
  logAnalyticsName: 'logs',
  applicationInsightsName: 'insights',
  ingesterPrincipalId: 'app',
};
const MONITORING_METRICS_PUBLISHER = '3913510d-42f4-4e42-8a64-420c390055eb';

const readResources = async (more = {}) =>
  Object.fromEntries(
    (await readModule(PATH, { ...GIVEN, ...more })).resources.map(({ symbol, body }) => [symbol, body]),
  );

describe('when the telemetry resources are deployed', () => {
  it('given access keys, then neither resource accepts them', async () => {
    const { logAnalytics, applicationInsights } = await readResources();

    expect(logAnalytics).toMatchObject({ properties: { features: { disableLocalAuth: true } } });
    expect(applicationInsights).toMatchObject({
      properties: { DisableLocalAuth: true, WorkspaceResourceId: '/logAnalytics' },
    });
    expect(readFileSync(PATH, 'utf8')).not.toMatch(/listKeys|sharedKey|InstrumentationKey/i);
  });

  it('given the app, then it may publish telemetry to Application Insights and has no other role', async () => {
    const { ingester, ...others } = await readResources();

    expect(ingester).toMatchObject({
      scope: { id: '/applicationInsights' },
      properties: {
        roleDefinitionId: `Microsoft.Authorization/roleDefinitions/${MONITORING_METRICS_PUBLISHER}`,
        principalId: 'app',
        principalType: 'ServicePrincipal',
      },
    });
    expect(Object.keys(others)).toEqual(['logAnalytics', 'applicationInsights']);
  });

  it('given no limits, then ingestion has no cap and retention is 90 days; given limits, then they apply', async () => {
    const limitsOf = ({ logAnalytics }: Record<string, unknown>) =>
      (logAnalytics as { properties: Record<string, unknown> }).properties;

    expect(limitsOf(await readResources())).toMatchObject({
      workspaceCapping: { dailyQuotaGb: -1 },
      retentionInDays: 90,
    });
    expect(limitsOf(await readResources({ dailyCapGB: 5, retentionDays: 365 }))).toMatchObject({
      workspaceCapping: { dailyQuotaGb: 5 },
      retentionInDays: 365,
    });
  });
});

describe('when the landing zone has monitoring of its own', () => {
  it('given an existing workspace, then Application Insights uses it, and there is no new workspace', async () => {
    const { logAnalytics, applicationInsights } = await readResources({ existingLogAnalyticsId: '/central' });

    expect(logAnalytics).toBeUndefined();
    expect(applicationInsights).toMatchObject({ properties: { WorkspaceResourceId: '/central' } });
  });

  it.each([
    [true, 'Disabled'],
    [false, 'Enabled'],
  ])('given isPrivate %s, then public access is %s for telemetry and queries', async (isPrivate, access) => {
    const { logAnalytics, applicationInsights } = await readResources({ isPrivate });

    for (const { properties } of [logAnalytics, applicationInsights] as { properties: object }[]) {
      expect(properties).toMatchObject({
        publicNetworkAccessForIngestion: access,
        publicNetworkAccessForQuery: access,
      });
    }
  });
});

describe('when a reader looks up the parameters', () => {
  it.each(['monitoring', 'alerts', 'topic-alerts', 'workbook'])(
    'given %s.bicep, then each parameter has a description',
    async (name) => {
      const parameters = describedIn(readFileSync(`infra/modules/${name}.bicep`, 'utf8'));

      expect(parameters.length).toBeGreaterThan(4);
      expect(parameters.filter(({ isDescribed }) => !isDescribed)).toEqual([]);
    },
  );
});

/** The parameters and outputs, and whether a decorator above each describes it. */
function describedIn(text: string): { name: string; isDescribed: boolean }[] {
  return [...text.matchAll(/((?:^@.*\n)*)^(?:param|output) (\w+)/gm)].map(([, decorators = '', name = '']) => ({
    name,
    isDescribed: /^@description\('.+'\)$/m.test(decorators),
  }));
}
