import { z } from 'zod';
import { queryBoolean, queryInt } from '../schema-primitives.ts';
import { KEY_LIMIT_NAMES, LIMIT_NAMES, type LimitName } from './limits.ts';

/** Request bodies about limits. */

/** The largest value of each; the smallest is 0. */
const LARGEST: Record<LimitName, number> = {
  max_running_jobs: 1_000_000,
  max_waiting_jobs: 10_000_000,
  pages_per_day: 1_000_000_000,
  pages_per_month: 1_000_000_000,
  stored_bytes: 1_000_000_000_000_000,
  highest_priority: 9,
  requests_per_second: 1_000_000,
};

/** A user who may send no request could not even see why. */
const smallestOf = (name: LimitName): number => (name === 'requests_per_second' ? 1 : 0);
const largestOf = (name: LimitName): number => LARGEST[name];

const expectationOf = (name: LimitName): string =>
  `a whole number from ${smallestOf(name)} to ${largestOf(name)}, or null for no limit`;

const limitValue = (name: LimitName) => {
  const error = `expected ${expectationOf(name)}`;
  return z
    .number({ error })
    .int({ error })
    .min(smallestOf(name), { error })
    .max(largestOf(name), { error })
    .nullable();
};

/** Sets some limits of a user; `"default"` leaves one to the role again. */
export const changeLimitsRequest = z
  .strictObject(
    Object.fromEntries(
      LIMIT_NAMES.map((name) => [
        name,
        z
          .union([limitValue(name), z.literal('default')], {
            error: `expected ${expectationOf(name)}, or "default" for that of the role`,
          })
          .optional(),
      ]),
    ) as Record<
      LimitName,
      z.ZodOptional<z.ZodUnion<[ReturnType<typeof limitValue>, z.ZodLiteral<'default'>]>>
    >,
  )
  .refine((limits) => Object.keys(limits).length > 0, 'expected at least one limit');

/** Limits of a key. */
export const keyLimits = z.strictObject(
  Object.fromEntries(KEY_LIMIT_NAMES.map((name) => [name, limitValue(name).optional()])) as Record<
    (typeof KEY_LIMIT_NAMES)[number],
    z.ZodOptional<ReturnType<typeof limitValue>>
  >,
);

/** Query of `GET /usage`. All but nothing is for admins only. */
export const usageQuery = z
  .strictObject({
    user_id: z.uuid().optional(),
    all_users: queryBoolean.default(false),
    limit: queryInt(1, 1000).default(100),
    cursor: z.uuid('expected a next_cursor of an earlier answer').optional(),
  })
  .refine(({ user_id, all_users }) => !(user_id && all_users), 'expected user_id or all_users, not both');
