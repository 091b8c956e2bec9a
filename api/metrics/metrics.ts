import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { JobStatus } from '../../core/jobs/job-status.ts';
import { SENT_CHANNELS } from '../../core/notifications/notification.ts';
import type { Sql } from '../../db/connect.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import type { ClickFigures } from '../links/redirect/click-publisher.ts';
import { createStoredCounts } from './stored-counts.ts';

/** Streams of clients, by kind: `sse`, `websocket` or `mcp`, which is a call under way. */
export interface StreamMetrics {
  opened(kind: string): void;
  closed(kind: string): void;
  /** Ended because its client was too slow. */
  dropped(kind: string): void;
}

export interface Metrics {
  streams: StreamMetrics;
  observeRequest(method: string, route: string, status: number, seconds: number): void;
  /** The Prometheus text format. */
  expose(): Promise<{ contentType: string; text: string }>;
}

const UNFINISHED: readonly JobStatus[] = ['scheduled', 'queued', 'running', 'retrying'];

export function createMetrics(options: {
  sql: Sql;
  logger: Logger;
  logLinesDropped: () => number;
  clickFigures: () => ClickFigures;
}): Metrics {
  // A registry per app, because tests run several in one process.
  const register = new Registry();
  const registers = [register];
  collectDefaultMetrics({ register });
  addStoredCounts(registers, options.sql, options.logger);
  addClicks(registers, options.clickFigures);
  addTotals({
    ...{ registers, name: 'leadengine_log_lines_dropped_total' },
    help: 'Log lines of this process that were dropped because the reader was too slow or gone or the disk full',
    read: () => [[{}, options.logLinesDropped()]],
  });
  return {
    streams: createStreamMetrics(registers),
    observeRequest: createRequestObserver(registers),
    expose: async () => ({ contentType: register.contentType, text: await register.metrics() }),
  };
}

/**
 * Counts of all processes, from the database. A failed read removes the gauges: no value is better
 * than an old one.
 */
function addStoredCounts(registers: Registry[], sql: Sql, logger: Logger): void {
  const counts = createStoredCounts(sql, logger);
  new Gauge({
    name: 'leadengine_jobs',
    help: 'Jobs that are not final, by state',
    labelNames: ['state'] as const,
    registers,
    async collect() {
      const stored = await counts();
      if (!stored) this.reset();
      else for (const state of UNFINISHED) this.set({ state }, stored.jobs.get(state) ?? 0);
    },
  });
  new Gauge({
    name: 'leadengine_jobs_waiting',
    help: 'Jobs that are ready and wait for a worker, in Postgres and on the queue together',
    registers,
    async collect() {
      const stored = await counts();
      this.set(stored ? (stored.jobs.get('queued') ?? 0) : Number.NaN);
    },
  });
  new Gauge({
    name: 'leadengine_deliveries',
    help: 'Notifications that wait to be sent or are being sent, by channel',
    labelNames: ['channel'] as const,
    registers,
    async collect() {
      const stored = await counts();
      if (!stored) this.reset();
      else for (const channel of SENT_CHANNELS) this.set({ channel }, stored.deliveries.get(channel) ?? 0);
    },
  });
  addTotals({
    ...{ registers, name: 'leadengine_egress_refused_total' },
    help: 'Outbound connections blocked by the egress policy, by reason; of all processes',
    labelNames: ['reason'],
    read: async () => [...((await counts())?.blocked ?? [])].map(([reason, count]) => [{ reason }, count]),
  });
}

function addClicks(registers: Registry[], figures: () => ClickFigures): void {
  new Gauge({
    name: 'leadengine_pending_clicks',
    help: 'Clicks only in memory, which the queue has not confirmed yet: a kill would lose them',
    registers,
    collect() {
      this.set(figures().atRisk);
    },
  });
  new Gauge({
    name: 'leadengine_click_spool_bytes',
    help: 'Clicks on disk that wait for the queue',
    registers,
    collect() {
      this.set(figures().spoolBytes);
    },
  });
  addTotals({
    ...{ registers, name: 'leadengine_clicks_total' },
    help: 'Clicks by outcome: confirmed by the queue, written to disk, dropped because the disk space was used up, possibly lost with a killed process',
    labelNames: ['outcome'],
    read: () => {
      const { published, spooled, dropped, possiblyLost: possibly_lost } = figures();
      const totals = Object.entries({ published, spooled, dropped, possibly_lost });
      return totals.map(([outcome, count]) => [{ outcome }, count]);
    },
  });
}

function createStreamMetrics(registers: Registry[]): StreamMetrics {
  const open = new Gauge({
    name: 'leadengine_event_streams',
    help: 'Open event streams, by kind',
    labelNames: ['kind'] as const,
    registers,
  });
  const dropped = new Counter({
    name: 'leadengine_event_streams_dropped_total',
    help: 'Event streams that were ended because their client was too slow, by kind',
    labelNames: ['kind'] as const,
    registers,
  });
  return {
    opened: (kind) => open.inc({ kind }),
    closed: (kind) => open.dec({ kind }),
    dropped: (kind) => dropped.inc({ kind }),
  };
}

function createRequestObserver(registers: Registry[]): Metrics['observeRequest'] {
  const duration = new Histogram({
    name: 'leadengine_http_request_duration_seconds',
    help: 'Duration of HTTP requests by route template and status',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
    registers,
  });
  // Finding a label set by its values costs more than observing it.
  const children = new Map<string, { observe(seconds: number): void }>();
  return (method, route, status, seconds) => {
    const key = `${method} ${route} ${status}`;
    let child = children.get(key);
    if (!child) {
      child = duration.labels({ method, route, status: String(status) });
      children.set(key, child);
    }
    child.observe(seconds);
  };
}

type Totals = [labels: Record<string, string>, total: number][];

/**
 * A counter of totals that are counted elsewhere; each scrape adds what came since the last one.
 */
function addTotals(options: {
  registers: Registry[];
  name: string;
  help: string;
  labelNames?: string[];
  read: () => Totals | Promise<Totals>;
}): void {
  const { read, ...config } = options;
  const seen = new Map<string, number>();
  new Counter({
    ...config,
    async collect() {
      for (const [labels, total] of await read()) {
        const key = JSON.stringify(labels);
        this.inc(labels, Math.max(0, total - (seen.get(key) ?? 0)));
        seen.set(key, total);
      }
    },
  });
}
