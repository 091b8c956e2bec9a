import type { ArtifactStore } from '../core/jobs/artifacts.ts';
import type { Database } from '../db/connect.ts';
import type { Queue } from '../queue/queue.ts';
import type { Logger } from '../runtime/log/logger.ts';
import type { NotifyConfig } from '../runtime/settings/config.ts';
import { listAuditLog } from './accounts/audit.ts';
import { editKey, rotateKey } from './accounts/key-changes.ts';
import { issueKey, listOwnKeys, revoke } from './accounts/keys.ts';
import { editLimits, showLimits } from './accounts/limits.ts';
import { showUsage } from './accounts/usage.ts';
import { addUser, editUser, listAllUsers, showAccount, showUser } from './accounts/users.ts';
import { listOwnDeletions, showDeletion } from './deletions/deletions.ts';
import { deleteJob, deleteJobs } from './deletions/jobs.ts';
import { deleteLead, deleteLeads } from './deletions/leads.ts';
import {
  addSuppressions,
  deleteSuppression,
  eraseFromLeads,
  listOwnSuppressions,
} from './deletions/suppressions.ts';
import { deleteUser } from './deletions/users.ts';
import {
  LIVE_NEEDS,
  type Live,
  listEventsOfJob,
  listOwnEvents,
  liveWithoutUpgrade,
} from './events/events.ts';
import type { RouteTable } from './http/route.ts';
import { cancel, cancelMany, listOwnJobs, retry, showJob } from './jobs/jobs.ts';
import type { LongPoll } from './jobs/long-poll.ts';
import { listJobUrls, mapSite } from './jobs/map.ts';
import { listJobPages, showArtifact } from './jobs/pages.ts';
import { scrapePage } from './jobs/scrape.ts';
import { type SubmitDependencies, submitBatch, submitJob } from './jobs/submit.ts';
import { listCandidates } from './leads/candidates.ts';
import { listLeads, showJobLeads } from './leads/leads.ts';
import {
  addLink,
  editLink,
  type LinkRoutes,
  listOwnLinks,
  removeLink,
  showLink,
  showQr,
} from './links/links.ts';
import { downloadShared, showShared } from './links/share/routes.ts';
import { answerMcp } from './mcp/mcp.ts';
import type { Metrics } from './metrics/metrics.ts';
import type { Auth } from './middleware/authentication.ts';
import type { RateLimit } from './middleware/rate-limit.ts';
import {
  listOwnNotifications,
  readAll,
  readOne,
  showNotification,
  showPushKey,
} from './notifications/notifications.ts';
import {
  editSubscription,
  listOwnSubscriptions,
  showSubscription,
  subscribe,
  unsubscribe,
} from './notifications/subscriptions.ts';
import { confirmUnsubscribe, unsubscribeByToken } from './notifications/unsubscribe.ts';
import {
  addWebhook,
  editWebhook,
  listDeliveries,
  listOwnWebhooks,
  redeliverOne,
  removeWebhook,
  rotate,
  showSecret,
  showWebhook,
} from './notifications/webhooks.ts';
import {
  discard,
  listAllDeadLetters,
  requeueMany,
  requeueOne,
  showDeadLetter,
} from './operations/dead-letters.ts';
import { showQueue, showWorkers } from './operations/fleet.ts';
import { live, overview, queueHealth, ready, showMetrics } from './operations/health.ts';
import { runNow } from './schedules/run-now.ts';
import {
  addSchedule,
  editSchedule,
  listOwnSchedules,
  listRuns,
  removeSchedule,
  showSchedule,
} from './schedules/schedules.ts';
import { showLinkStats, showStats } from './statistics/statistics.ts';

/** What the handlers need. */
export interface RouteDependencies {
  database: Database;
  artifacts: ArtifactStore | undefined;
  auth: Auth;
  events: Live;
  links: LinkRoutes;
  longPoll: LongPoll;
  mapWaitMs: number | undefined;
  notify: Pick<NotifyConfig, 'smtpUrl' | 'vapid'>;
  /** Whose pages may send requests of MCP. */
  origins: { publicUrl: string; corsOrigins: string[] };
  rateLimit: RateLimit;
  submit: SubmitDependencies;
  logger: Logger;
}

/** Every route under `/api/v1`, with the scope that it needs. */
export function apiRoutes(dependencies: RouteDependencies): RouteTable {
  const { database, artifacts, auth, events, links, longPoll, notify, rateLimit, submit } = dependencies;
  const submitting = { ...submit, database, longPoll, logger: dependencies.logger };
  const { refusedTargets } = submit;
  return {
    '/scrape': { POST: { needs: 'jobs:write', handler: scrapePage(submitting) } },
    '/jobs/scrape': { POST: { needs: 'jobs:write', handler: submitJob(submitting) } },
    '/jobs/batch': { POST: { needs: 'jobs:write', handler: submitBatch(submit) } },
    '/jobs/map': {
      POST: {
        needs: 'jobs:write',
        handler: mapSite({ ...submit, sql: database, longPoll, waitMs: dependencies.mapWaitMs }),
      },
    },
    '/jobs': { GET: { needs: 'jobs:read', handler: listOwnJobs(database) } },
    '/jobs/cancel': { POST: { needs: 'jobs:write', handler: cancelMany(database) } },
    '/workers': { GET: { needs: 'admin', handler: showWorkers(database) } },
    '/queue': { GET: { needs: 'jobs:read', handler: showQueue(database) } },
    '/jobs/delete': { POST: { needs: 'jobs:write', handler: deleteJobs(database) } },
    '/jobs/:id': {
      GET: { needs: 'jobs:read', handler: showJob(database, longPoll) },
      DELETE: { needs: 'jobs:write', handler: deleteJob(database) },
    },
    '/jobs/:id/cancel': { POST: { needs: 'jobs:write', handler: cancel(database) } },
    '/jobs/:id/retry': { POST: { needs: 'jobs:write', handler: retry(database) } },
    '/jobs/:id/pages': { GET: { needs: 'jobs:read', handler: listJobPages(database) } },
    '/jobs/:id/urls': { GET: { needs: 'jobs:read', handler: listJobUrls(database) } },
    '/jobs/:id/leads': { GET: { needs: 'leads:read', handler: showJobLeads(database) } },
    '/jobs/:id/candidates': { GET: { needs: 'leads:read', handler: listCandidates(database) } },
    '/jobs/:id/events': { GET: { needs: 'events:read', handler: listEventsOfJob(events) } },
    '/jobs/:id/artifacts/:position/:name': {
      GET: { needs: 'jobs:read', handler: showArtifact(database, artifacts) },
    },
    '/leads': { GET: { needs: 'leads:read', handler: listLeads(database) } },
    '/leads/delete': { POST: { needs: 'leads:write', handler: deleteLeads(database) } },
    '/leads/erase': { POST: { needs: 'leads:write', handler: eraseFromLeads(database) } },
    '/leads/:lead': { DELETE: { needs: 'leads:write', handler: deleteLead(database) } },
    '/suppressions': {
      GET: { needs: 'leads:read', handler: listOwnSuppressions(database) },
      POST: { needs: 'leads:write', handler: addSuppressions(database) },
    },
    '/suppressions/:id': { DELETE: { needs: 'leads:write', handler: deleteSuppression(database) } },
    '/events': { GET: { needs: 'events:read', handler: listOwnEvents(events) } },
    '/live': { GET: { needs: LIVE_NEEDS, handler: liveWithoutUpgrade } },
    '/deletions': { GET: { needs: 'jobs:read', handler: listOwnDeletions(database) } },
    '/deletions/:id': { GET: { needs: 'jobs:read', handler: showDeletion(database) } },
    '/dead-letters': { GET: { needs: 'admin', handler: listAllDeadLetters(database) } },
    '/dead-letters/requeue': { POST: { needs: 'admin', handler: requeueMany(database) } },
    '/dead-letters/:id': {
      GET: { needs: 'admin', handler: showDeadLetter(database) },
      DELETE: { needs: 'admin', handler: discard(database) },
    },
    '/dead-letters/:id/requeue': { POST: { needs: 'admin', handler: requeueOne(database) } },
    '/users': {
      GET: { needs: 'admin', handler: listAllUsers(database) },
      POST: { needs: 'admin', handler: addUser(database) },
    },
    '/users/:id': {
      GET: { needs: 'admin', handler: showUser(database) },
      PATCH: { needs: 'admin', handler: editUser(database, auth) },
      DELETE: { needs: 'admin', handler: deleteUser(database, auth) },
    },
    '/users/:id/limits': {
      GET: { needs: 'admin', handler: showLimits(database) },
      PATCH: { needs: 'admin', handler: editLimits(database, auth) },
    },
    '/usage': { GET: { needs: 'account:read', handler: showUsage(database, rateLimit) } },
    '/keys': {
      GET: { needs: 'account:read', handler: listOwnKeys(database) },
      POST: { needs: 'keys:write', handler: issueKey(database) },
    },
    '/keys/:id': {
      PATCH: { needs: 'keys:write', handler: editKey(database, auth) },
      DELETE: { needs: 'keys:write', handler: revoke(database, auth) },
    },
    '/keys/:id/rotate': { POST: { needs: 'keys:write', handler: rotateKey(database, auth) } },
    '/account': { GET: { needs: 'account:read', handler: showAccount(database) } },
    '/audit': { GET: { needs: 'account:read', handler: listAuditLog(database) } },
    '/links': {
      GET: { needs: 'links:read', handler: listOwnLinks(links) },
      POST: { needs: 'links:write', handler: addLink({ ...links, database }) },
    },
    '/links/:code': {
      GET: { needs: 'links:read', handler: showLink(links) },
      PATCH: { needs: 'links:write', handler: editLink(links) },
      DELETE: { needs: 'links:write', handler: removeLink(links) },
    },
    '/links/:code/qr': { GET: { needs: 'links:read', handler: showQr(links) } },
    '/links/:code/stats': { GET: { needs: 'links:read', handler: showLinkStats(database) } },
    '/schedules': {
      GET: { needs: 'jobs:read', handler: listOwnSchedules(database) },
      POST: { needs: 'jobs:write', handler: addSchedule(database, refusedTargets) },
    },
    '/schedules/:id': {
      GET: { needs: 'jobs:read', handler: showSchedule(database) },
      PATCH: { needs: 'jobs:write', handler: editSchedule(database, refusedTargets) },
      DELETE: { needs: 'jobs:write', handler: removeSchedule(database) },
    },
    '/schedules/:id/run': { POST: { needs: 'jobs:write', handler: runNow(database) } },
    '/schedules/:id/runs': { GET: { needs: 'jobs:read', handler: listRuns(database) } },
    '/stats': { GET: { needs: 'jobs:read', handler: showStats(database) } },

    '/subscriptions': {
      GET: { needs: 'notifications:read', handler: listOwnSubscriptions(database) },
      POST: {
        needs: 'notifications:write',
        handler: subscribe(database, { email: notify.smtpUrl !== undefined, refusedTargets }),
      },
    },
    '/subscriptions/:id': {
      GET: { needs: 'notifications:read', handler: showSubscription(database) },
      PATCH: { needs: 'notifications:write', handler: editSubscription(database) },
      DELETE: { needs: 'notifications:write', handler: unsubscribe(database) },
    },
    '/notifications': { GET: { needs: 'notifications:read', handler: listOwnNotifications(database) } },
    '/notifications/read': { POST: { needs: 'notifications:write', handler: readAll(database) } },
    '/notifications/:id': { GET: { needs: 'notifications:read', handler: showNotification(database) } },
    '/notifications/:id/read': { POST: { needs: 'notifications:write', handler: readOne(database) } },
    '/push/public-key': {
      GET: { needs: 'notifications:read', handler: showPushKey(database, notify.vapid) },
    },
    '/webhooks': {
      GET: { needs: 'notifications:read', handler: listOwnWebhooks(database) },
      POST: { needs: 'notifications:write', handler: addWebhook(database, refusedTargets) },
    },
    '/webhooks/:id': {
      GET: { needs: 'notifications:read', handler: showWebhook(database) },
      PATCH: { needs: 'notifications:write', handler: editWebhook(database) },
      DELETE: { needs: 'notifications:write', handler: removeWebhook(database) },
    },
    // Who has the secret can sign: not for those who only look.
    '/webhooks/:id/secret': { GET: { needs: 'notifications:write', handler: showSecret(database) } },
    '/webhooks/:id/rotate-secret': { POST: { needs: 'notifications:write', handler: rotate(database) } },
    '/webhooks/:id/deliveries': { GET: { needs: 'notifications:read', handler: listDeliveries(database) } },
    '/webhooks/:id/deliveries/:delivery/redeliver': {
      POST: { needs: 'notifications:write', handler: redeliverOne(database) },
    },
  };
}

/** Routes at the root. For unsubscribe and share the token or code is the credential. */
export const rootRoutes = ({
  database,
  submit,
  events,
  origins,
  longPoll,
  logger,
}: RouteDependencies): RouteTable => ({
  // The same as `/api/v1/jobs/scrape`, for clients older than the base path.
  '/jobs/scrape': {
    POST: { needs: 'jobs:write', handler: submitJob({ ...submit, database, longPoll, logger }) },
  },
  // The least that an agent needs; each of its tools needs what its own calls do.
  '/mcp': { POST: { needs: 'jobs:read', handler: answerMcp({ ...origins, streams: events.streams }) } },
  '/unsubscribe/:token': {
    GET: { needs: 'nothing', handler: confirmUnsubscribe(database) },
    POST: { needs: 'nothing', handler: unsubscribeByToken(database) },
  },
  '/share/:code': { GET: { needs: 'nothing', handler: showShared(database) } },
  '/share/:code/:file': { GET: { needs: 'nothing', handler: downloadShared(database) } },
});

/** Health and metrics. */
export const healthRoutes = (
  { database, queue }: { database: Database; queue: Pick<Queue, 'health'> },
  metrics: Metrics,
  stopping: () => boolean,
): RouteTable => ({
  '/health': { GET: { needs: 'nothing', handler: overview(database, queue, stopping) } },
  '/health/live': { GET: { needs: 'nothing', handler: live } },
  '/health/ready': { GET: { needs: 'nothing', handler: ready(database, stopping) } },
  '/health/rabbitmq': { GET: { needs: 'nothing', handler: queueHealth(queue) } },
  '/metrics': { GET: { needs: 'nothing', handler: showMetrics(metrics) } },
});
