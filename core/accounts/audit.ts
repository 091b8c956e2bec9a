import { z } from 'zod';
import { momentInQuery, queryInt, storable, string } from '../schema-primitives.ts';

/** What the audit log records: `docs/guide/users-and-keys.md` lists what each action means. */
export const AUDIT_ACTIONS = [
  ...([
    'user.created',
    'user.changed',
    'user.disabled',
    'user.enabled',
    'user.deleted',
    'user.limits_changed',
  ] as const),
  ...(['job.deleted', 'lead.deleted', 'lead.erased'] as const),
  /** By an admin, of another user. */
  ...(['job.viewed', 'job.cancelled', 'job.retried'] as const),
  ...(['key.issued', 'key.changed', 'key.rotated', 'key.revoked'] as const),
] as const;

export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** Kinds of things that an action is about. */
export type AuditTargetKind =
  | 'user'
  | 'key'
  | 'job'
  | 'lead'
  | 'dead_letter'
  | 'link'
  | 'webhook'
  | 'subscription';

/** Query of `GET /audit`. */
export const listAuditQuery = z.strictObject({
  action: z.enum(AUDIT_ACTIONS).optional(),
  user_id: z.uuid().optional(),
  key_id: z.uuid().optional(),
  /** Id of what the action was about. */
  target: storable(200).optional(),
  created_after: momentInQuery.optional(),
  created_before: momentInQuery.optional(),
  limit: queryInt(1, 200).default(50),
  cursor: string(500).optional(),
});
