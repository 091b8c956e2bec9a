import { z } from 'zod';
import { emailAddress, moment, text } from '../schema-primitives.ts';

/** Request bodies about users and their keys. */

export const createUserRequest = z.strictObject({ email: emailAddress, name: text(200) });

export const issueKeyRequest = z.strictObject({
  name: text(200),
  user_id: z.uuid().optional(),
  expires_at: moment.optional(),
});
