import { signal } from '@preact/signals';

/** The place in the page, from the part of the URL after `#`. No browser sends that part to a server. */
export type Route = { readonly page: string; readonly id: string; readonly query: Readonly<Record<string, string>> };

export const route = signal(parse(location.hash));
addEventListener('hashchange', () => {
  route.value = parse(location.hash);
});

/** Returns the link to a place. Empty values are left out. */
export function linkTo(page: string, { id = '', query = {} }: { id?: string; query?: Query } = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const search = new URLSearchParams(given).toString();
  return `#/${page}${id && `/${encodeURIComponent(id)}`}${search && `?${search}`}`;
}

/** Goes to a place. */
export function goTo(...to: Parameters<typeof linkTo>): void {
  location.hash = linkTo(...to);
}

type Query = Readonly<Record<string, string | undefined>>;

function parse(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [page = '', id = ''] = path.split('/', 2);
  return { page: page || 'overview', id: decoded(id), query: Object.fromEntries(new URLSearchParams(search)) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
