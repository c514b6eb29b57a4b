import { route } from './route.js';
import { access, hasSignInEnded, isSignedIn } from './session-state.js';

// Addresses of Azure's authentication, on the host of the app: src/api/access.ts.
const SIGN_IN = '/.auth/login/aad?post_login_redirect_uri=';
const SIGN_OUT = '/.auth/logout?post_logout_redirect_uri=%2Fapi%2Fui%2F';

/** Leads to the sign-in and back. The address names the page that was open, without what it shows: servers log it. */
function signInAddress(): string {
  return SIGN_IN + encodeURIComponent(`/api/ui/#/${route.value.page}`);
}

/** Asks to sign in, before the page shows anything. */
export function SignIn() {
  return (
    <section class="card narrow" aria-labelledby="sign-in">
      <h2 id="sign-in">Sign in to see this app</h2>
      <p>You sign in with the account of your organisation. No key is needed.</p>
      <p>
        <a class="button" href={signInAddress()}>
          Sign in
        </a>
      </p>
    </section>
  );
}

/** Says that the sign-in of an open page has ended. What was entered stays, and the page goes on after a new one. */
export function SignInEnded() {
  if (!hasSignInEnded.value) return null;
  return (
    <div class="box amber" role="alert">
      <p>
        <strong>Your sign-in has ended.</strong> <SignInAgain />, then come back: this tab goes on, with all that you
        have entered.
      </p>
    </div>
  );
}

/** In a new tab, so that this one keeps what was entered. */
export function SignInAgain() {
  return (
    <a href={signInAddress()} target="_blank" rel="noopener">
      Sign in again in a new tab
    </a>
  );
}

/** For a person who has signed in, and whom nobody has given a role. */
export function NoRole() {
  return (
    <div class="box amber">
      <p>
        <strong>You have signed in, but may not see this app.</strong> Ask its administrator for one of the roles:
        Reader to look, Operator to act as well. Then sign out and in again.
      </p>
    </div>
  );
}

/** Who has signed in, and the way out. */
export function SignedIn() {
  if (!isSignedIn.value) return null;
  const { name, id } = access.value?.caller ?? {};
  return (
    <>
      <span>
        <span class="only-read">Signed in as </span>
        {name ?? id}
      </span>
      <a href={SIGN_OUT}>Sign out</a>
    </>
  );
}

/** What a person needs who may only look. `to`: what the page does not offer, such as “redrive or discard”. */
export function MayNot({ to }: { to: string }) {
  return (
    <p class="quiet">
      You may look. To {to},{' '}
      {isSignedIn.value
        ? 'you need the role Operator: ask the administrator of the app.'
        : 'enter the key of an administrator: “Use another key”.'}
    </p>
  );
}
