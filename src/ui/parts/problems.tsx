import { useState } from 'preact/hooks';
import type { Failure, Result } from '../shell/request.js';
import { SignInAgain } from '../shell/who.js';

/** Returns the failure of the last request of a component, and the function through which its requests go. */
export function useFailure() {
  const [failure, setFailure] = useState<Failure>();
  async function watched<T>(asked: Promise<Result<T>>): Promise<Result<T>> {
    const result = await asked;
    setFailure(result.ok ? undefined : result.failure);
    return result;
  }
  return [failure, watched] as const;
}

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
