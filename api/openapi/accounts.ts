import { z } from 'zod';
import { AUDIT_ACTIONS, listAuditQuery } from '../../core/accounts/audit.ts';
import { changeLimitsRequest, keyLimits, usageQuery } from '../../core/accounts/limit-schemas.ts';
import { LIMIT_NAMES } from '../../core/accounts/limits.ts';
import { ROLES, SCOPES } from '../../core/accounts/scopes.ts';
import {
  changeKeyRequest,
  changeUserRequest,
  createUserRequest,
  issueKeyRequest,
  revokeKeyQuery,
  rotateKeyRequest,
} from '../../core/accounts/user-schemas.ts';
import { DELETION_KINDS } from '../../core/deletions/deletion.ts';
import { deleteJobsRequest, deleteQuery, listDeletionsQuery } from '../../core/deletions/deletion-schemas.ts';
import { deleteLeadsRequest } from '../../core/leads/lead-schemas.ts';
import {
  eraseRequest,
  listSuppressionsQuery,
  suppressRequest,
} from '../../core/suppressions/suppression-schemas.ts';
import { anything, count, created, listOf, type Operations, ok, removed, time, uuid } from './operation.ts';

const user = z
  .object({
    id: uuid,
    email: z.string(),
    name: z.string(),
    role: z.enum(ROLES),
    created_at: time,
    disabled_at: time.nullable(),
  })
  .meta({ id: 'User' });

const keyFields = {
  id: uuid,
  name: z.string(),
  prefix: z.string(),
  user_id: uuid,
  scopes: z.array(z.enum(SCOPES)).nullable().meta({ description: 'Null: all of its user' }),
  allowed_ips: z.array(z.string()).nullable(),
  limits: keyLimits,
  issued_by: uuid.nullable(),
  created_at: time,
  expires_at: time.nullable(),
};

const limitValues = z.object(
  Object.fromEntries(LIMIT_NAMES.map((name) => [name, z.number().nullable().optional()])),
);
const userLimits = z
  .object({ user_id: uuid, role: z.enum(ROLES), limits: limitValues, own: limitValues, of_role: limitValues })
  .meta({ id: 'UserLimits' });

const quota = z
  .object({ used: z.number(), limit_value: z.number().nullable(), resets_at: time.nullable() })
  .meta({ id: 'Quota' });

const usage = z.object({
  user_id: uuid,
  limits: z.record(z.string(), quota),
  highest_priority: z.number().nullable(),
  pages: z.object({
    by_day: z.array(z.object({ day: z.string(), pages: count })),
    by_month: z.array(z.object({ month: z.string(), pages: count })),
  }),
  keys: z.array(z.object({ key_id: uuid, name: z.string(), limits: z.record(z.string(), quota) })),
});

const usageOfUser = z.object({
  ...{ user_id: uuid, email: z.string(), role: z.enum(ROLES) },
  ...{ pages_today: count, pages_this_month: count, stored_bytes: count },
  jobs: z.object({ running: count, waiting: count }),
});

const entry = z
  .object({
    id: z.string(),
    action: z.enum(AUDIT_ACTIONS),
    actor: z.object({
      user_id: uuid.nullable(),
      email: z.string().nullable(),
      key_id: uuid.nullable(),
      key_prefix: z.string().nullable(),
      address: z.string().nullable(),
    }),
    target: z.object({ kind: z.string(), id: z.string().nullable(), user_id: uuid.nullable() }),
    details: anything,
    request_id: z.string().nullable(),
    created_at: time,
  })
  .meta({ id: 'AuditEntry' });

const counts = z.record(z.string(), count);
const deletion = z
  .object({
    deletion_id: uuid,
    kind: z.enum(DELETION_KINDS),
    state: z.enum(['running', 'completed']),
    user_id: uuid.nullable(),
    requested_by: uuid,
    job_id: uuid.nullable(),
    planned: counts,
    removed: counts,
    created_at: time,
    started_at: time.nullable(),
    finished_at: time.nullable(),
  })
  .meta({ id: 'Deletion' });

const suppression = z
  .object({
    id: uuid,
    user_id: uuid.nullable(),
    kind: z.string(),
    value: z.string().nullable(),
    reason: z.string().nullable(),
    requested_by: uuid,
    created_at: time,
    hits: count,
    last_hit_at: time.nullable(),
  })
  .meta({ id: 'Suppression' });

const dryRun = {
  says: 'What would be removed',
  json: z.object({ dry_run: z.literal(true), would_remove: counts, complete: z.boolean().optional() }),
};
const deleting = { says: 'The deletion, which goes on', json: deletion };

export const accountOperations: Operations = {
  'GET /api/v1/users': {
    summary: 'List users',
    answers: ok('Users, oldest first', z.object({ users: z.array(user) })),
  },
  'POST /api/v1/users': {
    summary: 'Add a user',
    body: createUserRequest,
    isIdempotent: true,
    answers: created('The user', user),
    errors: { 409: ['email_taken'] },
  },
  'GET /api/v1/keys': {
    summary: 'List API keys',
    answers: ok(
      'Your keys; those of all users for an admin',
      z.object({
        keys: z.array(
          z
            .object({ ...keyFields, revoked_at: time.nullable(), last_used_at: time.nullable() })
            .meta({ id: 'ApiKey' }),
        ),
      }),
    ),
  },
  'POST /api/v1/keys': {
    summary: 'Issue an API key',
    body: issueKeyRequest,
    isIdempotent: true,
    answers: created('The only answer that holds the key', z.object({ ...keyFields, key: z.string() })),
  },
  'PATCH /api/v1/keys/:id': {
    summary: 'Change what an API key may do',
    body: changeKeyRequest,
    answers: ok('The key, changed', z.object(keyFields)),
    errors: { 409: ['key_state_conflict'] },
  },
  'DELETE /api/v1/keys/:id': {
    summary: 'Revoke an API key, and those that it issued',
    query: revokeKeyQuery,
    answers: {
      ...ok('Several are revoked', z.object({ revoked: count, key_ids: z.array(uuid) })),
      ...removed('It is revoked'),
    },
  },
  'POST /api/v1/keys/:id/rotate': {
    summary: 'Replace an API key by one with the same limits',
    body: rotateKeyRequest,
    isBodyOptional: true,
    isIdempotent: true,
    answers: created(
      'The new key',
      z.object({
        ...keyFields,
        key: z.string(),
        rotated_from: z.object({ id: uuid, expires_at: time.nullable().optional() }),
      }),
    ),
    errors: { 409: ['key_state_conflict'] },
  },
  'GET /api/v1/users/:id': { summary: 'Show a user', answers: ok('The user', user) },
  'PATCH /api/v1/users/:id': {
    summary: 'Change, disable or enable a user',
    body: changeUserRequest,
    answers: ok('The user, changed', user),
    errors: { 409: ['email_taken', 'last_admin'] },
  },
  'GET /api/v1/users/:id/limits': {
    summary: 'Show the limits of a user',
    answers: ok('What holds, and where it comes from', userLimits),
  },
  'PATCH /api/v1/users/:id/limits': {
    summary: 'Change limits of a user',
    body: changeLimitsRequest,
    answers: ok('The limits, changed', userLimits),
  },
  'GET /api/v1/usage': {
    summary: 'Show what is used of each limit',
    query: usageQuery,
    answers: ok('Of one user; of all with all_users=true', z.union([usage, listOf('users', usageOfUser)])),
  },
  'GET /api/v1/account': {
    summary: 'Show whose key this is, and what it may',
    answers: ok(
      'User and key',
      z.object({
        user,
        key: z.object({
          id: uuid,
          scopes: z.array(z.enum(SCOPES)),
          allowed_ips: z.array(z.string()).nullable(),
          expires_at: time.nullable(),
        }),
      }),
    ),
  },
  'GET /api/v1/audit': {
    summary: 'List who did what, newest first',
    query: listAuditQuery,
    answers: ok('Entries', listOf('entries', entry)),
  },
  'POST /api/v1/jobs/delete': {
    summary: 'Delete jobs that match, with everything stored of them',
    body: deleteJobsRequest,
    isIdempotent: true,
    answers: { 200: dryRun, 202: deleting },
  },
  'DELETE /api/v1/users/:id': {
    summary: 'Delete a user with all that is theirs',
    query: deleteQuery,
    answers: { 200: dryRun, 202: deleting, 204: { says: 'It is gone' } },
    errors: { 409: ['own_user', 'installation_admin'] },
  },
  'DELETE /api/v1/jobs/:id': {
    summary: 'Delete a job with everything stored of it',
    query: deleteQuery,
    answers: { 200: dryRun, 202: deleting, 204: { says: 'It is gone' } },
  },
  'DELETE /api/v1/leads/:lead': {
    summary: 'Delete a business from all your jobs',
    query: deleteQuery,
    answers: { 200: dryRun, 202: deleting },
  },
  'POST /api/v1/leads/delete': {
    summary: 'Delete leads that match',
    body: deleteLeadsRequest,
    isIdempotent: true,
    answers: { 200: dryRun, 202: deleting },
  },
  'POST /api/v1/leads/erase': {
    summary: 'Erase a person, an address, a number or a domain, and suppress it',
    body: eraseRequest,
    isIdempotent: true,
    answers: { 200: dryRun, 202: deleting },
  },
  'GET /api/v1/suppressions': {
    summary: 'List what is kept from being stored',
    query: listSuppressionsQuery,
    answers: ok('Suppressions, newest first', listOf('suppressions', suppression)),
  },
  'POST /api/v1/suppressions': {
    summary: 'Keep something from being stored',
    body: suppressRequest,
    isIdempotent: true,
    answers: created('The suppressions', z.object({ suppressions: z.array(suppression) })),
  },
  'DELETE /api/v1/suppressions/:id': {
    summary: 'Let something be stored again',
    answers: removed('It may be stored again'),
  },
  'GET /api/v1/deletions': {
    summary: 'List deletions, newest first',
    query: listDeletionsQuery,
    answers: ok('Deletions', listOf('deletions', deletion)),
  },
  'GET /api/v1/deletions/:id': { summary: 'Show how far a deletion is', answers: ok('It', deletion) },
};
