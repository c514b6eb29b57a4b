import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AzError, az, env, HookError, lookAgain, runHook, say, settingsOf } from './commands.mjs';
import { finishSignIn } from './sign-in.mjs';

const SECRET = 'lookup-key';
const KEY_BYTES = 32;
const AGAIN = 'azd hooks run postprovision';
/** A role assignment takes minutes to apply. */
const SPREADING = { tries: 40, seconds: 15, meanwhile: 'The role on the vault does not apply yet.' };
const BY_ROLE = /ForbiddenByRbac|not authorized to perform action/i;
const BY_FIREWALL =
  /ForbiddenByFirewall|ForbiddenByConnection|Public network access is disabled|Client address is not authorized/i;
const RECOVERING = { tries: 20, seconds: 5, meanwhile: 'The secret is being recovered.' };

/** @typedef {{ enabled?: boolean }} Attributes */
/** @typedef {{ id: string, attributes?: Attributes }} Secret */

// The hook creates the key once: with a different key the patient registry finds no patient any more. So the hook never
// replaces a key, and recovers a deleted key. The value of the key appears in no argument and no output.
await runHook(async () => {
  finishSignIn();
  const [vault = ''] = settingsOf('KEY_VAULT_NAME');
  const known = look(vault);
  if (known) return sayPresent(known, vault);
  refusePipeline(vault);
  const present = find(await ask(vault, 'list'));
  if (present) return sayPresent(present.attributes, vault);
  if (find(await ask(vault, 'list-deleted'))) return recover(vault);
  setNew(vault);
  say(`The secret ${SECRET} is set in the vault ${vault}.`);
  tellApp();
});

/**
 * Returns the attributes of the secret. Asks Azure Resource Manager, which needs no role on the vault, and which the
 * vault's firewall does not block.
 * @param {string} vault
 * @returns {Attributes | undefined}
 */
function look(vault) {
  const [group = ''] = settingsOf('AZURE_RESOURCE_GROUP');
  const { AZURE_SUBSCRIPTION_ID = '' } = env;
  const id = `/subscriptions/${AZURE_SUBSCRIPTION_ID}/resourceGroups/${group}/providers/Microsoft.KeyVault/vaults/${vault}`;
  const url = `https://management.azure.com${id}/secrets/${SECRET}?api-version=2023-07-01`;
  try {
    return az('rest', '--method', 'get', '--url', url, '--query', 'properties.attributes') ?? {};
  } catch (error) {
    if (!(error instanceof AzError) || !/NotFound|Not Found/i.test(error.message)) throw error;
    return undefined;
  }
}

/** The template gives a pipeline no role on the vault, so only a person can set the secret. @param {string} vault */
function refusePipeline(vault) {
  if (az('account', 'show')?.user?.type !== 'servicePrincipal') return;
  throw new HookError(
    `The vault ${vault} has no secret ${SECRET}, without which the app does not start, and a pipeline may not set it. ` +
      `As a person, in this azd environment, run azd provision once, or:\n  ${AGAIN}`,
  );
}

/**
 * Lists secrets without their values. Waits until the role assignment applies.
 * @param {string} vault
 * @param {'list' | 'list-deleted'} what
 * @returns {Promise<Secret[]>}
 */
async function ask(vault, what) {
  const answer = await lookAgain(SPREADING, () => {
    try {
      return az('keyvault', 'secret', what, '--vault-name', vault) ?? [];
    } catch (error) {
      if (!(error instanceof AzError)) throw error;
      if (BY_FIREWALL.test(error.message)) throw firewallError(vault);
      if (BY_ROLE.test(error.message)) return undefined;
      throw explain(error, vault);
    }
  });
  if (answer !== undefined) return answer;
  throw new HookError(
    `The vault ${vault} still refuses the identity of az after 10 minutes. The identity of azd has the role ` +
      'Key Vault Secrets Officer: sign in to az with the same identity (az login), or give the role to the identity of az. ' +
      `Then: ${AGAIN}`,
  );
}

/** @param {string} vault */
function firewallError(vault) {
  return new HookError(
    `The app does not start without the secret ${SECRET}, and the firewall of the vault ${vault} refuses this machine. ` +
      'From a machine in its network, or in OPERATOR_RANGES (azd env set OPERATOR_RANGES <ranges>, azd provision), run:\n' +
      `  ${AGAIN}`,
  );
}

/** @param {readonly Secret[]} secrets */
function find(secrets) {
  return secrets.find(({ id }) => new URL(id).pathname.split('/')[2] === SECRET);
}

/** @param {Attributes | undefined} attributes @param {string} vault */
function sayPresent(attributes, vault) {
  if (attributes?.enabled !== false) return say(`The secret ${SECRET} exists, and stays as it is.`);
  throw new HookError(
    `The secret ${SECRET} exists but is disabled: the app cannot read it, and does not start. ` +
      `Enable it, and run ${AGAIN}:\n  az keyvault secret set-attributes --vault-name ${vault} --name ${SECRET} --enabled true`,
  );
}

/** @param {string} vault */
async function recover(vault) {
  az('keyvault', 'secret', 'recover', '--vault-name', vault, '--name', SECRET);
  const recovered = await lookAgain(RECOVERING, () => find(az('keyvault', 'secret', 'list', '--vault-name', vault)));
  if (!recovered) throw new HookError(`The deleted secret ${SECRET} is still being recovered. Look again: ${AGAIN}`);
  say(`The secret ${SECRET} was deleted, and is recovered now.`);
  tellApp();
}

/** @param {string} vault */
function setNew(vault) {
  const folder = mkdtempSync(join(tmpdir(), 'ahds-'));
  const file = join(folder, 'key');
  try {
    writeFileSync(file, randomBytes(KEY_BYTES).toString('base64'), { mode: 0o600 });
    // Without --query az would print the value.
    const named = ['--vault-name', vault, '--name', SECRET];
    az('keyvault', 'secret', 'set', ...named, '--file', file, '--encoding', 'utf-8', '--query', 'id');
  } catch (error) {
    throw explain(error, vault);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Makes the app read the secret now. Its first lookup came before the secret existed; the next comes after a day. */
function tellApp() {
  const [app = ''] = settingsOf('FUNCTION_APP_ID');
  const path = `${app}/config/configreferences/appsettings/refresh?api-version=2022-03-01`;
  try {
    az('rest', '--method', 'post', '--url', `https://management.azure.com${path}`, '--query', 'value[].name');
  } catch (error) {
    if (!(error instanceof AzError)) throw error;
    say(
      `The app could not be notified. It reads the secret again within a day, or when a setting changes:\n  ${error.message}`,
    );
  }
}

/** @param {unknown} error @param {string} vault */
function explain(error, vault) {
  if (!(error instanceof AzError)) return error;
  return new HookError(`The vault ${vault} answers with an error:\n  ${error.message}\nThen: ${AGAIN}`);
}
