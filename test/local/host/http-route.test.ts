import { describe, expect, it } from '@jest/globals';
import { parseRoute } from '../../../src/local/host/http-route.js';

describe('when a path is matched with a route', () => {
  it.each([
    { route: 'a/b', path: 'A/b', params: {} },
    { route: 'a/b', path: 'a', params: undefined },
    { route: 'a', path: 'a/b', params: undefined },
    { route: 'a/{id}', path: 'a/1', params: { id: '1' } },
    { route: 'a/{id}', path: 'a', params: undefined },
    { route: 'a/{id?}', path: 'a', params: {} },
    { route: 'a/{id?}', path: 'a/1', params: { id: '1' } },
    { route: '{*rest}', path: 'a/b', params: { rest: 'a/b' } },
    { route: '{a}/x/{b}', path: '1/x/2', params: { a: '1', b: '2' } },
    { route: 'a/{id}', path: 'a/%41%2f%ff', params: { id: 'A%2f%ff' } },
    { route: 'a/{id}', path: 'a/1%252F2', params: { id: '1%2F2' } },
  ])('given $route and $path, then $params', ({ route, path, params }) => {
    expect(parseRoute(route).match(path.split('/'))).toEqual(params);
  });

  it.each(['a/{id:int}', 'a/x{id}', 'a/{id=1}', 'a/{'])('given the route %s, then it is refused', (route) => {
    expect(() => parseRoute(route)).toThrow(TypeError);
  });
});
