import type { Scope } from '../../core/accounts/scopes.ts';
import type { Caller } from '../../db/accounts/users.ts';
import { missingScope } from './problem.ts';

/** @throws Problem 403 that names the scope, and whether the key or the user lacks it */
export function requireScope({ scopes, role }: Caller, scope: Scope): void {
  if (!scopes.has(scope)) throw missingScope(scope, role);
}

/** Whether the caller may act on what belongs to other users. */
export const isAdmin = ({ scopes }: Caller): boolean => scopes.has('admin');
