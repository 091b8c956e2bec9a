import { z } from 'zod';
import { momentInQuery, queryInt, string, text } from '../schema-primitives.ts';

/** Requests about dead letters. */

const deadLetterFilter = {
  code: text(200).optional(),
  user_id: z.uuid().optional(),
  created_after: momentInQuery.optional(),
  created_before: momentInQuery.optional(),
};

/** Query of `GET /dead-letters`. */
export const listDeadLettersQuery = z.strictObject({
  ...deadLetterFilter,
  limit: queryInt(1, 200).default(50),
  cursor: string(500).optional(),
});

/** Body of `POST /dead-letters/requeue`. */
export const requeueDeadLettersRequest = z.strictObject({
  ...deadLetterFilter,
  /** Include permanent failures, which would fail again. Implied by `code`. */
  permanent: z.boolean().optional(),
  limit: z.int().min(1).max(10_000).default(1000),
});
