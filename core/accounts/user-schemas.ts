import { z } from 'zod';
import { emailAddress, moment, text } from '../schema-primitives.ts';
import { ROLES, SCOPES } from './scopes.ts';

/** Request bodies about users and their keys. */

export const createUserRequest = z.strictObject({
  email: emailAddress,
  name: text(200),
  role: z.enum(ROLES).optional(),
});

/** Without repetitions, in the order of `SCOPES`. */
const scopes = z
  .array(z.enum(SCOPES))
  .min(1)
  .max(100)
  .transform((given) => SCOPES.filter((scope) => given.includes(scope)));

export const issueKeyRequest = z.strictObject({
  name: text(200),
  user_id: z.uuid().optional(),
  scopes: scopes.optional(),
  expires_at: moment.optional(),
});
