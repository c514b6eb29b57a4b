/** The sign-in of tests: the ids of a registration, of its tenant and of a person. */
export const CLIENT = 'c11e0000-0000-4000-8000-000000000001';
export const TENANT = '7e4a0000-0000-4000-8000-000000000002';
export const PERSON = '0b1ec700-0000-4000-8000-000000000003';
export const PERSON_NAME = 'Ana Muster';

/** The settings of an app in Azure that lets in only who has signed in. */
export const SIGN_IN = {
  WEBSITE_AUTH_ENABLED: 'True',
  REQUIRE_SIGN_IN: 'on',
  SIGN_IN_CLIENT_ID: CLIENT,
  SIGN_IN_TENANT_ID: TENANT,
};

type Claim = { readonly typ: unknown; readonly val: unknown };

/** The claims of a person, as Azure's authentication sends them. `null` leaves a claim out. */
export function claimsOf({
  roles = [],
  ...other
}: { roles?: readonly string[] } & Partial<
  Record<'oid' | 'exp' | 'aud' | 'tid' | 'name', string | number | null>
> = {}): Claim[] {
  const { oid, exp, aud, tid, name } = {
    ...{ oid: PERSON, exp: '4000000000', aud: CLIENT, tid: TENANT, name: PERSON_NAME },
    ...other,
  };
  const claims = [
    { typ: 'aud', val: aud },
    { typ: 'iss', val: `https://login.microsoftonline.com/${TENANT}/v2.0` },
    { typ: 'exp', val: exp },
    { typ: 'name', val: name },
    { typ: 'preferred_username', val: 'ana.muster@clinic.example' },
    { typ: 'http://schemas.microsoft.com/identity/claims/objectidentifier', val: oid },
    { typ: 'http://schemas.microsoft.com/identity/claims/tenantid', val: tid },
  ];
  return [...claims.filter(({ val }) => val !== null), ...roles.map((val) => ({ typ: 'roles', val }))];
}

/** The headers of Azure's authentication for a principal with these claims. */
export function headersOf(claims: readonly Claim[], auth_typ: unknown = 'aad'): Record<string, string> {
  const role_typ = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role';
  return {
    'x-ms-client-principal': Buffer.from(JSON.stringify({ auth_typ, claims, role_typ })).toString('base64'),
    'x-ms-client-principal-id': PERSON,
    'x-ms-client-principal-idp': 'aad',
    'x-ms-client-principal-name': 'ana.muster@clinic.example',
  };
}

/** The headers of a person with these app roles. */
export function signedInAs(...roles: string[]): Record<string, string> {
  return headersOf(claimsOf({ roles }));
}
