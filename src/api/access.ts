import * as z from 'zod';

/** The app roles of the registration in Entra ID: a Reader sees what happens, an Operator also acts, a Clinician asks lookups. */
export const ROLES = ['Reader', 'Operator', 'Clinician'] as const;
export type Role = (typeof ROLES)[number];

/**
 * Addresses of Azure's authentication, on the host of the app. They take `?post_login_redirect_uri=` and
 * `?post_logout_redirect_uri=`.
 */
export const SIGN_IN_ADDRESS = '/.auth/login/aad';
export const SIGN_OUT_ADDRESS = '/.auth/logout';

/** The identity and the roles of the caller. */
export const accessAnswer = z.strictObject({
  /** `isOn`: Azure's authentication says who calls. `isRequired`: a key is not enough. */
  signIn: z.strictObject({
    isOn: z.boolean(),
    isRequired: z.boolean(),
    signInAddress: z.literal(SIGN_IN_ADDRESS),
    signOutAddress: z.literal(SIGN_OUT_ADDRESS),
  }),
  /** `id`: the caller's object id, or `key-holder`. `name`: only for the caller's own eyes; null for a key. */
  caller: z.strictObject({ kind: z.enum(['signed-in', 'key-holder']), id: z.string(), name: z.string().nullable() }),
  /** Includes roles that another role brings: an Operator is a Reader too. */
  roles: z.array(z.enum(ROLES)).readonly(),
});
export type Access = z.infer<typeof accessAnswer>;
