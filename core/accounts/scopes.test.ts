import { describe, expect, test } from '@jest/globals';
import { ROLES, SCOPES, scopesOf } from './scopes.ts';

describe('the scopes of a key', () => {
  test('are those of its user’s role', () => {
    expect(scopesOf('admin', null)).toEqual(SCOPES);
    expect(scopesOf('member', null)).toEqual(SCOPES.filter((scope) => scope !== 'admin'));
    expect(scopesOf('read_only', null)).toEqual([
      ...['jobs:read', 'leads:read', 'links:read', 'notifications:read', 'events:read', 'account:read'],
    ]);
  });

  test.each(ROLES)('may be fewer, never more than those of %s', (role) => {
    const all = scopesOf(role, null);
    expect(scopesOf(role, SCOPES)).toEqual(all);
    expect(scopesOf(role, [])).toEqual([]);
    for (const scope of SCOPES) expect(scopesOf(role, [scope])).toEqual(all.includes(scope) ? [scope] : []);
  });
});
