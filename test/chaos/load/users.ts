import { createHash } from 'node:crypto';
import { asAdmin } from '../postgres.ts';

/**
 * The users whose jobs are run beside the first one's, who is the administrator and has no limit.
 * Each can do its share of the load within its limit.
 */
const USERS = [
  { limit: 2, weight: 1 },
  { limit: 3, weight: 2 },
  { limit: 4, weight: 0.5 },
  { limit: null, weight: 1 },
];

/** Creates them; returns their keys. */
export const addUsers = (adminUrl: string): Promise<string[]> =>
  asAdmin(adminUrl, async (admin) => {
    const keys: string[] = [];
    for (const [number, { limit, weight }] of USERS.entries()) {
      const key = `chaos-key-of-user-${number}-0123456789`;
      const hash = createHash('sha256').update(key).digest();
      await admin.query(
        `WITH added AS (
           INSERT INTO users (email, name, role, limits, fair_share_weight)
           VALUES ($1, $1, 'member', jsonb_build_object('max_running_jobs', $2::int), $3) RETURNING id)
         INSERT INTO api_keys (user_id, name, prefix, hash) SELECT id, 'chaos', 'chaos', $4 FROM added`,
        [`chaos-${number}@example.com`, limit, weight, hash],
      );
      keys.push(key);
    }
    return keys;
  });
