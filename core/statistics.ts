import type { ErrorInfo } from './errors.ts';

/** Job statistics, pure: what each event adds to which sum, and percentiles from histograms. */

/** The user id of the sums over all users. */
export const ALL_USERS = '00000000-0000-0000-0000-000000000000';

const BASE = 1.1;
const LOG_BASE = Math.log(BASE);
/** The histogram bucket of a duration: from above `1.1^(bucket-1)` up to `1.1^bucket` ms. */
export const bucketOf = (ms: number): number => (ms <= 1 ? 0 : Math.ceil(Math.log(ms) / LOG_BASE - 1e-9));
/** The value of a bucket: its middle, at most 5 % from any value in it. */
const middleOf = (bucket: number): number => (bucket === 0 ? 1 : BASE ** (bucket - 0.5));

/** The milliseconds that this share of the jobs did not exceed; null without jobs. */
export function percentileOf(histogram: { bucket: number; jobs: number }[], share: number): number | null {
  const sorted = [...histogram].sort((a, b) => a.bucket - b.bucket);
  const total = sorted.reduce((sum, { jobs }) => sum + jobs, 0);
  const rank = Math.max(1, Math.ceil(total * share));
  let seen = 0;
  for (const { bucket, jobs } of sorted) {
    seen += jobs;
    if (seen >= rank && total > 0) return Math.round(middleOf(bucket));
  }
  return null;
}

/** The fields of a ledger event that statistics need. */
export interface CountableEvent {
  type: string;
  occurred_at: Date;
  user_id: string | null;
  job_id: string | null;
  data: Record<string, unknown>;
}

/** Data about a job that its events do not contain. */
export interface JobFacts {
  id: string;
  created_at: Date;
  run_at: Date;
  /** Of its first attempt. */
  started_at: Date | null;
  sources: string[];
  /** Pages stored without an error, by the host of the requested URL. */
  hosts: Record<string, number>;
}

export const HOUR_COUNTS = [
  'created',
  'started',
  'completed',
  'failed',
  'cancelled',
  'retries',
  'pages',
  'leads',
  'page_errors',
] as const;
export type HourCounts = Record<(typeof HOUR_COUNTS)[number], number>;

/** The sums of a batch of events, as rows to store. */
export interface RollUp {
  /** `hour`: the start of a quarter of an hour. */
  hours: ({ user_id: string; hour: string } & HourCounts)[];
  histograms: { user_id: string; day: string; measure: string; bucket: number; jobs: number }[];
  breakdowns: {
    user_id: string;
    day: string;
    kind: 'source' | 'host' | 'error';
    value: string;
    jobs: number;
    pages: number;
    leads: number;
  }[];
}

/** Sums events per user and over all users. */
export function rollUp(events: CountableEvent[], jobs: Map<string, JobFacts>): RollUp {
  const hours = new Map<string, RollUp['hours'][number]>();
  const histograms = new Map<string, RollUp['histograms'][number]>();
  const breakdowns = new Map<string, RollUp['breakdowns'][number]>();

  const count = (event: CountableEvent, counts: Partial<HourCounts>) => {
    const hour = quarterOf(event);
    for (const user_id of usersOf(event)) {
      const row = entry(hours, `${user_id} ${hour}`, () => ({ user_id, hour, ...NOTHING }));
      for (const name of HOUR_COUNTS) row[name] += counts[name] ?? 0;
    }
  };
  const measure = (event: CountableEvent, name: string, ms: number) => {
    const day = dayOf(event);
    const bucket = bucketOf(Math.max(0, ms));
    for (const user_id of usersOf(event)) {
      const key = `${user_id} ${day} ${name} ${bucket}`;
      entry(histograms, key, () => ({ user_id, day, measure: name, bucket, jobs: 0 })).jobs += 1;
    }
  };
  const breakDown = (
    event: CountableEvent,
    kind: RollUp['breakdowns'][number]['kind'],
    value: string,
    adds: { jobs?: number; pages?: number; leads?: number },
  ) => {
    const day = dayOf(event);
    for (const user_id of usersOf(event)) {
      const row = entry(breakdowns, `${user_id} ${day} ${kind} ${value}`, () => ({
        ...{ user_id, day, kind, value },
        ...{ jobs: 0, pages: 0, leads: 0 },
      }));
      row.jobs += adds.jobs ?? 0;
      row.pages += adds.pages ?? 0;
      row.leads += adds.leads ?? 0;
    }
  };

  /** A job's pages and leads count when it ends. */
  const end = (event: CountableEvent, outcome: 'completed' | 'failed' | 'cancelled') => {
    const { pages, leads, errors } = countsOf(event);
    count(event, { [outcome]: 1, pages, leads, page_errors: errors });
    const job = jobs.get(event.job_id ?? '');
    if (!job) return;
    if (job.started_at && outcome !== 'cancelled') {
      measure(event, 'duration', event.occurred_at.getTime() - job.started_at.getTime());
    }
    for (const source of job.sources) breakDown(event, 'source', source, { jobs: 1, pages, leads });
    const hosts = Object.entries(job.hosts);
    for (const [host, stored] of hosts) {
      // A crawl finds more pages than requested; if it has a single host, all are that host's.
      breakDown(event, 'host', host, { jobs: 1, pages: hosts.length === 1 ? pages : stored });
    }
  };

  for (const event of events) {
    switch (event.type) {
      case 'job.created':
        count(event, { created: 1 });
        break;
      case 'job.started': {
        count(event, { started: 1 });
        const job = event.data.attempt === 1 ? jobs.get(event.job_id ?? '') : undefined;
        if (job) measure(event, 'time_to_start', event.occurred_at.getTime() - readyAt(job, event));
        break;
      }
      case 'job.retrying':
        count(event, { retries: 1 });
        breakDownError(event);
        break;
      case 'job.requeued': {
        // Subtract the counts of the previous end: the job will end again.
        if (event.data.outcome !== 'retry_requested') break;
        const { pages, leads, errors } = countsOf(event);
        count(event, { retries: 1, pages: -pages, leads: -leads, page_errors: -errors });
        break;
      }
      case 'job.completed':
        end(event, 'completed');
        break;
      case 'job.failed':
        end(event, 'failed');
        breakDownError(event);
        break;
      case 'job.cancelled':
        end(event, 'cancelled');
        break;
      case 'lead.found':
        if (typeof event.data.domain === 'string') {
          breakDown(event, 'host', event.data.domain.slice(0, 255), { leads: 1 });
        }
        break;
    }
  }
  return {
    hours: [...hours.values()],
    histograms: [...histograms.values()],
    breakdowns: [...breakdowns.values()],
  };

  function breakDownError(event: CountableEvent) {
    const error = event.data.error as ErrorInfo | null | undefined;
    if (error) breakDown(event, 'error', error.code, { jobs: 1 });
  }
}

const NOTHING: HourCounts = {
  ...{ created: 0, started: 0, completed: 0, failed: 0, cancelled: 0 },
  ...{ retries: 0, pages: 0, leads: 0, page_errors: 0 },
};

const usersOf = ({ user_id }: CountableEvent): string[] => (user_id ? [user_id, ALL_USERS] : [ALL_USERS]);
/**
 * The quarter of an hour, in which all offsets of time zones are whole: an hour of India begins at
 * half past one of UTC.
 */
function quarterOf({ occurred_at }: CountableEvent): string {
  const quarter = Math.floor(occurred_at.getUTCMinutes() / 15) * 15;
  return `${occurred_at.toISOString().slice(0, 13)}:${String(quarter).padStart(2, '0')}:00Z`;
}

const dayOf = ({ occurred_at }: CountableEvent): string => occurred_at.toISOString().slice(0, 10);

/**
 * When the job was ready: at acceptance, or at its `run_at` unless a failed run has moved that
 * later.
 */
function readyAt({ created_at, run_at }: JobFacts, { occurred_at }: CountableEvent): number {
  return run_at > created_at && run_at <= occurred_at ? run_at.getTime() : created_at.getTime();
}

function countsOf({ data }: CountableEvent): { pages: number; leads: number; errors: number } {
  const { pages = 0, leads = 0, errors = 0 } = (data.counts ?? {}) as Record<string, number>;
  return { pages, leads, errors };
}

function entry<Row>(rows: Map<string, Row>, key: string, make: () => Row): Row {
  let row = rows.get(key);
  if (!row) {
    row = make();
    rows.set(key, row);
  }
  return row;
}
