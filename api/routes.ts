import { Router } from 'express';
import type { ArtifactStore } from '../core/jobs/artifacts.ts';
import type { Database } from '../db/connect.ts';
import type { Queue } from '../queue/queue.ts';
import type { NotifyConfig } from '../runtime/settings/config.ts';
import { issueKey, listOwnKeys, revoke } from './accounts/keys.ts';
import { addUser, listAllUsers } from './accounts/users.ts';
import { listOwnDeletions, showDeletion } from './deletions/deletions.ts';
import { deleteJob, deleteJobs } from './deletions/jobs.ts';
import { type Live, listEventsOfJob, listOwnEvents, liveWithoutUpgrade } from './events/events.ts';
import { serve } from './http/route.ts';
import { cancel, cancelMany, listOwnJobs, retry, showJob } from './jobs/jobs.ts';
import type { LongPoll } from './jobs/long-poll.ts';
import { listJobUrls, mapSite } from './jobs/map.ts';
import { listJobPages, showArtifact } from './jobs/pages.ts';
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
import type { Metrics } from './metrics/metrics.ts';
import type { Auth } from './middleware/authentication.ts';
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
import { showLinkStats, showStats } from './statistics/statistics.ts';

type Handlers = Parameters<typeof serve>[3];

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
  submit: SubmitDependencies;
}

/** Every route under `/api/v1`; all need an API key. */
export function apiRoutes(dependencies: RouteDependencies): Router {
  const { database, artifacts, auth, events, links, longPoll, notify, submit } = dependencies;
  const { refusedTargets } = submit;
  const v1 = Router();
  const at = (path: string, handlers: Handlers) => serve(v1, '/api/v1', path, handlers);
  at('/jobs/scrape', { POST: submitJob(submit) });
  at('/jobs/batch', { POST: submitBatch(submit) });
  at('/jobs/map', { POST: mapSite({ ...submit, sql: database, longPoll, waitMs: dependencies.mapWaitMs }) });
  at('/jobs', { GET: listOwnJobs(database) });
  at('/jobs/cancel', { POST: cancelMany(database) });
  at('/workers', { GET: showWorkers(database) });
  at('/queue', { GET: showQueue(database) });
  at('/jobs/delete', { POST: deleteJobs(database) });
  at('/jobs/:id', { GET: showJob(database, longPoll), DELETE: deleteJob(database) });
  at('/jobs/:id/cancel', { POST: cancel(database) });
  at('/jobs/:id/retry', { POST: retry(database) });
  at('/jobs/:id/pages', { GET: listJobPages(database) });
  at('/jobs/:id/urls', { GET: listJobUrls(database) });
  at('/jobs/:id/leads', { GET: showJobLeads(database) });
  at('/jobs/:id/candidates', { GET: listCandidates(database) });
  at('/jobs/:id/events', { GET: listEventsOfJob(events) });
  at('/jobs/:id/artifacts/:position/:name', { GET: showArtifact(database, artifacts) });
  at('/leads', { GET: listLeads(database) });
  at('/events', { GET: listOwnEvents(events) });
  at('/live', { GET: liveWithoutUpgrade });
  at('/deletions', { GET: listOwnDeletions(database) });
  at('/deletions/:id', { GET: showDeletion(database) });
  at('/dead-letters', { GET: listAllDeadLetters(database) });
  at('/dead-letters/requeue', { POST: requeueMany(database) });
  at('/dead-letters/:id', { GET: showDeadLetter(database), DELETE: discard(database) });
  at('/dead-letters/:id/requeue', { POST: requeueOne(database) });
  at('/users', { GET: listAllUsers(database), POST: addUser(database) });
  at('/keys', { GET: listOwnKeys(database), POST: issueKey(database) });
  at('/keys/:id', { DELETE: revoke(database, auth) });
  at('/links', { GET: listOwnLinks(links), POST: addLink({ ...links, database }) });
  at('/links/:code', { GET: showLink(links), PATCH: editLink(links), DELETE: removeLink(links) });
  at('/links/:code/qr', { GET: showQr(links) });
  at('/links/:code/stats', { GET: showLinkStats(database) });
  at('/stats', { GET: showStats(database) });

  at('/subscriptions', {
    GET: listOwnSubscriptions(database),
    POST: subscribe(database, { email: notify.smtpUrl !== undefined, refusedTargets }),
  });
  at('/subscriptions/:id', {
    GET: showSubscription(database),
    PATCH: editSubscription(database),
    DELETE: unsubscribe(database),
  });
  at('/notifications', { GET: listOwnNotifications(database) });
  at('/notifications/read', { POST: readAll(database) });
  at('/notifications/:id', { GET: showNotification(database) });
  at('/notifications/:id/read', { POST: readOne(database) });
  at('/push/public-key', { GET: showPushKey(database, notify.vapid) });
  at('/webhooks', { GET: listOwnWebhooks(database), POST: addWebhook(database, refusedTargets) });
  at('/webhooks/:id', {
    GET: showWebhook(database),
    PATCH: editWebhook(database),
    DELETE: removeWebhook(database),
  });
  at('/webhooks/:id/secret', { GET: showSecret(database) });
  at('/webhooks/:id/rotate-secret', { POST: rotate(database) });
  at('/webhooks/:id/deliveries', { GET: listDeliveries(database) });
  at('/webhooks/:id/deliveries/:delivery/redeliver', { POST: redeliverOne(database) });
  return v1;
}

/** Routes at the root. For unsubscribe and share the token or code is the credential. */
export function rootRoutes({ database, submit }: RouteDependencies): Router {
  const root = Router();
  // The same as `/api/v1/jobs/scrape`, for clients older than the base path.
  serve(root, '', '/jobs/scrape', { POST: submitJob(submit) });
  serve(root, '', '/unsubscribe/:token', {
    GET: confirmUnsubscribe(database),
    POST: unsubscribeByToken(database),
  });
  serve(root, '', '/share/:code', { GET: showShared(database) });
  serve(root, '', '/share/:code/:file', { GET: downloadShared(database) });
  return root;
}

/** Health and metrics, without an API key. */
export function healthRoutes(
  { database, queue }: { database: Database; queue: Pick<Queue, 'health'> },
  metrics: Metrics,
  stopping: () => boolean,
): Router {
  const routes = Router();
  serve(routes, '', '/health', { GET: overview(database, queue, stopping) });
  serve(routes, '', '/health/live', { GET: live });
  serve(routes, '', '/health/ready', { GET: ready(database, stopping) });
  serve(routes, '', '/health/rabbitmq', { GET: queueHealth(queue) });
  serve(routes, '', '/metrics', { GET: showMetrics(metrics) });
  return routes;
}
