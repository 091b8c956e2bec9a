import { z } from 'zod';
import { moment, text } from '../schema-primitives.ts';

/** Request bodies about users and their keys. */

export const createUserRequest = z.strictObject({ email: z.email().max(320), name: text(200) });

export const issueKeyRequest = z.strictObject({
  name: text(200),
  user_id: z.uuid().optional(),
  expires_at: moment.optional(),
});
