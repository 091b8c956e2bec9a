import { usersAndKeys } from './0001-users-and-keys.ts';
import { jobs } from './0002-jobs.ts';
import { events } from './0003-events.ts';
import { leads } from './0004-leads.ts';
import { artifacts } from './0005-artifacts.ts';
import { hosts } from './0006-hosts.ts';
import { notifications } from './0007-notifications.ts';
import { deadLetters } from './0008-dead-letters.ts';
import { links } from './0009-links.ts';
import { statistics } from './0010-statistics.ts';
import { embeddedQueue } from './0011-embedded-queue.ts';
import { idempotentAnswers } from './0012-idempotent-answers.ts';
import { candidateOutcomes } from './0013-candidate-outcomes.ts';
import { linkTexts } from './0014-link-texts.ts';
import { workerSandbox } from './0015-worker-sandbox.ts';
import { secrets } from './0016-secrets.ts';
import { webhookReceivers } from './0017-webhook-receivers.ts';
import { deletions } from './0018-deletions.ts';
import { rolesAndScopes } from './0019-roles-and-scopes.ts';
import { auditLog } from './0020-audit-log.ts';
import { schedules } from './0021-schedules.ts';
import { suppressions } from './0022-suppressions.ts';
import { keyLife } from './0023-key-life.ts';
import { limitsAndUsage } from './0024-limits-and-usage.ts';
import { fairTurns } from './0025-fair-turns.ts';
import { userDeletion } from './0026-user-deletion.ts';
import type { Migration } from './migration.ts';

/** In order, forward only. A released migration never changes: a change of the schema is a new one at the end. */
export const MIGRATIONS: readonly Migration[] = [
  usersAndKeys,
  jobs,
  events,
  leads,
  artifacts,
  hosts,
  notifications,
  deadLetters,
  links,
  statistics,
  embeddedQueue,
  idempotentAnswers,
  candidateOutcomes,
  linkTexts,
  workerSandbox,
  secrets,
  webhookReceivers,
  deletions,
  rolesAndScopes,
  auditLog,
  schedules,
  suppressions,
  keyLife,
  limitsAndUsage,
  fairTurns,
  userDeletion,
];
