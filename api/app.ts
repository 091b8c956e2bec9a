import type { RequestListener } from 'node:http';
import express, { Router } from 'express';
import type { ArtifactStore } from '../core/jobs/artifacts.ts';
import type { Database } from '../db/connect.ts';
import type { Dispatch } from '../dispatch/dispatch.ts';
import type { Queue } from '../queue/queue.ts';
import type { Logger } from '../runtime/log/logger.ts';
import type { NotifyConfig } from '../runtime/settings/config.ts';
import { createEventHub } from './events/event-hub.ts';
import { createStreams, type StreamLimits } from './events/streams.ts';
import { createLiveSockets, type LiveSockets } from './events/websocket.ts';
import { createClientAddress } from './http/client-address.ts';
import { originForm } from './http/origin-form.ts';
import { createRefusedTargets } from './http/refused-targets.ts';
import { type Needs, type RouteTable, serve } from './http/route.ts';
import { createAccept } from './jobs/accept.ts';
import { createLongPoll } from './jobs/long-poll.ts';
import { createValidateTarget } from './links/link-target.ts';
import { createRedirects } from './links/redirect/redirects.ts';
import type { ShortLinks } from './links/redirect/short-links.ts';
import { createMetrics } from './metrics/metrics.ts';
import { createAuth } from './middleware/authentication.ts';
import { createCompression } from './middleware/compression.ts';
import { createCors } from './middleware/cors.ts';
import { answerNotFound, createErrorHandler } from './middleware/error-handler.ts';
import { createKeyUse } from './middleware/key-use.ts';
import { createLoadShedding } from './middleware/load-shedding.ts';
import { createRateLimit } from './middleware/rate-limit.ts';
import { createRequestMetrics } from './middleware/request-metrics.ts';
import { answerServerOptions, refuseMalformedUrl } from './middleware/request-target.ts';
import { openApiRoutes } from './openapi/routes.ts';
import { apiRoutes, healthRoutes, type RouteDependencies, rootRoutes } from './routes.ts';

export interface AppDependencies {
  database: Database;
  /** Undefined: artifacts are stored in the database. */
  artifacts?: ArtifactStore | undefined;
  queue: Pick<Queue, 'health'>;
  dispatch: Pick<Dispatch, 'offer'>;
  logger: Logger;
  /** For the metrics; default none. */
  logLinesDropped?: () => number;
  links: ShortLinks;
  /** Base URL of this API, for links to it. */
  publicUrl: string;
  /** Private targets that jobs, webhooks and short links may have, besides the public internet. */
  egressAllow: string[];
  /** Targets that jobs and webhooks may not have. */
  egressDeny: string[];
  /** Addresses and ranges of the proxies whose `X-Forwarded-For` is trusted. */
  trustedProxies: string[];
  /** Origins whose pages may call this API from browsers, or `*`; none: same origin only. */
  corsOrigins: string[];
  /** Requests per second and user over all API processes, if no limit of the user or role says otherwise. */
  rateLimit: number;
  /** One debug line per request. */
  accessLog: boolean;
  /** Whether there is e-mail, and the operator's key pair for web push. */
  notify: Pick<NotifyConfig, 'smtpUrl' | 'vapid'>;
  /** How long `POST /jobs/map` waits for its job. */
  mapWaitMs?: number;
  /** Limits of event streams. */
  streams?: Partial<StreamLimits> & { beatMs?: number; stalledMs?: number };
}

/** One method of a path such as `/api/v1/jobs/:id`. */
export interface DeclaredRoute {
  method: string;
  path: string;
  needs: Needs;
}

export interface App {
  /** For a server; the app itself does not listen. */
  handler: RequestListener;
  /** For the server's `upgrade` event: WebSockets. */
  upgrade: LiveSockets['upgrade'];
  /** What it answers, short links aside. */
  routes: readonly DeclaredRoute[];
  /**
   * Ends everything that waits: long polls are answered with the current state, streams end and
   * their clients reconnect elsewhere, and `/health/ready` fails, so that load balancers stop
   * sending requests. Resolves when none of these runs a query any more.
   */
  stop(): Promise<void>;
}

/** Builds the HTTP application. */
export function createApp(dependencies: AppDependencies): App {
  const { database, logger, links, publicUrl } = dependencies;
  const metrics = createMetrics({
    sql: database,
    logger,
    logLinesDropped: dependencies.logLinesDropped ?? (() => 0),
    clickFigures: links.figures,
  });
  const clientAddress = createClientAddress(dependencies.trustedProxies);
  const keyUse = createKeyUse(database, logger);
  const auth = createAuth(database, clientAddress, keyUse);
  const longPoll = createLongPoll(database, logger);
  const { beatMs, stalledMs, ...limits } = { perProcess: 5000, perUser: 1000, ...dependencies.streams };
  const hub = createEventHub(database, logger);
  const streams = createStreams({
    ...{ sql: database, logger, metrics: metrics.streams },
    ...{ limits, beatMs, stalledMs },
  });
  const events = { sql: database, hub, streams, metrics: metrics.streams };
  const sockets = createLiveSockets({ ...events, auth, logger }, clientAddress);
  const rateLimit = createRateLimit({ sql: database, logger, defaultPerSecond: dependencies.rateLimit });
  let stopping = false;

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.use(createRequestMetrics({ metrics, logger, accessLog: dependencies.accessLog }));
  app.use(answerServerOptions);
  app.use(refuseMalformedUrl);
  if (dependencies.corsOrigins.length > 0) app.use(createCors(dependencies.corsOrigins));
  const needed = routeDependencies(dependencies, { auth, longPoll, events, rateLimit });
  const api = apiRoutes(needed);
  const root: RouteTable = {
    ...rootRoutes(needed),
    ...healthRoutes(dependencies, metrics, () => stopping),
    ...openApiRoutes(() => routes),
  };
  const routes: readonly DeclaredRoute[] = [...declared('/api/v1', api), ...declared('', root)];
  const withKey = [auth.authenticate, rateLimit.middleware, createLoadShedding()];
  app.use(createCompression());
  app.use('/api/v1', ...withKey, routerOf('/api/v1', api));
  app.use('/jobs/scrape', ...withKey);
  app.use('/mcp', ...withKey);
  app.use(routerOf('', root));
  app.use(answerNotFound);
  app.use(createErrorHandler(logger));

  const redirects = createRedirects({ ...links, publicUrl, observe: metrics.observeRequest, logger });
  return {
    handler: (request, response) => {
      request.url = originForm(request.url ?? '/');
      if (!redirects.answer(request, response)) app(request, response);
    },
    upgrade: sockets.upgrade,
    routes,
    stop: async () => {
      stopping = true;
      const waitsEnded = longPoll.stop();
      streams.stop();
      sockets.stop();
      await Promise.all([waitsEnded, hub.stop(), keyUse.stop(), rateLimit.stop()]);
    },
  };
}

function routeDependencies(
  {
    database,
    artifacts,
    dispatch,
    notify,
    links,
    publicUrl,
    corsOrigins,
    egressAllow,
    egressDeny,
    mapWaitMs,
    logger,
  }: AppDependencies,
  shared: Pick<RouteDependencies, 'auth' | 'longPoll' | 'events' | 'rateLimit'>,
): RouteDependencies {
  return {
    ...shared,
    ...{ database, artifacts, notify, mapWaitMs, logger },
    origins: { publicUrl, corsOrigins },
    submit: {
      accept: createAccept(database),
      dispatch,
      refusedTargets: createRefusedTargets({ allow: egressAllow, deny: egressDeny }),
    },
    links: {
      ...{ sql: database, linkCache: links.linkCache, publicUrl },
      validateTarget: createValidateTarget({ publicUrl, egressAllow }),
    },
  };
}

function routerOf(base: string, routes: RouteTable): Router {
  const router = Router();
  serve(router, base, routes);
  return router;
}

const declared = (base: string, routes: RouteTable): DeclaredRoute[] =>
  Object.entries(routes).flatMap(([path, endpoints]) =>
    Object.entries(endpoints).map(([method, { needs }]) => ({ method, path: `${base}${path}`, needs })),
  );
