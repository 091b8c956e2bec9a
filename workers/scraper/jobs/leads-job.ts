import { ErrorCode } from '../../../core/errors.ts';
import type { ClaimedJob, Progress } from '../../../core/jobs/job.ts';
import type { Outcome } from '../../../core/jobs/job-state.ts';
import type { HandledCandidate } from '../../../core/leads/candidate.ts';
import { DEFAULT_MAX_LEADS, type Lead, type SourceType } from '../../../core/leads/lead.ts';
import { applyFilters } from '../../../core/leads/lead-filters.ts';
import type { Database } from '../../../db/connect.ts';
import {
  addCandidateSource,
  listHandledCandidates,
  storeLeadCandidate,
} from '../../../db/lead-candidates.ts';
import { countLeads, findLead, reportSearch, storeLead } from '../../../db/leads.ts';
import { retryWhileUnavailable } from '../../../db/retry-while-unavailable.ts';
import type { Logger } from '../../../runtime/log/logger.ts';
import { storable } from '../../../scraping/extraction/storable.ts';
import { type Found, findLeads, type SourceFailure } from '../../../scraping/leads/lead-search.ts';
import { type MergedLead, mergeLead, toObservations } from '../../../scraping/leads/merge.ts';
import { leadQuery } from '../../../scraping/leads/query.ts';
import type { SourceFetch } from '../../../scraping/leads/sources/source.ts';
import type { SourceReader } from '../../../scraping/leads/sources/source-reader.ts';
import { defaultSources, type SourceOptions, type Sources } from '../../../scraping/leads/sources/sources.ts';
import type { Scrape } from '../execution.ts';
import {
  AttemptAborted,
  commonCode,
  type FailedPage,
  outcomeFromFailures,
  outcomeFromPages,
} from '../outcome.ts';
import { snoozeFor, type Wait } from '../politeness/polite-fetch.ts';
import type { createSiteVisitor } from './candidate-pages.ts';
import { isSuppressedSite, suppressInLead } from './suppress.ts';

/**
 * Runs a lead search: queries the sources, visits the candidates' sites, and stores each lead when
 * it is found. An attempt after a crash queries the sources again, and skips the sites already
 * visited.
 */
export function createLeadsJob(options: {
  database: Database;
  sources: Sources;
  sourceOptions: SourceOptions;
  fetch: (source: SourceType, signal: AbortSignal) => SourceFetch;
  reader: Pick<SourceReader, 'readFor'>;
  visitor: ReturnType<typeof createSiteVisitor>;
}): Scrape {
  const { database } = options;

  return async (job, signal, logger) => {
    const query = leadQuery(job.spec);
    const names = [...new Set(job.spec.source_types ?? defaultSources(query, options.sourceOptions))];
    const maxLeads = job.spec.max_leads ?? DEFAULT_MAX_LEADS;
    const persist = <T>(work: () => Promise<T>) => persisted(signal, logger, work);
    const visits = await persist(() => listHandledCandidates(database, job.id));
    const known = new Set(visits.filter(({ failed }) => !failed).map(({ key }) => key));
    const tally = new Tally(names, await persist(() => countLeads(database, job.id)), known.size);
    const enough = new AbortController();
    if (tally.leads >= maxLeads) return { kind: 'completed' };
    const sitesBefore = tally.sites;

    const waits: Wait[] = [];
    const failed: FailedPage[] = [];
    const site = options.visitor(job, signal, logger, (wait) => waits.push(wait));
    try {
      await findLeads({
        query,
        sources: names.map((name) => options.sources[name]),
        fetch: options.fetch,
        reader: options.reader,
        visit: site.visit,
        readPage: site.readPage,
        candidateFound: () => {
          tally.candidates += 1;
        },
        isKnown: (key) => known.has(key),
        report: (found) => store(found),
        sourceEnded: (source, failure) => {
          tally.sourceEnded(source, failure);
          if (failure)
            logger.info('lead_source_failed', {
              source,
              error_code: failure.error.code,
              reason: failure.error.message,
            });
        },
        signal,
        enough: enough.signal,
      });
    } finally {
      site.close();
    }
    tally.end();
    if (!(await persist(() => reportSearch(database, job, tally.progress(tally.leads))))) {
      throw new AttemptAborted('lease_lost');
    }
    if (enough.signal.aborted) return { kind: 'completed' };
    if (waits.length > 0) throw snoozeFor(waits, tally.sites > sitesBefore);
    return outcomeOf(tally, failed);

    /** Stores a candidate's result. */
    async function store(found: Found): Promise<void> {
      if (await persist(() => isSuppressedSite(database, job, found.key))) {
        // Not even as a candidate, whose key is its domain.
        known.add(found.key);
        tally.suppressed += 1;
        return;
      }
      switch (found.kind) {
        case 'lead':
          return storeNewLead(found);
        case 'duplicate':
          return mergeDuplicate(found);
        case 'empty':
          tally.sites += 1;
          return recordCandidate(found, { outcome: 'empty', reason: found.reason });
        case 'redirected':
          tally.sites += 1;
          return recordCandidate(found, { outcome: 'merged', merged_into: found.to });
        case 'failed':
          tally.sites += 1;
          failed.push({ error: found.error, retryable: found.retryable });
          return recordCandidate(found, { outcome: 'failed', error: found.error }, found.retryable);
        case 'skipped':
          return recordCandidate(found, { outcome: 'skipped', reason: 'max_leads' });
        default:
          return found satisfies never;
      }
    }

    async function storeNewLead(found: Found & { kind: 'lead' }): Promise<void> {
      const { key } = found;
      tally.sites += 1;
      const allowed = await persist(() =>
        suppressInLead(database, job, { ...found.lead, unverified_filters: [] }),
      );
      if (!allowed) {
        tally.suppressed += 1;
        return;
      }
      const verdict = filterLead(allowed, job);
      if (verdict.kind === 'out') {
        tally.filteredOut += 1;
        return recordCandidate(found, { outcome: 'filtered', filter: verdict.filter });
      }
      const { lead } = verdict;
      const isNew = !known.has(key);
      const progress = tally.progress(tally.leads + (isNew ? 1 : 0));
      const { url, name } = found;
      const candidate = { url, name };
      const stored = await persist(() =>
        storeLead(database, job, { key, lead, maxLeads, progress, candidate }),
      );
      if (stored.kind === 'lost') throw new AttemptAborted('lease_lost');
      if (stored.kind === 'full') await recordCandidate(found, { outcome: 'skipped', reason: 'max_leads' });
      known.add(key);
      tally.leads = stored.leads;
      if (tally.leads >= maxLeads) enough.abort();
    }

    async function mergeDuplicate({
      key,
      source,
      observations,
    }: Found & { kind: 'duplicate' }): Promise<void> {
      const before = await persist(() => findLead(database, job.id, key));
      if (!before) {
        await persist(() => addCandidateSource(database, job, key, source));
        return;
      }
      if (before.sources.includes(source) && observations.length === 0) return;
      const union = mergeLead({
        ...{ website: before.website, domain: before.domain },
        sources: [...before.sources, source],
        observations: [...toObservations(before), ...observations],
      });
      const merged = await persist(() =>
        suppressInLead(database, job, { ...union, unverified_filters: before.unverified_filters }),
      );
      if (!merged) return;
      // A stored lead stays, even if it now fails a filter; filters that the new source verifies
      // are updated.
      const verdict = filterLead(merged, job);
      const lead =
        verdict.kind === 'fits' ? verdict.lead : { ...merged, unverified_filters: before.unverified_filters };
      const progress = tally.progress(tally.leads);
      const stored = await persist(() =>
        storeLead(database, job, { key, lead: storable(lead), maxLeads, progress }),
      );
      if (stored.kind === 'lost') throw new AttemptAborted('lease_lost');
    }

    async function recordCandidate(
      { key, url, name, source }: Found,
      what: Pick<HandledCandidate, 'outcome'> & Partial<HandledCandidate>,
      retryable = false,
    ): Promise<void> {
      const progress = tally.progress(tally.leads);
      const nothing = { reason: null, filter: null, merged_into: null, error: null };
      const candidate = storable({ ...nothing, ...what, key, url, name, source });
      const visit = { candidate, retryable, errors: failed.length, progress };
      if (!(await persist(() => storeLeadCandidate(database, job, visit))))
        throw new AttemptAborted('lease_lost');
      known.add(key);
    }
  };
}

async function persisted<T>(signal: AbortSignal, logger: Logger, work: () => Promise<T>): Promise<T> {
  const result = await retryWhileUnavailable([signal], logger, async () => ({ value: await work() }));
  signal.throwIfAborted();
  if (!result) throw new AttemptAborted('lease_lost');
  return result.value;
}

/** The lead with the filters that could not be verified, or the one that it does not match. */
function filterLead(
  merged: MergedLead,
  job: ClaimedJob,
): { kind: 'fits'; lead: Lead } | { kind: 'out'; filter: string } {
  const lead: Lead = { ...merged, unverified_filters: [] };
  const verdict = applyFilters(lead, job.spec.filters, job.spec.geography);
  if (verdict.kind === 'out') return verdict;
  return { kind: 'fits', lead: storable({ ...lead, unverified_filters: verdict.unverified }) };
}

/** A job's counts so far, and its progress message. */
class Tally {
  /** Candidates visited; `candidates` counts those found. */
  sites: number;
  candidates: number;
  filteredOut = 0;
  suppressed = 0;
  readonly failures = new Map<SourceType, SourceFailure>();
  readonly #open: Set<SourceType>;

  constructor(
    readonly sources: readonly SourceType[],
    public leads: number,
    sites: number,
  ) {
    this.sites = sites;
    this.candidates = sites;
    this.#open = new Set(sources);
  }

  sourceEnded(source: SourceType, failure: SourceFailure | null): void {
    this.#open.delete(source);
    if (failure) this.failures.set(source, failure);
  }

  /** Ends all sources, including those that could return more. */
  end(): void {
    this.#open.clear();
  }

  /** `total` is the number of known candidates: no source says how many more it has. */
  progress(leads: number): Progress {
    const parts = [
      `${count(leads, 'lead')} from ${count(this.sites, 'site')}`,
      ...(this.filteredOut > 0 ? [`${this.filteredOut} did not fit the filters`] : []),
      ...(this.suppressed > 0 ? [`${this.suppressed} are suppressed`] : []),
      ...(this.#open.size > 0 ? [`still asking ${[...this.#open].join(', ')}`] : []),
      ...[...this.failures].map(([source, { error }]) => `${source} failed: ${error.code}`),
    ];
    const total = Math.max(this.sites, this.candidates);
    return { done: this.sites, total, message: parts.join('; ').slice(0, 500) };
  }
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;

/**
 * A failed source does not fail the job if another one answered. If all failed, the job takes their
 * error, and is retried if one of them is retryable. If sources answered but no site could be read,
 * the job takes the sites' error.
 */
function outcomeOf(tally: Tally, failedSites: FailedPage[]): Outcome {
  if (tally.leads > 0) return { kind: 'completed' };
  const failures = [...tally.failures.values()];
  if (failures.length > 0 && failures.length === tally.sources.length) {
    const message = failures.map(({ error }) => error.message).join('; ');
    const code = commonCode(failures, ErrorCode.allSourcesFailed);
    return outcomeFromFailures(failures, { code, message: message.slice(0, 1000) });
  }
  return failedSites.length > 0 ? outcomeFromPages(tally.sites, failedSites) : { kind: 'completed' };
}
