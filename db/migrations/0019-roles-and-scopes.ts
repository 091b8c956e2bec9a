import type { Migration } from './migration.ts';

/** What was `user` is `member`; who only looks is `read_only`. A key may have less than its user. */
export const rolesAndScopes: Migration = {
  name: '0019-roles-and-scopes',
  sql: `
    ALTER TABLE users DROP CONSTRAINT users_role_check;
    UPDATE users SET role = 'member' WHERE role = 'user';
    ALTER TABLE users ADD CONSTRAINT users_role_check CHECK (role IN ('admin', 'member', 'read_only'));

    -- Null: all scopes of the user's role.
    ALTER TABLE api_keys ADD COLUMN scopes text[];
  `,
};
