import type { RequestListener } from 'node:http';
import express, { Router } from 'express';
import type { ArtifactStore } from '../core/jobs/artifacts.ts';
import type { Database } from '../db/connect.ts';
import { listJobLeads } from '../db/leads.ts';
import type { Dispatch } from '../dispatch/dispatch.ts';
import type { Queue } from '../queue/queue.ts';
import type { Logger } from '../runtime/log/logger.ts';
import type { NotifyConfig } from '../runtime/settings/config.ts';
import { issueKey, listOwnKeys, revoke } from './accounts/keys.ts';
import { addUser, listAllUsers } from './accounts/users.ts';
import { createEventHub } from './events/event-hub.ts';
import { type Live, listEventsOfJob, listOwnEvents, liveWithoutUpgrade } from './events/events.ts';
import { createStreams, type StreamLimits } from './events/streams.ts';
import { createLiveSockets, type LiveSockets } from './events/websocket.ts';
import { createClientAddress } from './http/client-address.ts';
import { originForm } from './http/origin-form.ts';
import { answerHeaders, type Middleware, serve } from './http/route.ts';
import { createAccept } from './jobs/accept.ts';
import { cancel, cancelMany, listOwnJobs, retry, showJob } from './jobs/jobs.ts';
import { createLongPoll, type LongPoll } from './jobs/long-poll.ts';
import { listJobUrls, mapSite } from './jobs/map.ts';
import { listJobPages, showArtifact } from './jobs/pages.ts';
import { submitBatch, submitJob } from './jobs/submit.ts';
import { listLeads, showJobLeads } from './leads/leads.ts';
import { createValidateTarget } from './links/link-target.ts';
import { addLink, editLink, listOwnLinks, removeLink, showLink, showQr } from './links/links.ts';
import { createRedirects } from './links/redirect/redirects.ts';
import type { ShortLinks } from './links/redirect/short-links.ts';
import { downloadShared, showShared } from './links/share/routes.ts';
import { createMetrics, type Metrics } from './metrics/metrics.ts';
import { type Auth, createAuth } from './middleware/authentication.ts';
import { createCompression } from './middleware/compression.ts';
import { createCors } from './middleware/cors.ts';
import { answerNotFound, createErrorHandler, malformedUrl } from './middleware/error-handler.ts';
import { createLoadShedding } from './middleware/load-shedding.ts';
import { createRateLimit } from './middleware/rate-limit.ts';
import { createRequestMetrics } from './middleware/request-metrics.ts';
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
import { askToUnsubscribe, unsubscribeByToken } from './notifications/unsubscribe.ts';
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
import { live, queueHealth, ready, showMetrics } from './operations/health.ts';
import { showLinkStats, showStats } from './statistics/statistics.ts';

export interface AppDependencies {
  database: Database;
  /** Undefined: artifacts lie in the database. */
  artifacts?: ArtifactStore | undefined;
  queue: Pick<Queue, 'health'>;
  dispatch: Pick<Dispatch, 'offer'>;
  logger: Logger;
  /** For the metrics; default none. */
  logLinesDropped?: () => number;
  links: ShortLinks;
  /** Where users reach this API, for links to it. */
  publicUrl: string;
  /** What links may lead to beside the open internet. */
  egressAllow: string[];
  /** Addresses and ranges of the proxies whose `X-Forwarded-For` is believed. */
  trustedProxies: string[];
  /** Whose pages may call this API from browsers: origins, or `*`. None: no other's. */
  corsOrigins: string[];
  /** Requests a second and user. */
  rateLimit: number;
  /** A debug line a request. */
  accessLog: boolean;
  /** Whether there is e-mail, and the key pair of pushes where the operator gave one. */
  notify: Pick<NotifyConfig, 'smtpUrl' | 'vapid'>;
  /** So long `POST /jobs/map` waits for its job. */
  mapWaitMs?: number;
  /** Of streams of events. */
  streams?: Partial<StreamLimits> & { beatMs?: number; stalledMs?: number };
}

export interface App {
  /** Give it to a server; it never listens itself. */
  handler: RequestListener;
  /** For the server's `upgrade`: WebSockets. */
  upgrade: LiveSockets['upgrade'];
  /**
   * Ends what waits: long polls are answered as things stand, streams end for their clients to come again elsewhere, and
   * `/health/ready` sends load balancers away. Resolves when nothing of it asks the database any more.
   */
  stop(): Promise<void>;
}

/** Builds the HTTP application. */
export function createApp(dependencies: AppDependencies): App {
  const { database, logger } = dependencies;
  const metrics = createMetrics(database, logger, dependencies.logLinesDropped ?? (() => 0));
  metrics.watchClicks(dependencies.links.figures);
  const clientAddress = createClientAddress(dependencies.trustedProxies);
  const auth = createAuth(database, clientAddress);
  const longPoll = createLongPoll(database, logger);
  const { beatMs, stalledMs, ...limits } = { perProcess: 5000, perUser: 1000, ...dependencies.streams };
  const hub = createEventHub(database, logger);
  const streams = createStreams({
    sql: database,
    logger,
    metrics: metrics.live,
    limits,
    beatMs,
    stalledMs,
  });
  const events = { sql: database, hub, streams, metrics: metrics.live };
  const sockets = createLiveSockets({ ...events, auth, logger }, clientAddress);
  let stopping = false;

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.use(createRequestMetrics({ metrics, logger, accessLog: dependencies.accessLog }));
  app.use(answerServerOptions);
  app.use(refuseMalformedUrl);
  if (dependencies.corsOrigins.length > 0) app.use(createCors(dependencies.corsOrigins));
  app.use(apiRoutes(dependencies, { auth, longPoll, events }));
  app.use(healthRoutes(dependencies, metrics, () => stopping));
  app.use(answerNotFound);
  app.use(createErrorHandler(logger));

  const redirects = createRedirects({
    ...dependencies.links,
    publicUrl: dependencies.publicUrl,
    observe: metrics.observeRequest,
    logger,
  });
  return {
    handler: (request, response) => {
      request.url = originForm(request.url ?? '/');
      if (!redirects.answer(request, response)) app(request, response);
    },
    upgrade: sockets.upgrade,
    stop: () => {
      stopping = true;
      longPoll.stop();
      streams.stop();
      sockets.stop();
      return hub.stop();
    },
  };
}

/** `OPTIONS *` asks of the server and of no path: what it speaks at all. */
const answerServerOptions: Middleware = (request, response, next) => {
  if (request.url !== '*') return next();
  if (request.method !== 'OPTIONS') return next(malformedUrl());
  response.writeHead(204, { ...answerHeaders(response), allow: 'GET, HEAD, POST, PATCH, DELETE, OPTIONS' });
  response.end();
};

const refuseMalformedUrl: Middleware = (request, _response, next) => {
  if (request.url.includes('%')) {
    try {
      decodeURIComponent(request.url);
    } catch {
      next(malformedUrl());
      return;
    }
  }
  next();
};

function apiRoutes(
  {
    database,
    artifacts,
    dispatch,
    rateLimit,
    notify,
    links,
    publicUrl,
    egressAllow,
    mapWaitMs,
  }: AppDependencies,
  { auth, longPoll, events }: { auth: Auth; longPoll: LongPoll; events: Live },
): Router {
  const limit = createRateLimit(rateLimit);
  const loadShedding = createLoadShedding();
  const submit = { accept: createAccept(database), dispatch };
  const short = {
    ...{ sql: database, linkCache: links.linkCache, publicUrl },
    validateTarget: createValidateTarget({ publicUrl, egressAllow }),
  };
  const share = { sql: database, listLeads: listJobLeads };

  const v1 = Router();
  const at = (path: string, handlers: Parameters<typeof serve>[3]) => serve(v1, '/api/v1', path, handlers);
  at('/jobs/scrape', { POST: submitJob(submit) });
  at('/jobs/batch', { POST: submitBatch(submit) });
  at('/jobs/map', { POST: mapSite({ ...submit, sql: database, longPoll, waitMs: mapWaitMs }) });
  at('/jobs', { GET: listOwnJobs(database) });
  at('/jobs/cancel', { POST: cancelMany(database) });
  at('/workers', { GET: showWorkers(database) });
  at('/queue', { GET: showQueue(database) });
  at('/jobs/:id', { GET: showJob(database, longPoll) });
  at('/jobs/:id/cancel', { POST: cancel(database) });
  at('/jobs/:id/retry', { POST: retry(database) });
  at('/jobs/:id/pages', { GET: listJobPages(database) });
  at('/jobs/:id/urls', { GET: listJobUrls(database) });
  at('/jobs/:id/leads', { GET: showJobLeads(database) });
  at('/jobs/:id/events', { GET: listEventsOfJob(events) });
  at('/jobs/:id/artifacts/:position/:name', { GET: showArtifact(database, artifacts) });
  at('/leads', { GET: listLeads(database) });
  at('/events', { GET: listOwnEvents(events) });
  at('/live', { GET: liveWithoutUpgrade });
  at('/dead-letters', { GET: listAllDeadLetters(database) });
  at('/dead-letters/requeue', { POST: requeueMany(database) });
  at('/dead-letters/:id', { GET: showDeadLetter(database), DELETE: discard(database) });
  at('/dead-letters/:id/requeue', { POST: requeueOne(database) });
  at('/users', { GET: listAllUsers(database), POST: addUser(database) });
  at('/keys', { GET: listOwnKeys(database), POST: issueKey(database) });
  at('/keys/:id', { DELETE: revoke(database, auth) });
  at('/links', { GET: listOwnLinks(short), POST: addLink({ ...short, database }) });
  at('/links/:code', { GET: showLink(short), PATCH: editLink(short), DELETE: removeLink(short) });
  at('/links/:code/qr', { GET: showQr(short) });
  at('/links/:code/stats', { GET: showLinkStats(database) });
  at('/stats', { GET: showStats(database) });

  at('/subscriptions', {
    GET: listOwnSubscriptions(database),
    POST: subscribe(database, { email: notify.smtpUrl !== undefined }),
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
  at('/webhooks', { GET: listOwnWebhooks(database), POST: addWebhook(database) });
  at('/webhooks/:id', {
    GET: showWebhook(database),
    PATCH: editWebhook(database),
    DELETE: removeWebhook(database),
  });
  at('/webhooks/:id/secret', { GET: showSecret(database) });
  at('/webhooks/:id/rotate-secret', { POST: rotate(database) });
  at('/webhooks/:id/deliveries', { GET: listDeliveries(database) });
  at('/webhooks/:id/deliveries/:delivery/redeliver', { POST: redeliverOne(database) });

  // The same call at the root path: for clients that were written before there was a base path.
  const root = Router();
  serve(root, '', '/jobs/scrape', { POST: submitJob(submit) });

  // From a mail, without a key: the token is proof enough.
  serve(root, '', '/unsubscribe/:token', {
    GET: askToUnsubscribe(database),
    POST: unsubscribeByToken(database),
  });
  // Without a key: whoever has the code was given it.
  serve(root, '', '/share/:code', { GET: showShared(share) });
  serve(root, '', '/share/:code/:file', { GET: downloadShared(share) });

  const routes = Router();
  routes.use(createCompression());
  routes.use('/api/v1', auth.authenticate, limit, loadShedding, v1);
  routes.use('/jobs/scrape', auth.authenticate, limit, loadShedding);
  routes.use(root);
  return routes;
}

function healthRoutes(
  { database, queue }: AppDependencies,
  metrics: Metrics,
  stopping: () => boolean,
): Router {
  const routes = Router();
  serve(routes, '', '/health/live', { GET: live });
  serve(routes, '', '/health/ready', { GET: ready(database, stopping) });
  serve(routes, '', '/health/rabbitmq', { GET: queueHealth(queue) });
  serve(routes, '', '/metrics', { GET: showMetrics(metrics) });
  return routes;
}
