import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { JobStatus } from '../../core/jobs/job-status.ts';
import { SENT_CHANNELS } from '../../core/notifications/notification.ts';
import type { Sql } from '../../db/connect.ts';
import { countUnfinished } from '../../db/jobs/read.ts';
import { countOpenDeliveries } from '../../db/notifications/deliveries/read.ts';
import { readBlockedRequests } from '../../db/sites/blocked-requests.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import { withinTime } from '../../runtime/timeout.ts';
import type { OutboxFigures } from '../links/redirect/click-publisher.ts';

/** Streams of events to clients, by kind: `sse` or `websocket`. */
export interface LiveMetrics {
  opened(kind: string): void;
  closed(kind: string): void;
  /** Ended because its reader was too slow. */
  dropped(kind: string): void;
}

export interface Metrics {
  live: LiveMetrics;
  /** Tells these with the rest. */
  watchClicks(figures: () => OutboxFigures): void;
  observeRequest(method: string, route: string, status: number, seconds: number): void;
  /** The Prometheus text format. */
  expose(): Promise<{ contentType: string; text: string }>;
}

/** Counting reads an index entry a job, and several scrapers may ask. */
const COUNT_MS = 5000;
/** Prometheus waits ten seconds, and then has nothing at all. */
const WITHIN_MS = 2000;
const UNFINISHED: readonly JobStatus[] = ['scheduled', 'queued', 'running', 'retrying'];

/** A registry of its own, so that two apps in one process do not meet. */
export function createMetrics(sql: Sql, logger: Logger, logLinesDropped: () => number): Metrics {
  const register = new Registry();
  collectDefaultMetrics({ register });
  const duration = new Histogram({
    name: 'leadengine_http_request_duration_seconds',
    help: 'Duration of HTTP requests by route template and status',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
    registers: [register],
  });
  const jobs = new Gauge({
    name: 'leadengine_jobs',
    help: 'Jobs that are not final, by state',
    labelNames: ['state'] as const,
    registers: [register],
  });
  const waiting = new Gauge({
    name: 'leadengine_jobs_waiting',
    help: 'Jobs that are ready and wait for a worker, in Postgres and on the queue together',
    registers: [register],
  });

  const deliveries = new Gauge({
    name: 'leadengine_deliveries',
    help: 'Notifications that wait to be sent or are being sent, by channel',
    labelNames: ['channel'] as const,
    registers: [register],
  });
  const streams = new Gauge({
    name: 'leadengine_live_streams',
    help: 'Streams of events that are open, by kind',
    labelNames: ['kind'] as const,
    registers: [register],
  });
  const dropped = new Counter({
    name: 'leadengine_live_dropped_total',
    help: 'Streams of events that were ended because their reader was too slow, by kind',
    labelNames: ['kind'] as const,
    registers: [register],
  });

  const refused = new Counter({
    name: 'leadengine_egress_refused_total',
    help: 'Connections that jobs and webhooks asked for and did not get, by reason; of all processes',
    labelNames: ['reason'] as const,
    registers: [register],
  });
  const clicks = new Gauge({
    name: 'leadengine_clicks_pending',
    help: 'Clicks not yet taken by the queue: those in memory alone, which a kill would lose, and bytes of those on the disk',
    labelNames: ['where'] as const,
    registers: [register],
  });
  const clicksTold = new Counter({
    name: 'leadengine_clicks_total',
    help: 'Clicks by what became of them: taken by the queue, written to the disk, dropped for want of room, possibly lost with a killed process',
    labelNames: ['outcome'] as const,
    registers: [register],
  });
  new Counter({
    name: 'leadengine_log_lines_dropped_total',
    help: 'Log lines of this process that were not written, because their reader was too slow or gone or the disk full',
    registers: [register],
    collect() {
      this.reset();
      this.inc(logLinesDropped());
    },
  });
  let clickFigures: (() => OutboxFigures) | undefined;
  const countClicks = () => {
    if (!clickFigures) return;
    const { atRisk, spoolBytes, published, spooled, dropped, uncertain } = clickFigures();
    clicks.set({ where: 'memory' }, atRisk);
    clicks.set({ where: 'disk_bytes' }, spoolBytes);
    clicksTold.reset();
    for (const [outcome, count] of Object.entries({ published, spooled, dropped, uncertain })) {
      clicksTold.inc({ outcome }, count);
    }
  };

  let countedAt = Number.NEGATIVE_INFINITY;
  const countJobs = async () => {
    if (performance.now() - countedAt < COUNT_MS) return;
    countedAt = performance.now();
    try {
      const [counts, open, blocked] = await withinTime(
        Promise.all([countUnfinished(sql), countOpenDeliveries(sql), readBlockedRequests(sql)]),
        WITHIN_MS,
        () => new Error('not counted in time'),
      );
      for (const state of UNFINISHED) jobs.set({ state }, counts.get(state) ?? 0);
      waiting.set(counts.get('queued') ?? 0);
      for (const channel of SENT_CHANNELS) {
        deliveries.set({ channel }, open.find((each) => each.channel === channel)?.count ?? 0);
      }
      refused.reset();
      for (const [reason, count] of blocked) refused.inc({ reason }, count);
    } catch (error) {
      // No number rather than an old one: the rest of the metrics is needed most while the database is away.
      jobs.reset();
      deliveries.reset();
      waiting.set(Number.NaN);
      logger.warn('jobs_not_counted', { error });
    }
  };

  // Looking a label set up by its values costs more than observing it.
  const children = new Map<string, { observe(seconds: number): void }>();
  return {
    live: {
      opened: (kind) => streams.inc({ kind }),
      closed: (kind) => streams.dec({ kind }),
      dropped: (kind) => dropped.inc({ kind }),
    },
    watchClicks: (figures) => {
      clickFigures = figures;
    },
    observeRequest: (method, route, status, seconds) => {
      const key = `${method} ${route} ${status}`;
      let child = children.get(key);
      if (!child) {
        child = duration.labels({ method, route, status: String(status) });
        children.set(key, child);
      }
      child.observe(seconds);
    },
    expose: async () => {
      countClicks();
      await countJobs();
      return { contentType: register.contentType, text: await register.metrics() };
    },
  };
}
