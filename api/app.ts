import express, { type Express, Router } from 'express';
import type { ArtifactStore } from '../core/artifacts.ts';
import type { Database } from '../db/connect.ts';
import type { Dispatch } from '../dispatch/dispatch.ts';
import type { Queue } from '../queue/queue.ts';
import type { Logger } from '../runtime/logger.ts';
import { createAccept } from './accept.ts';
import { answerNotFound, createAnswerProblem, malformedUrl } from './answer-problem.ts';
import { type Auth, createAuth } from './auth.ts';
import { type Middleware, serve } from './http.ts';
import { createLoadLimit } from './load-limit.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { createObserve } from './observe.ts';
import { createRateLimit } from './rate-limit.ts';
import {
  discard,
  listAllDeadLetters,
  requeueMany,
  requeueOne,
  showDeadLetter,
} from './routes/dead-letters.ts';
import { live, queueHealth, ready, showMetrics } from './routes/health.ts';
import { cancel, listOwnJobs, retry, showJob } from './routes/jobs.ts';
import { issueKey, listOwnKeys, revoke } from './routes/keys.ts';
import { listJobLeads, listJobPages, showArtifact } from './routes/pages.ts';
import { submitBatch, submitJob } from './routes/submit.ts';
import { addUser, listAllUsers } from './routes/users.ts';
import { createWaiters, type Waiters } from './wait.ts';

export interface AppDependencies {
  database: Database;
  /** Undefined: artifacts lie in the database. */
  artifacts?: ArtifactStore | undefined;
  queue: Pick<Queue, 'health'>;
  dispatch: Pick<Dispatch, 'offer'>;
  logger: Logger;
  /** Requests a second and user. */
  rateLimit: number;
  /** A debug line a request. */
  accessLog: boolean;
}

export interface App {
  /** Give it to a server; it never listens itself. */
  handler: Express;
  /** Ends what waits: long polls are answered as things stand, and `/health/ready` sends load balancers away. */
  stop(): void;
}

/** Builds the HTTP application. */
export function createApp(dependencies: AppDependencies): App {
  const { database, logger } = dependencies;
  const metrics = createMetrics(database, logger);
  const auth = createAuth(database);
  const waiters = createWaiters(database, logger);
  let stopping = false;

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.use(createObserve({ metrics, logger, accessLog: dependencies.accessLog }));
  app.use(refuseMalformedUrl);
  app.use(apiRoutes(dependencies, { auth, waiters }));
  app.use(healthRoutes(dependencies, metrics, () => stopping));
  app.use(answerNotFound);
  app.use(createAnswerProblem(logger));
  return {
    handler: app,
    stop: () => {
      stopping = true;
      waiters.stop();
    },
  };
}

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
  { database, artifacts, dispatch, rateLimit }: AppDependencies,
  { auth, waiters }: { auth: Auth; waiters: Waiters },
): Router {
  const limit = createRateLimit(rateLimit);
  const loadLimit = createLoadLimit();
  const submit = { accept: createAccept(database), dispatch };

  const v1 = Router();
  const at = (path: string, handlers: Parameters<typeof serve>[3]) => serve(v1, '/api/v1', path, handlers);
  at('/jobs/scrape', { POST: submitJob(submit) });
  at('/jobs/batch', { POST: submitBatch(submit) });
  at('/jobs', { GET: listOwnJobs(database) });
  at('/jobs/:id', { GET: showJob(database, waiters) });
  at('/jobs/:id/cancel', { POST: cancel(database) });
  at('/jobs/:id/retry', { POST: retry(database) });
  at('/jobs/:id/pages', { GET: listJobPages(database) });
  at('/jobs/:id/leads', { GET: listJobLeads(database) });
  at('/jobs/:id/artifacts/:position/:name', { GET: showArtifact(database, artifacts) });
  at('/dead-letters', { GET: listAllDeadLetters(database) });
  at('/dead-letters/requeue', { POST: requeueMany(database) });
  at('/dead-letters/:id', { GET: showDeadLetter(database), DELETE: discard(database) });
  at('/dead-letters/:id/requeue', { POST: requeueOne(database) });
  at('/users', { GET: listAllUsers(database), POST: addUser(database) });
  at('/keys', { GET: listOwnKeys(database), POST: issueKey(database) });
  at('/keys/:id', { DELETE: revoke(database, auth) });

  // The same call at the root path: for clients that were written before there was a base path.
  const root = Router();
  serve(root, '', '/jobs/scrape', { POST: submitJob(submit) });

  const routes = Router();
  routes.use('/api/v1', auth.authenticate, limit, loadLimit, v1);
  routes.use('/jobs/scrape', auth.authenticate, limit, loadLimit);
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
