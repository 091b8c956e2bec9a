import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Deletion } from '../../../core/deletions/deletion.ts';
import type { ArtifactStore } from '../../../core/jobs/artifacts.ts';
import type { Database } from '../../../db/connect.ts';
import { BEGINNING, followLedger } from '../../../db/events/events.ts';
import { storePages } from '../../../db/jobs/run.ts';
import { settleJobs } from '../../../db/jobs/settle.ts';
import { storeLeadCandidate } from '../../../db/lead-candidates.ts';
import { storeLead } from '../../../db/leads.ts';
import { fanOut } from '../../../db/notifications/fan-out.ts';
import { openArtifactFolder } from '../../../db/pages/artifacts.ts';
import { storeCrawlStep } from '../../../db/pages/crawl.ts';
import { countEvents } from '../../../db/statistics.ts';
import { createRemover } from '../../../dispatch/deletions/remover.ts';
import { toNotifiable } from '../../../dispatch/notification-messages.ts';
import { createRelay } from '../../../dispatch/relay.ts';
import { silentLogger } from '../../../runtime/log/logger.ts';
import { createFileStore } from '../../../storage/files.ts';
import { waitFor } from '../../support/wait-for.ts';
import { aLead, aPage, begin, ledgerSettled, type TestApi } from '../api/api-fixture.ts';

/** In every place that can hold it; lower case, as words of leads are folded. */
export const MARKER = 'zqxmarkedzqx';

/** The tables that hold a text, in any column: binary ones are searched for its bytes. */
export async function tablesWith(database: Database, text: string): Promise<string[]> {
  const { rows: tables } = await database.knex.raw(
    `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
     WHERE table_schema IN ('public', 'queue') AND table_type = 'BASE TABLE' ORDER BY 1`,
  );
  const found: string[] = [];
  for (const { name } of tables as { name: string }[]) {
    const { rows } = await database.knex.raw(
      `SELECT FROM ${name} AS t WHERE position(:text IN lower(cast(t AS text))) > 0 OR position(:bytes IN cast(t AS text)) > 0 LIMIT 1`,
      { text, bytes: Buffer.from(text).toString('hex') },
    );
    if (rows.length > 0) found.push(name.replace('public.', ''));
  }
  return found;
}

export interface TestFolder {
  store: ArtifactStore;
  files(): Promise<string[]>;
  remove(): Promise<void>;
}

export async function createFolder(): Promise<TestFolder> {
  const path = await mkdtemp(join(tmpdir(), 'leadengine-deletions-'));
  return {
    store: createFileStore(path),
    files: async () =>
      (await readdir(path, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map(({ name }) => name),
    remove: () => rm(path, { recursive: true }),
  };
}

/** Does the work of all open deletions; resolves with this one. */
export async function completed(api: TestApi, artifacts: ArtifactStore, id: string): Promise<Deletion> {
  const step = createRemover({ database: api.database, artifacts, logger: silentLogger });
  const relay = createRelay({ database: api.database, queue: api.queue });
  return waitFor(
    async () => {
      // Jobs that ended a moment ago wait for these.
      await relay();
      await countEvents(api.database, 1000);
      await step();
      const { json } = await api.ask('GET', `/api/v1/deletions/${id}`);
      return json.state === 'completed' && (json as Deletion);
    },
    { what: `deletion ${id} to be completed` },
  );
}

/**
 * A failed job with a page and its picture, a lead, a candidate, an address of a crawl, and every
 * trace that events leave, each with the marker.
 */
export async function markedJob(api: TestApi, key: string, artifacts: ArtifactStore): Promise<string> {
  const { database } = api;
  await api.ask('POST', '/api/v1/subscriptions', {
    key,
    body: { events: ['job.*', 'lead.*'], channel: 'in_app' },
  });
  const posted = await api.ask('POST', '/api/v1/jobs/scrape', {
    key,
    headers: { 'idempotency-key': MARKER },
    body: {
      ...{ urls: [`https://${MARKER}.example/${MARKER}`], keywords: [MARKER], search_query: MARKER },
      ...{ metadata: { note: MARKER }, webhook_url: 'https://hooks.example/' },
    },
  });
  const id: string = posted.json.job_id;
  const job = await begin(database, id);
  const progress = { done: 1, total: 1, message: MARKER };
  const page = aPage({ url: `https://${MARKER}.example/`, title: MARKER, markdown: MARKER });
  await openArtifactFolder(database, id);
  for (const name of ['screenshot.png', 'page.pdf']) {
    await artifacts.put(
      { jobId: id, position: 0, name },
      { contentType: 'image/png', body: Buffer.from(MARKER) },
    );
  }
  const inStore = {
    kind: 'screenshot' as const,
    name: 'screenshot.png',
    contentType: 'image/png',
    body: null,
    bytes: MARKER.length,
  };
  const inDatabase = { ...inStore, name: 'action-1.png', body: Buffer.from(MARKER) };
  const counts = { pages: 1, leads: 0, errors: 0 };
  await storePages(database, job, [
    { position: 0, page, artifacts: [inStore, inDatabase], progress, counts },
  ]);
  const lead = aLead(`${MARKER}.example`, { company: MARKER, description: MARKER });
  await storeLead(database, job, { key: `${MARKER}.example`, lead, maxLeads: 9, progress });
  await storeLeadCandidate(database, job, {
    candidate: {
      ...{ key: `${MARKER}.test`, url: `https://${MARKER}.test/`, name: MARKER, source: 'website' },
      ...{ outcome: 'empty', reason: 'no_contacts', filter: null, merged_into: null, error: null },
    },
    ...{ retryable: false, errors: 0, progress },
  });
  await storeCrawlStep(database, job, {
    ...{ visited: [], page: null, progress, counts },
    found: [{ position: 0, url: `https://${MARKER}.example/`, depth: 1, patternDepth: 0, title: MARKER }],
  });
  const error = { code: 'http_server_error', message: MARKER };
  await settleJobs(database, [
    {
      run: job,
      transition: {
        ...{ status: 'failed', outcome: 'fail', delayMs: 0, spendsAttempt: true, snoozes: 0 },
        ...{ recordAttempt: true, error, event: 'job.failed' },
      },
    },
  ]);
  await api.ask('POST', '/api/v1/links', {
    ...{ key, headers: { 'idempotency-key': MARKER } },
    body: { share: true, job_id: id, lead_id: MARKER },
  });
  await ledgerSettled(database);
  await countEvents(database, 1000);
  await createRelay({ database, queue: api.queue })();
  const events = (await followLedger(database, BEGINNING, 1000)).flatMap(
    (event) => toNotifiable(event) ?? [],
  );
  await fanOut(database, events, { gatherMs: 0, apartMs: 0, urgentApartMs: 0 });
  return id;
}
