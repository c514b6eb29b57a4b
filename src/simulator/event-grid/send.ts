import type { Clock } from '../../clock.js';

export type PostRequest = {
  url: string;
  method: 'POST' | 'OPTIONS' | 'GET';
  headers: Record<string, string>;
  body: string;
  signal: AbortSignal;
};
export type PostAnswer = { status: number; headers: { get(name: string): string | null }; body: string };

/** Sends one HTTP request; rejects when no answer came. */
export type Post = (request: PostRequest) => Promise<PostAnswer>;

/** Posts over fetch, which keeps connections open. A redirect is an answer like any other that is no success. */
export function createFetchPost(): Post {
  return async ({ url, method, headers, body, signal }) => {
    const answer = await fetch(url, {
      method,
      headers,
      signal,
      redirect: 'manual',
      ...(method === 'POST' ? { body } : {}),
    });
    return { status: answer.status, headers: answer.headers, body: await answer.text() };
  };
}

const ANSWER_MS = 30_000;
const OPEN_MS = 180_000;
const UNKNOWN_HOST: readonly unknown[] = ['ENOTFOUND', 'EAI_AGAIN'];

type Answer = { kind: 'answered'; answer: PostAnswer } | NoAnswer;
type NoAnswer = { kind: 'no-answer'; outcome: 'SocketError' | 'ResolutionError' };

/** `late` is the answer that may still come: the request stays open for 3 minutes from its start. */
export type SendResult = Answer | { kind: 'timed-out'; late: Promise<Answer> };

type Sending = {
  post: Post;
  clock: Clock;
  request: Omit<PostRequest, 'signal'>;
  signal: AbortSignal;
};

/** Waits 30 s of real time for an answer. Never rejects; resolves at once when `signal` aborts. */
export function send({ post, clock, request, signal }: Sending): Promise<SendResult> {
  const abort = new AbortController();
  const giveUp = () => abort.abort();
  signal.addEventListener('abort', giveUp);

  const answer = new Promise<Answer>((resolve) => {
    abort.signal.addEventListener('abort', () => resolve({ kind: 'no-answer', outcome: 'SocketError' }));
    postOnce(post, { ...request, signal: abort.signal }).then(resolve);
  });
  return new Promise((resolve) => {
    let cancel = clock.after(ANSWER_MS, () => {
      cancel = clock.after(OPEN_MS - ANSWER_MS, giveUp);
      resolve({ kind: 'timed-out', late: answer });
    });
    answer.then((result) => {
      cancel();
      signal.removeEventListener('abort', giveUp);
      resolve(result);
    });
  });
}

async function postOnce(post: Post, request: PostRequest): Promise<Answer> {
  try {
    return { kind: 'answered', answer: await post(request) };
  } catch (error) {
    return { kind: 'no-answer', outcome: UNKNOWN_HOST.includes(codeOf(error)) ? 'ResolutionError' : 'SocketError' };
  }
}

/** Returns the code of an error. fetch has the code in `cause`. */
function codeOf(error: unknown): unknown {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: { code?: unknown } };
  return cause?.code ?? code;
}
