import { PermanentError, RetryableError, SnoozeError } from '../../../core/errors.ts';
import type { ClaimedJob } from '../../../core/jobs/job.ts';
import type { Page } from '../../../core/jobs/page.ts';
import type { Lead } from '../../../core/leads/lead.ts';
import type { Database } from '../../../db/connect.ts';
import { listStoredPages, type StoredPage, storePages } from '../../../db/jobs/run.ts';
import { type FoundLead, storeLead } from '../../../db/leads.ts';
import { retryWhileUnavailable } from '../../../db/retry-while-unavailable.ts';
import { createAllowance } from '../../../workers/scraper/allowance.ts';
import type { Scrape } from '../../../workers/scraper/execution.ts';
import { AttemptAborted } from '../../../workers/scraper/outcome.ts';
import type { Failpoints } from '../faults/failpoints.ts';
import { scriptOf } from './script.ts';

/**
 * Like workers/scraper/jobs/pages-job.ts, page by page and under the same fence, with a sleep
 * instead of the browser.
 */
export function createScriptedScraper(options: {
  database: Database;
  failpoints: Failpoints;
  onAborted(jobId: string): void;
}): Scrape {
  const { database, failpoints } = options;
  const allowance = createAllowance(database);

  return async (job, signal, logger) => {
    const script = scriptOf(job.spec);
    signal.addEventListener('abort', () => {
      if (signal.reason instanceof AttemptAborted && signal.reason.why === 'lease_lost')
        options.onAborted(job.id);
    });
    const total = job.spec.urls?.length ?? 0;
    const stored = await retryWhileUnavailable([signal], logger, () => listStoredPages(database, job.id));
    signal.throwIfAborted();
    const done = new Set(stored?.filter(({ failed }) => !failed).map(({ position }) => position));
    const isFirstRun = done.size === 0;
    let errors = 0;
    for (let position = 0; position < total; position += 1) {
      if (done.has(position)) continue;
      await sleep(script.ms, signal);
      if (script.end === 'fail') throw new PermanentError('scripted', 'this job fails for good');
      const failed = position === script.bad;
      if (failed) errors += 1;
      else done.add(position);
      const counts = { pages: done.size + errors, leads: 0, errors };
      const page = pageOf(job, position, failed, counts, total);
      const stored = await retryWhileUnavailable([signal], logger, () => storePages(database, job, [page]));
      signal.throwIfAborted();
      if (stored?.kind === 'full') throw allowance.refused(job, stored.exhausted);
      if (stored?.kind !== 'stored') throw new AttemptAborted('lease_lost');
      const lead = await retryWhileUnavailable([signal], logger, () =>
        storeLead(database, job, leadOf(page)),
      );
      signal.throwIfAborted();
      if (lead?.kind === 'lost') throw new AttemptAborted('lease_lost');
      await failpoints.passes('stored');
      if (script.end === 'kill_worker') process.kill(process.pid, 'SIGKILL');
      if (script.end === 'snooze_once' && isFirstRun && position === 0) {
        throw new SnoozeError('scripted', 'the site asks to come later', 200);
      }
    }
    if (script.end === 'retry_once' && job.attempt === 1) {
      throw new RetryableError('scripted', 'this job fails once');
    }
    return { kind: 'completed' };
  };
}

/** One per page. A page that is loaded again finds its lead again. */
function leadOf({ position, progress }: StoredPage): FoundLead {
  const domain = `company-${position}.example`;
  const lead: Lead = {
    ...{ company: `Company ${position}`, website: `https://${domain}/`, domain },
    ...{ emails: [`info@${domain}`], phones: [], faxes: [], addresses: [], socials: {} },
    ...{ industry: null, description: null, employees: null, logo: null, language: null },
    ...{ legal_name: null, legal_form: null, people: [], registrations: [], opening_hours: [] },
    ...{ email_kinds: {}, phone_kinds: {} },
    ...{ sources: ['website'], evidence: [], unverified_filters: [] },
  };
  return { key: domain, lead, maxLeads: 1000, progress };
}

/** It names its writer, so that the auditor can detect a page of a run that had lost its lease. */
function pageOf(
  job: ClaimedJob,
  position: number,
  failed: boolean,
  counts: StoredPage['counts'],
  total: number,
): StoredPage {
  const url = job.spec.urls?.[position] ?? '';
  const page: Page = {
    url,
    final_url: url,
    status_code: failed ? 500 : 200,
    content_type: 'text/html',
    title: `Page ${position}`,
    markdown: 'Some text.',
    metadata: { worker: job.workerId, attempt: job.attempt },
    engine: 'browser',
    fetched_at: new Date().toISOString(),
    duration_ms: 1,
    error: failed ? { code: 'http_server_error', message: 'scripted' } : null,
  };
  const picture = {
    kind: 'screenshot' as const,
    contentType: 'image/png',
    body: Buffer.alloc(512),
    bytes: 512,
  };
  const artifacts = position === 0 ? [{ ...picture, name: 'screenshot.png' }] : [];
  return { position, page, artifacts, counts, progress: { done: counts.pages, total, message: null } };
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const give = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', give);
      resolve();
    }, ms);
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true });
  });
}
