import { existsSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { type Answer, commandsOf, runHook, SHELLS_HERE } from './stand-ins.js';

const APP = '/subscriptions/s/resourceGroups/rg/providers/Microsoft.Web/sites/func-1';
const ENV = { KEY_VAULT_NAME: 'kv-1', FUNCTION_APP_ID: APP, AZURE_RESOURCE_GROUP: 'rg', AZURE_SUBSCRIPTION_ID: 's' };
const LIST = 'az keyvault secret list --vault-name kv-1';
const LIST_DELETED = 'az keyvault secret list-deleted --vault-name kv-1';
const SET = 'az keyvault secret set --vault-name kv-1 --name lookup-key';
const RECOVER = 'az keyvault secret recover --vault-name kv-1 --name lookup-key';
const LOOK =
  'az rest --method get --url https://management.azure.com/subscriptions/s/resourceGroups/rg/providers/' +
  'Microsoft.KeyVault/vaults/kv-1/secrets/lookup-key?api-version=2023-07-01 --query properties.attributes';
const NOT_FOUND = 'Not Found({"error":{"code":"SecretNotFound"}})';
const WHO = 'az account show';
const REFRESH =
  `az rest --method post --url https://management.azure.com${APP}/config/configreferences/appsettings/refresh` +
  '?api-version=2022-03-01 --query value[].name';

const secret = (name: string, enabled = true) => ({
  id: `https://kv-1.vault.azure.net/secrets/${name}`,
  attributes: { enabled },
});
const deleted = { ...secret('lookup-key'), recoveryId: 'https://kv-1.vault.azure.net/deletedsecrets/lookup-key' };
const EMPTY: Answer[] = [
  { to: LOOK, fails: NOT_FOUND },
  { to: WHO, says: { user: { type: 'user' } } },
  { to: `${LIST} `, says: [secret('alert-webhook-secret'), secret('old-lookup-key')] },
  { to: `${LIST_DELETED} `, says: [] },
  { to: SET, says: secret('lookup-key').id },
  { to: 'az rest', says: [] },
];
const FORBIDDEN = 'Caller is not authorized to perform action on resource. Inner error: { "code": "ForbiddenByRbac" }';

describe.each(SHELLS_HERE)('when azd has provisioned, with %s', (shell) => {
  it('given a vault without the key, then the hook stores a key of 32 bytes and shows its value nowhere', () => {
    const end = runHook('postprovision', { shell, env: ENV, answers: EMPTY });

    expect(end).toMatchObject({ status: 0, complained: '' });
    const [, , , , set] = end.calls;
    expect(commandsOf(end)).toEqual([
      LOOK,
      WHO,
      LIST,
      LIST_DELETED,
      `${SET} --file ${set?.file?.path} --encoding utf-8 --query id`,
      REFRESH,
    ]);
    const value = set?.file?.text ?? '';
    expect(value).toMatch(/^[A-Za-z0-9+/]{43}=$/);
    expect(Buffer.from(value, 'base64')).toHaveLength(32);
    expect(set?.file?.mode).toBe(0o600);
    expect(existsSync(set?.file?.path ?? '')).toBe(false);
    expect(`${end.said}${end.calls.map(({ command }) => command).join()}`).not.toContain(value);
  });

  it('given two vaults, then their keys differ', () => {
    const [one, two] = [1, 2].map(
      () => runHook('postprovision', { shell, env: ENV, answers: EMPTY }).calls[4]?.file?.text,
    );

    expect(one).not.toBe(two);
  });

  it('given a vault with the key, then the hook needs no access to the vault and does not change the key', () => {
    const end = runHook('postprovision', {
      shell,
      env: ENV,
      answers: [{ to: LOOK, says: { enabled: true } }],
    });

    expect(end.status).toBe(0);
    expect(commandsOf(end)).toEqual([LOOK]);
    expect(end.said).toContain('The secret lookup-key exists, and stays as it is.');
  });

  it('given a deleted key, then the hook recovers it and creates no new key', () => {
    const end = runHook('postprovision', {
      shell,
      env: ENV,
      answers: [
        { to: `${LIST} `, says: [], times: 3 },
        { to: `${LIST} `, says: [secret('lookup-key')] },
        { to: LIST_DELETED, says: [deleted] },
        { to: RECOVER, says: deleted },
        ...EMPTY,
      ],
    });

    expect(end.status).toBe(0);
    expect(commandsOf(end)).toEqual([LOOK, WHO, LIST, LIST_DELETED, RECOVER, LIST, LIST, LIST, REFRESH]);
    expect(end.said).toContain('is recovered');
  });

  it('given a disabled key, then the hook fails and prints the command to enable it', () => {
    const end = runHook('postprovision', {
      shell,
      env: ENV,
      answers: [{ to: LOOK, says: { enabled: false } }],
    });

    expect(end.status).toBe(1);
    expect(end.complained).toContain(
      'az keyvault secret set-attributes --vault-name kv-1 --name lookup-key --enabled true',
    );
  });

  it('given a role assignment that takes effect late, then the hook retries until the vault accepts it', () => {
    const end = runHook('postprovision', {
      shell,
      env: ENV,
      answers: [{ to: `${LIST} `, fails: FORBIDDEN, times: 5 }, ...EMPTY],
    });

    expect(end.status).toBe(0);
    expect(commandsOf(end).filter((command) => command === LIST)).toHaveLength(6);
    expect(end.said).toContain('This can take 10 minutes.');
  });

  it('given a role assignment that never takes effect, then the hook fails and names the role', () => {
    const end = runHook('postprovision', {
      shell,
      env: ENV,
      answers: [{ to: `${LIST} `, fails: FORBIDDEN }, ...EMPTY],
    });

    expect(end.status).toBe(1);
    expect(commandsOf(end).filter((command) => command === LIST)).toHaveLength(40);
    expect(end.complained).toContain('Key Vault Secrets Officer');
    expect(end.complained).toContain('azd hooks run postprovision');
  });

  it.each([
    {
      given: 'the firewall',
      fails: '(Forbidden) Client address is not authorized and caller is not a trusted service.',
    },
    {
      given: 'the disabled public network',
      fails: '(Forbidden) Public network access is disabled. "ForbiddenByConnection"',
    },
  ])(
    'given a refusal by $given and no key, then the hook fails at once and names the networks that work',
    ({ fails }) => {
      const end = runHook('postprovision', {
        shell,
        env: ENV,
        answers: [{ to: `${LIST} `, fails }, ...EMPTY],
      });

      expect(end.status).toBe(1);
      expect(commandsOf(end)).toEqual([LOOK, WHO, LIST]);
      expect(end.complained).toContain('the firewall of the vault kv-1 refuses this machine');
      expect(end.complained).toContain('OPERATOR_RANGES');
    },
  );

  it('given a pipeline and no key, then the hook fails at once and says that a person must set the key', () => {
    const end = runHook('postprovision', {
      shell,
      env: ENV,
      answers: [{ to: WHO, says: { user: { type: 'servicePrincipal' } } }, ...EMPTY],
    });

    expect(end.status).toBe(1);
    expect(commandsOf(end)).toEqual([LOOK, WHO]);
    expect(end.complained).toContain('a pipeline may not set it');
    expect(end.complained).toContain('azd hooks run postprovision');
  });

  it('given any other failure of the vault, then the hook fails with the message of az', () => {
    const end = runHook('postprovision', {
      shell,
      env: ENV,
      answers: [{ to: SET, fails: 'The vault is throttled.' }, ...EMPTY],
    });

    expect(end.status).toBe(1);
    expect(end.complained).toContain('\n  ERROR: The vault is throttled.\n');
    expect(existsSync(end.calls[4]?.file?.path ?? 'nowhere')).toBe(false);
    expect(end.complained).not.toContain(end.calls[4]?.file?.text);
  });

  it('given that the app cannot be notified, then the hook reports the delay and succeeds', () => {
    const end = runHook('postprovision', {
      shell,
      env: ENV,
      answers: [{ to: 'az rest --method post', fails: 'no' }, ...EMPTY],
    });

    expect(end.status).toBe(0);
    expect(end.said).toContain('reads the secret again within a day');
  });

  it('given that nothing was provisioned, then the hook fails and names the missing setting', () => {
    const end = runHook('postprovision', { shell, env: {}, answers: EMPTY });

    expect(end.status).toBe(1);
    expect(end.complained).toContain('The azd environment has no KEY_VAULT_NAME');
  });
});
