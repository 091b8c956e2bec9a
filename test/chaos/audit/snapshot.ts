import { connect } from 'amqplib';
import type pg from 'pg';
import { SCRAPE_JOBS } from '../../../queue/topology.ts';
import type { FaultRecord } from '../faults/schedule.ts';
import type { Installation } from '../installation.ts';
import { type JournalEntry, readLines } from '../load/journal.ts';
import type { JobScript } from '../load/script.ts';
import { asAdmin } from '../postgres.ts';

/**
 * All that the auditor reads: tables, queues, the recorder's own tables, and the answers that
 * clients got. Times in ms.
 */
export interface Snapshot {
  driver: Installation['driver'];
  leaseMs: number;
  slots: number;
  jobs: JobRow[];
  transitions: Transition[];
  attempts: AttemptRow[];
  dispatches: { at: number; job_id: string; dispatched: boolean }[];
  /** In the ledger's order. */
  events: { job_id: string; type: string; asked: boolean }[];
  pageWrites: PageWrite[];
  /** With the number of events that report it. */
  leads: { job_id: string; key: string; event_count: number }[];
  /** Events the relay has not published. */
  unpublished: number;
  /** Messages left in the work queue. */
  queued: number;
  /** Jobs among the messages of `failed_jobs`. */
  deadLetters: Set<string>;
  /** Jobs of the open dead letters, one entry per dead letter. */
  openDeadLetters: string[];
  journal: JournalEntry[];
  aborted: { id: string; at: number }[];
  faults: FaultRecord[];
  /** Process ids of each process, over the run. */
  pids: Map<string, number[]>;
}

export interface JobRow {
  id: string;
  status: string;
  attempt: number;
  max_attempts: number;
  error_code: string | null;
  priority: number;
  pages: number;
  leads: number;
  script: JobScript;
}

export interface Transition {
  at: number;
  job_id: string;
  old_status: string | null;
  status: string;
  old_attempt: number | null;
  attempt: number;
  max_attempts: number;
  old_worker: string | null;
  worker: string | null;
  silent_ms: number | null;
  user_id: string;
  /** How many jobs of the user may run at once; null for no limit. */
  running_limit: number | null;
}

export interface AttemptRow {
  job_id: string;
  attempt: number;
  worker_id: string;
  outcome: string;
  started_at: number;
  finished_at: number;
}

export interface PageWrite {
  at: number;
  job_id: string;
  position: number;
  failed: boolean;
  writer: string | null;
  writer_attempt: number | null;
  holder: string | null;
  holder_attempt: number;
  status: string;
}

export async function readSnapshot(
  installation: Installation,
  journalFile: string,
  faults: FaultRecord[],
): Promise<Snapshot> {
  const { driver, leaseMs, slots } = installation;
  const tables = await asAdmin(installation.adminUrl, async (admin) => ({
    jobs: await rowsOf<JobRow>(admin, JOBS),
    transitions: await rowsOf<Transition>(admin, TRANSITIONS),
    attempts: await rowsOf<AttemptRow>(admin, ATTEMPTS),
    dispatches: await rowsOf<Snapshot['dispatches'][number]>(admin, DISPATCHES),
    events: await rowsOf<Snapshot['events'][number]>(admin, EVENTS),
    pageWrites: await rowsOf<PageWrite>(admin, PAGE_WRITES),
    leads: await rowsOf<Snapshot['leads'][number]>(admin, LEADS),
    openDeadLetters: (await rowsOf<{ job_id: string }>(admin, OPEN_DEAD_LETTERS)).map(({ job_id }) => job_id),
    unpublished: Number((await rowsOf<{ count: string }>(admin, UNPUBLISHED))[0]?.count),
  }));
  const members = [...installation.apis, ...installation.workers];
  return {
    ...{ driver, leaseMs, slots, faults, ...tables },
    queued: await countQueued(installation),
    deadLetters: await readDeadLetters(installation),
    journal: readLines<JournalEntry>(journalFile),
    aborted: readLines<{ id: string; at: number }>(installation.abortedFile),
    pids: new Map(members.map(({ name, lives }) => [name, lives.map(({ pid }) => pid)])),
  };
}

const rowsOf = async <Row extends pg.QueryResultRow>(admin: pg.Client, sql: string): Promise<Row[]> =>
  (await admin.query<Row>(sql)).rows;

const ms = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`;
const JOBS = `SELECT id, status, attempt, max_attempts, error_code, priority, pages_count AS pages, leads_count AS leads, spec->'metadata'->'chaos' AS script FROM jobs ORDER BY id`;
const TRANSITIONS = `
  SELECT ${ms('at')} AS at, job_id, old_status, status, old_attempt, attempt, max_attempts, old_worker, worker, silent_ms,
         user_id, running_limit
  FROM chaos.transitions ORDER BY seq`;
const ATTEMPTS = `
  SELECT job_id, attempt, worker_id, outcome, ${ms('started_at')} AS started_at, ${ms('finished_at')} AS finished_at
  FROM attempts ORDER BY started_at`;
const DISPATCHES = `SELECT ${ms('at')} AS at, job_id, dispatched FROM chaos.dispatches ORDER BY seq`;
const EVENTS = `
  SELECT job_id, type, coalesce(data->>'outcome', '') = 'retry_requested' AS asked
  FROM events WHERE type LIKE 'job.%' AND type <> 'job.progress' ORDER BY xid, seq`;
const PAGE_WRITES = `
  SELECT ${ms('at')} AS at, job_id, position, failed, writer, writer_attempt, holder, holder_attempt, status
  FROM chaos.page_writes ORDER BY seq`;
const OPEN_DEAD_LETTERS = 'SELECT job_id FROM dead_letters WHERE resolved_at IS NULL AND job_id IS NOT NULL';
const LEADS = `
  SELECT l.job_id, l.key, count(e.id)::int AS event_count
  FROM leads l LEFT JOIN events e ON e.job_id = l.job_id AND e.type = 'lead.found' AND e.data->>'lead_id' = l.id::text
  GROUP BY l.job_id, l.key`;
const UNPUBLISHED = `
  SELECT count(*) FROM events e, event_cursors c WHERE c.reader = 'relay' AND (e.xid, e.seq) > (c.xid, c.seq)`;

/** Jobs on the queue, including those delivered and not acknowledged. */
export const countQueued = (installation: Installation): Promise<number> =>
  countMessages(installation, [SCRAPE_JOBS]);

/** Messages in these queues, including those delivered and not acknowledged. */
export async function countMessages({ broker, adminUrl }: Installation, queues: string[]): Promise<number> {
  if (!broker) {
    return asAdmin(adminUrl, async (admin) => {
      const sql = 'SELECT count(*)::int AS count FROM queue.messages WHERE queue = ANY ($1)';
      return (await admin.query<{ count: number }>(sql, [queues])).rows[0]?.count ?? 0;
    });
  }
  const listing = await broker.ctl('list_queues', 'name', 'messages', '--quiet');
  const countOf = (queue: string) =>
    Number(new RegExp(`^${queue}\\s+(\\d+)`, 'm').exec(listing)?.[1] ?? Number.NaN);
  return queues.reduce((sum, queue) => sum + countOf(queue), 0);
}

async function readDeadLetters({ broker, adminUrl }: Installation): Promise<Set<string>> {
  const bodies: string[] = [];
  if (broker) {
    const connection = await connect(broker.url);
    const channel = await connection.createChannel();
    for (;;) {
      const message = await channel.get('failed_jobs', { noAck: true });
      if (!message) break;
      bodies.push(message.content.toString());
    }
    await connection.close();
  } else {
    const sql = `SELECT body FROM queue.messages WHERE queue = 'failed_jobs'`;
    const rows = await asAdmin(adminUrl, (admin) => rowsOf<{ body: string }>(admin, sql));
    bodies.push(...rows.map(({ body }) => body));
  }
  return new Set(bodies.map((body) => (JSON.parse(body) as { data: { job_id: string } }).data.job_id));
}
