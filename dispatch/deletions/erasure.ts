import type { DeletionCounts } from '../../core/deletions/deletion.ts';
import type { Page } from '../../core/jobs/page.ts';
import { eraseFromContacts, eraseFromLead } from '../../core/suppressions/erase.ts';
import { domainIdentity } from '../../core/suppressions/identity.ts';
import { type ErasureTarget, type Search, searchFor } from '../../core/suppressions/target.ts';
import type { Database } from '../../db/connect.ts';
import { finishDeletion, type OpenDeletion, saveProgress } from '../../db/deletions/deletions.ts';
import { removeLeads } from '../../db/deletions/remove-leads.ts';
import {
  BEFORE_ALL_JOBS,
  listJobsToSearch,
  removeHosts,
  removeMessages,
  removePage,
  rewriteLead,
  rewritePage,
  SEARCHED_DELIVERIES,
  SEARCHED_TABLES,
  type SearchedJob,
  type SearchedRow,
  searchLeads,
  searchMessages,
  searchPages,
} from '../../db/deletions/search.ts';
import { forgetLeftover, listLeftovers } from '../../db/pages/artifacts.ts';
import { SCRAPE_JOBS } from '../../queue/topology.ts';
import type { Advancing, RemoverOptions } from './advance.ts';
import { QUEUES } from './queues.ts';

/** What an erasure asks for, as it is stored while it runs. */
export interface ErasureRequest {
  target: ErasureTarget;
  /** Remove pages that mention it. */
  pages: boolean;
}

/** Where it continues: the last job searched, and the last page of the one after it. */
interface Place {
  /** A second pass takes the jobs that ran during the first. */
  pass: 1 | 2;
  at: string;
  id: string;
  page: number;
}

const JOBS_AT_ONCE = 20;
const PAGES_AT_ONCE = 50;
const BEGINNING: Place = { pass: 1, ...BEFORE_ALL_JOBS, page: -1 };

/**
 * Takes somebody out of all that jobs stored, job by job. What it is that is erased was suppressed
 * when it was requested, so jobs that begin later store nothing of it.
 */
export const erase: Advancing = async (options, deletion, goesOn) => {
  const { target, pages } = deletion.request as ErasureRequest;
  const search = searchFor(target);
  const erasure = createErasure(options.database, deletion, search, pages);
  let place: Place = deletion.progress ?? BEGINNING;
  while (goesOn()) {
    const step = await erasure.next(place, goesOn);
    if (step === null && place.pass === 1) place = { ...BEGINNING, pass: 2 };
    else if (step === null) {
      await dropMessages(options, search);
      if (!(await removeLeftovers(options, deletion.id, goesOn))) return 'more';
      await finishDeletion(options.database, deletion.id);
      return 'done';
    } else place = step.place;
    await saveProgress(options.database, deletion.id, place, step?.counts);
  }
  return 'more';
};

/** What an erasure would do: counts, and whether there was time to look at everything. */
export async function previewErasure(
  database: Database,
  subject: { userId: string | null; request: ErasureRequest },
  goesOn: () => boolean,
): Promise<{ counts: DeletionCounts; complete: boolean }> {
  const { request, userId } = subject;
  const deletion = { id: null, user_id: userId, created_at: new Date() };
  const erasure = createErasure(database, deletion, searchFor(request.target), request.pages);
  const counts: DeletionCounts = {};
  let place = BEGINNING;
  while (goesOn()) {
    const step = await erasure.next(place, goesOn);
    if (step === null) return { counts, complete: true };
    for (const [kind, count] of Object.entries(step.counts)) counts[kind] = (counts[kind] ?? 0) + count;
    place = step.place;
  }
  return { counts, complete: false };
}

type Subject = Pick<OpenDeletion, 'user_id' | 'created_at'> & { id: string | null };

/** @param deletion without an id, nothing is changed: what would be removed is counted instead */
function createErasure(
  database: Database,
  deletion: Subject,
  search: Search,
  removesPages: boolean,
): {
  /** Null at the end of a pass. */
  next(place: Place, goesOn: () => boolean): Promise<{ place: Place; counts: DeletionCounts } | null>;
} {
  const { erased, pattern } = search;
  const { id: deletionId } = deletion;

  return {
    next: async (place, goesOn) => {
      const isResumed = place.page >= 0;
      const listed = await listJobsToSearch(database, {
        ...{ userId: deletion.user_id, after: place, since: deletion.created_at, pattern },
        limit: isResumed ? 1 : JOBS_AT_ONCE,
      });
      if (listed.length === 0) return null;
      const counts: DeletionCounts = {};
      const add = (kind: string, count: number) => {
        if (count > 0) counts[kind] = (counts[kind] ?? 0) + count;
      };
      const isSearched = (job: SearchedJob) => place.pass === 1 || job.is_recent;
      const ids = listed.filter(isSearched).map(({ id }) => id);
      if (!isResumed && ids.length > 0) {
        await eraseFromLeads(ids, add);
        await eraseFromRows(ids, add);
        if (deletionId !== null && search.domain) await removeHosts(database, deletionId, ids, search.domain);
      }
      let reached = place;
      for (const job of listed) {
        if (isSearched(job)) {
          const page = await eraseFromPages(job, reached, add, goesOn);
          if (page !== null) return { place: { ...reached, page }, counts };
          if (place.pass === 1 && job.may_mention !== null && mentionsIn(job.may_mention, search)) {
            add('jobs_mentioning', 1);
          }
        }
        reached = { pass: place.pass, at: job.at, id: job.id, page: -1 };
        if (!goesOn()) break;
      }
      return { place: reached, counts };
    },
  };

  async function eraseFromLeads(ids: string[], add: (kind: string, count: number) => void): Promise<void> {
    const found = await searchLeads(database, ids, pattern);
    const changed = found.flatMap((row) => {
      const left = eraseFromLead(row.content, erased);
      return left === row.content ? [] : [{ row, left }];
    });
    const gone = changed.filter(({ left }) => left === null).map(({ row }) => row);
    if (deletionId === null) {
      add('leads', gone.length);
      return add('lead_parts', changed.length - gone.length);
    }
    const places = gone.map(({ job_id, key, id }) => ({ job_id, key, id }));
    await removeLeads(database, deletionId, places, QUEUES);
    for (const { row, left } of changed) if (left) await rewriteLead(database, deletionId, row, left);
  }

  async function eraseFromRows(ids: string[], add: (kind: string, count: number) => void): Promise<void> {
    const { urls, ...always } = SEARCHED_TABLES;
    const tables = { ...always, deliveries: SEARCHED_DELIVERIES, ...(removesPages ? { urls } : {}) };
    for (const [kind, table] of Object.entries(tables)) {
      const rows = await database.query<SearchedRow>(table.search, [ids, pattern]);
      const found = rows.filter(({ text }) => mentionsIn(text, search));
      if (found.length === 0) continue;
      if (deletionId === null) add(kind, found.length);
      else {
        const keys = [found.map(({ job_id }) => job_id), found.map(({ key }) => key)];
        await database.query(table.remove, [deletionId, ...keys]);
      }
    }
  }

  /** The page to continue after, if the slice ended before all were searched. */
  async function eraseFromPages(
    job: SearchedJob,
    place: Place,
    add: (kind: string, count: number) => void,
    goesOn: () => boolean,
  ): Promise<number | null> {
    for (let after = place.page; ; ) {
      const pages = await searchPages(database, job.id, after, PAGES_AT_ONCE, pattern);
      for (const page of pages) {
        if (page.content) await eraseFromPage(job.id, { ...page, content: page.content }, place, add);
      }
      const last = pages.at(-1);
      if (!last || pages.length < PAGES_AT_ONCE) return null;
      after = last.position;
      if (!goesOn()) return after;
    }
  }

  async function eraseFromPage(
    jobId: string,
    page: { position: number; stored_at: string; content: Page },
    { pass }: Place,
    add: (kind: string, count: number) => void,
  ): Promise<void> {
    const { contacts, ...rest } = page.content;
    const domain = domainIdentity(rest.final_url ?? rest.url)?.value ?? null;
    const left = contacts && eraseFromContacts(contacts, erased, domain);
    const isMentioned = anyText(rest, (text) => search.mentions(text));
    if (isMentioned && removesPages) {
      if (deletionId === null) add('pages', 1);
      else await removePage(database, deletionId, jobId, page.position);
      return;
    }
    if (isMentioned && pass === 1) add('pages_mentioning', 1);
    if (left === contacts || left === undefined) return;
    if (deletionId === null) return add('page_contacts', 1);
    await rewritePage(database, deletionId, {
      ...{ jobId, position: page.position, stored_at: page.stored_at },
      content: { ...rest, contacts: left },
    });
  }
}

/** Of JSON or plain text: an escape before a word is not part of it. */
const mentionsIn = (text: string, { mentions }: Search): boolean =>
  mentions(text.replace(/\\[nrtbf"\\/]/g, ' '));

function anyText(value: unknown, is: (text: string) => boolean): boolean {
  if (typeof value === 'string') return is(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, one]) => is(key) || anyText(one, is));
}

async function dropMessages({ database }: RemoverOptions, search: Search): Promise<void> {
  const queues = QUEUES.filter((name) => name !== SCRAPE_JOBS);
  const found = await searchMessages(database, queues, search.pattern);
  const ids = found.filter(({ text }) => mentionsIn(text, search)).map(({ id }) => id);
  if (ids.length > 0) await removeMessages(database, ids);
}

/** True once none is left. */
async function removeLeftovers(
  { database, artifacts }: RemoverOptions,
  deletionId: string,
  goesOn: () => boolean,
): Promise<boolean> {
  for (;;) {
    const leftovers = await listLeftovers(database, deletionId, 100);
    if (leftovers.length === 0) return true;
    if (!artifacts) throw new Error('its artifacts are in a store, and ARTIFACTS_URL is not set');
    for (const key of leftovers) {
      if (!goesOn()) return false;
      await artifacts.delete(key);
      await forgetLeftover(database, deletionId, key);
    }
  }
}
