import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import express from 'express';
import pg from 'pg';
import { scrapeRequest } from '../../core/jobs/job-schemas.ts';
import { uuidv7 } from '../../runtime/ids.ts';

/**
 * The ceiling of accepting: a first version. Express, our schema, and one statement per request
 * that inserts the job and its event; no idempotency key, no group commit, no dispatch. The pool is
 * as large as the API's.
 */
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
const { rows } = await pool.query<{ id: string }>('SELECT id FROM users LIMIT 1');
const userId = rows[0]?.id;

const INSERT_JOB = `
  WITH accepted AS (
    INSERT INTO jobs (id, user_id, status, priority, max_attempts, spec, correlation_id, run_at)
    VALUES ($1, $2, 'queued', $3, $4, $5, $6, now())
    RETURNING id, user_id, status, priority, correlation_id, created_at
  ), recorded AS (
    INSERT INTO events (type, version, user_id, job_id, correlation_id, data)
    SELECT 'job.created', '1.0', user_id, id, correlation_id,
           json_build_object('job_id', id, 'status', status, 'priority', priority)
    FROM accepted
  )
  SELECT id, status, created_at FROM accepted`;

const app = express();
app.post('/jobs/scrape', express.json(), async (request, response) => {
  const parsed = scrapeRequest.safeParse(request.body);
  if (!parsed.success) {
    response.status(422).json({ code: 'invalid_request' });
    return;
  }
  const { priority = 0, max_attempts = 3 } = parsed.data;
  const result = await pool.query({
    name: 'insert_job',
    text: INSERT_JOB,
    values: [uuidv7(), userId, priority, max_attempts, JSON.stringify(parsed.data), randomUUID()],
  });
  const [job] = result.rows;
  response.status(202).json({ job_id: job.id, status: job.status, created_at: job.created_at });
});
const server = app.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ type: 'ready', url: `http://127.0.0.1:${port}` });
});
process.on('SIGTERM', () => process.exit(0));
