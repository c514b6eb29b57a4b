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
