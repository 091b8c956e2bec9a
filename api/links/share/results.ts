import type { Job } from '../../../core/jobs/job.ts';
import type { Page } from '../../../core/jobs/page.ts';
import type { Lead } from '../../../core/leads/lead.ts';
import { generatedCode } from '../../../core/links/link.ts';
import type { Sql } from '../../../db/connect.ts';
import { findJob } from '../../../db/jobs/read.ts';
import { listJobLeads } from '../../../db/leads.ts';
import { findTarget } from '../../../db/links/links.ts';
import { listPages } from '../../../db/pages/pages.ts';
import type { Lookup } from '../redirect/link-cache.ts';

/** A shared job, or why there is none. */
export type Shared = Exclude<Lookup, { kind: 'target' }> | { kind: 'job'; job: Job };

export async function findShared(sql: Sql, code: string): Promise<Shared> {
  const generated = generatedCode(code);
  const target = generated === null ? null : await findTarget(sql, generated);
  if (!target?.share || target.job_id === null) return { kind: 'missing' };
  if (target.expires_in_ms !== null && target.expires_in_ms <= 0) return { kind: 'expired' };
  const job = await findJob(sql, target.user_id, target.job_id);
  return job ? { kind: 'job', job } : { kind: 'missing' };
}

const AT_ONCE = 100;

export async function* allPages(sql: Sql, jobId: string): AsyncGenerator<Page> {
  for (let after: number | null = -1; after !== null; ) {
    const part: Awaited<ReturnType<typeof listPages>> = await listPages(sql, jobId, after, AT_ONCE);
    for (const { json } of part.pages) yield JSON.parse(json) as Page;
    after = part.next;
  }
}

export async function* allLeads(sql: Sql, jobId: string): AsyncGenerator<Lead> {
  for (let after: string | null = '0'; after !== null; ) {
    const part: Awaited<ReturnType<typeof listJobLeads>> = await listJobLeads(sql, jobId, after, AT_ONCE);
    for (const { lead } of part.leads) yield lead;
    after = part.next;
  }
}
