import type { Failure } from '../shell/request.js';
import { SignInAgain } from '../shell/who.js';

/** Lists the problems for which the app has refused a person's input, beside the form. */
export function Problems({ of }: { of: Failure | undefined }) {
  if (!of) return null;
  const { kind, message, problems = [] } = of;
  return (
    <div class="box red" role="alert">
      {problems.length === 0 ? (
        <p>
          {message} {kind === 'signed-out' && <SignInAgain />}
        </p>
      ) : (
        <ul>
          {problems.map((problem) => (
            <li key={`${problem.path} ${problem.code}`}>
              <code>{problem.path}</code> {problem.message}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
