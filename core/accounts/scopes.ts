/**
 * What an API call may need, and who has it: the role gives a user scopes, and a key has all of its
 * user's or fewer.
 */
export const SCOPES = [
  'jobs:read',
  'jobs:write',
  'leads:read',
  'leads:write',
  'links:read',
  'links:write',
  'notifications:read',
  'notifications:write',
  'events:read',
  'account:read',
  'keys:write',
  /** Users, the fleet, dead letters; together with another scope, that on all users' data. */
  'admin',
] as const;

export type Scope = (typeof SCOPES)[number];

export const ROLES = ['admin', 'member', 'read_only'] as const;

export type Role = (typeof ROLES)[number];

const SCOPES_OF_ROLE: Record<Role, readonly Scope[]> = {
  admin: SCOPES,
  member: SCOPES.filter((scope) => scope !== 'admin'),
  read_only: SCOPES.filter((scope) => scope.endsWith(':read')),
};

/**
 * The scopes of a key of a user of this role, in the order of `SCOPES`.
 *
 * @param limit those of the key; null: all of the user's
 */
export const scopesOf = (role: Role, limit: readonly Scope[] | null): Scope[] =>
  SCOPES_OF_ROLE[role].filter((scope) => limit === null || limit.includes(scope));
