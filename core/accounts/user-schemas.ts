import { z } from 'zod';
import { emailAddress, moment, queryBoolean, string, text } from '../schema-primitives.ts';
import { keyLimits } from './limit-schemas.ts';
import { ROLES, SCOPES } from './scopes.ts';

/** Request bodies about users and their keys. */

export const createUserRequest = z.strictObject({
  email: emailAddress,
  name: text(200),
  role: z.enum(ROLES).optional(),
});

const atLeastOne = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z
    .strictObject(shape)
    .refine(
      (given) => Object.keys(given).length > 0,
      `expected at least one of ${Object.keys(shape).join(', ')}`,
    );

/** Without repetitions, in the order of `SCOPES`. */
const scopes = z
  .array(z.enum(SCOPES))
  .min(1)
  .max(100)
  .transform((given) => SCOPES.filter((scope) => given.includes(scope)));

/** Addresses and ranges; the API says which one is none. */
const allowedIps = z.array(string(100)).min(1).max(100);

export const issueKeyRequest = z.strictObject({
  name: text(200),
  user_id: z.uuid().optional(),
  scopes: scopes.optional(),
  expires_at: moment.optional(),
  allowed_ips: allowedIps.optional(),
  limits: keyLimits.optional(),
});

/** Body of `PATCH /keys/{id}`; null lifts a limit, down to that of the key of the request. */
export const changeKeyRequest = atLeastOne({
  name: text(200).optional(),
  scopes: scopes.nullable().optional(),
  expires_at: moment.nullable().optional(),
  allowed_ips: allowedIps.nullable().optional(),
});

/** Body of `POST /keys/{id}/rotate`. For so long the old key works beside the new one. */
export const rotateKeyRequest = z.strictObject({
  overlap_seconds: z.int().min(0).max(2_592_000).default(86_400),
});

/** Query of `DELETE /keys/{id}`. */
export const revokeKeyQuery = z.strictObject({ cascade: queryBoolean.default(true) });

/** Body of `PATCH /users/{id}`. */
export const changeUserRequest = atLeastOne({
  email: emailAddress.optional(),
  name: text(200).optional(),
  role: z.enum(ROLES).optional(),
  disabled: z.boolean().optional(),
});
