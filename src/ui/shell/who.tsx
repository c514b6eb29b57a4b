import { route } from './route.js';
import { access, hasSignInEnded, isSignedIn } from './session-state.js';

// The addresses of Azure's authentication, on the host of the app, as in src/api/access.ts.
const SIGN_IN = '/.auth/login/aad?post_login_redirect_uri=';
const SIGN_OUT = '/.auth/logout?post_logout_redirect_uri=%2Fapi%2Fui%2F';

/** Returns the link to the sign-in and back. Servers log the link, so it names the open page without its content. */
function signInAddress(): string {
  return SIGN_IN + encodeURIComponent(`/api/ui/#/${route.value.page}`);
}

/** Asks the person to sign in, before the page shows anything. */
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

/** Says that the sign-in of an open page has ended. Entered text stays, and the page continues after a new sign-in. */
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

/** The link opens a new tab, so that this tab keeps its entered text. */
export function SignInAgain() {
  return (
    <a href={signInAddress()} target="_blank" rel="noopener">
      Sign in again in a new tab
    </a>
  );
}

/** Says that the person has signed in, and has no role. */
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

/** Shows the name of the person who has signed in, and the sign-out. */
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

/** Says which role or key a person lacks. `to`: the actions that the page does not offer, such as “redrive or discard”. */
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
