import { classify, type ErrorInfo, SnoozeError } from '../../core/errors.ts';
import type { EmptyReason } from '../../core/leads/candidate.ts';
import { isAggregatorSite, siteKey } from '../../core/leads/domains.ts';
import type { SourceType } from '../../core/leads/lead.ts';
import { withoutLogin } from '../../core/url-login.ts';
import type { Observation } from '../extraction/contacts/finding.ts';
import { companyKey, type MergedLead, mergeLead } from './merge.ts';
import { type ReadSitePage, type Visit, visitSite } from './site-visit.ts';
import type { Candidate, LeadQuery, Source, SourceFetch } from './sources/source.ts';
import type { SourceReader } from './sources/source-reader.ts';

/**
 * Sites read at the same time. Bounds memory; politeness is per host, and each site is read one
 * page at a time.
 */
const MAX_CONCURRENT_SITES = 4;

/** What a source says of a candidate. */
export interface Sighted {
  source: SourceType;
  url: string | null;
  name: string | null;
}

/** Outcome of a candidate. `key` identifies the site or, without one, the business. */
export type Found = Sighted &
  (
    | { kind: 'lead'; key: string; lead: MergedLead }
    /** A site that is already known, found by another source. */
    | { kind: 'duplicate'; key: string; observations: Observation[] }
    /** The site has neither a reliable name nor contacts, or is about other businesses. */
    | { kind: 'empty'; key: string; reason: EmptyReason }
    /** The site redirects to that of another candidate or business. */
    | { kind: 'redirected'; key: string; to: string }
    | { kind: 'failed'; key: string; error: ErrorInfo; retryable: boolean }
    /** There were enough leads before it was read. */
    | { kind: 'skipped'; key: string }
  );

export interface LeadSearch {
  query: LeadQuery;
  sources: readonly Source[];
  fetch(source: SourceType, signal: AbortSignal): SourceFetch;
  /** Reads what the sources answer. */
  reader: Pick<SourceReader, 'readFor'>;
  visit: Visit;
  readPage: ReadSitePage;
  /** Called per new candidate, before it is processed. */
  candidateFound(): void;
  /** Whether the site was already processed, by this or an earlier attempt. */
  isKnown(key: string): boolean;
  /** Called per outcome, one call at a time. An error it throws ends the search. */
  report(found: Found): Promise<void>;
  /** Called when a source ends; with an error if it failed. */
  sourceEnded(source: SourceType, error: SourceFailure | null): void;
  /** Aborts the search; `findLeads` rejects with its reason. */
  signal: AbortSignal;
  /** Ends the search successfully: there are enough leads. */
  enough: AbortSignal;
}

export interface SourceFailure {
  error: ErrorInfo;
  retryable: boolean;
}

/**
 * Queries all sources concurrently, reads the site of each candidate and reports its outcome. Each
 * site is read once, however many sources find it.
 *
 * A site whose visit throws a SnoozeError is neither reported nor known: a later attempt reads it.
 *
 * @throws any other error of `report` or a visit; the signal's reason
 */
export async function findLeads(search: LeadSearch): Promise<void> {
  const failure = new AbortController();
  const ended = AbortSignal.any([search.signal, search.enough, failure.signal]);
  const siteLimit = createLimiter(MAX_CONCURRENT_SITES);
  const inProgress = new Map<string, Promise<unknown>>();
  const reporting = createLimiter(1);

  /** Candidates without an outcome yet. */
  const unread = new Map<string, Sighted>();

  const report = (found: Found) =>
    reporting.run(async () => {
      if (ended.aborted) return;
      unread.delete(found.key);
      await search.report(found);
    });

  await Promise.all(search.sources.map((source) => readSource(source)));
  await Promise.all(inProgress.values());
  search.signal.throwIfAborted();
  failure.signal.throwIfAborted();
  if (search.enough.aborted)
    for (const [key, sighted] of unread) await search.report({ kind: 'skipped', key, ...sighted });

  async function readSource(source: Source): Promise<void> {
    try {
      const context = {
        fetch: search.fetch(source.name, ended),
        read: search.reader.readFor(source.name, ended),
        signal: ended,
      };
      for await (const found of source.discover(search.query, context)) {
        if (ended.aborted) break;
        const candidate = { ...found, url: found.url && withoutLogin(found.url) };
        // Backpressure: a source is not asked for more candidates than are read.
        await siteLimit.wait();
        if (ended.aborted) break;
        const key = candidateKey(candidate);
        if (key !== null) enqueue(key, candidate);
      }
      if (!ended.aborted) search.sourceEnded(source.name, null);
    } catch (error) {
      if (ended.aborted) return;
      const { code, message, consequence } = classify(error);
      search.sourceEnded(source.name, { error: { code, message }, retryable: consequence !== 'permanent' });
    }
  }

  /** In order per site, so that two sources that find it at the same time read it once. */
  function enqueue(key: string, candidate: Candidate): void {
    const before = inProgress.get(key);
    if (!before && !search.isKnown(key)) {
      search.candidateFound();
      unread.set(key, sightedOf(candidate));
    }
    const work = (async () => {
      await before;
      await siteLimit.run(() => processCandidate(key, candidate, before !== undefined));
    })().catch((error) => {
      // A site that must wait is left to a later attempt; the visitor recorded the wait.
      if (!(error instanceof SnoozeError)) failure.abort(error);
    });
    inProgress.set(key, work);
  }

  async function processCandidate(key: string, candidate: Candidate, isSecond: boolean): Promise<void> {
    if (ended.aborted) return;
    const { source } = candidate;
    const found_at = new Date().toISOString();
    const observations = candidate.observations.map((one) => ({ ...one, found_at }));
    const sighted = sightedOf(candidate);
    if (isSecond || search.isKnown(key)) return report({ kind: 'duplicate', key, observations, ...sighted });
    if (candidate.url === null)
      return report(evaluate(key, candidate, { website: null, domain: null, observations }));

    const site = { url: candidate.url, isNamed: source === 'website' };
    // A site may redirect to one that is already known, or to one that is not about this business.
    let arrived = key;
    const mayRead = (home: string): boolean => {
      arrived = siteKey(home) ?? key;
      if (arrived === key) return true;
      if (isAggregatorSite(home) || inProgress.has(arrived) || search.isKnown(arrived)) return false;
      inProgress.set(arrived, Promise.resolve());
      return true;
    };
    const { visit, readPage, query } = search;
    const visited = await visitSite(site, { visit, readPage, mayRead, country: query.country });
    switch (visited.kind) {
      case 'failed': {
        // What a source knows about a business may be a lead without its site.
        const known = evaluate(key, candidate, { website: candidate.url, domain: key, observations });
        return report(known.kind === 'lead' ? known : { ...visited, key, ...sighted });
      }
      case 'elsewhere':
        if (isAggregatorSite(visited.home))
          return report({ kind: 'empty', key, reason: 'about_others', ...sighted });
        await report({ kind: 'redirected', key, to: arrived, ...sighted });
        return report({ kind: 'duplicate', key: arrived, observations, ...sighted });
      case 'read': {
        if (arrived !== key) await report({ kind: 'redirected', key, to: arrived, ...sighted });
        const all = [...observations, ...visited.observations];
        const { isListing } = visited;
        const place = { website: homeUrl(visited.home), domain: arrived, observations: all, isListing };
        return report(evaluate(arrived, candidate, place));
      }
      default:
        return visited satisfies never;
    }
  }
}

/** Minimum confidence of a company name; below it may be the title of a parked domain. */
const MIN_NAME_CONFIDENCE = 0.6;

/**
 * The outcome of a candidate. A lead needs a way of contact, or at least a site with a reliable
 * name.
 */
function evaluate(
  key: string,
  candidate: Candidate,
  site: {
    website: string | null;
    domain: string | null;
    observations: Observation[];
    isListing?: boolean;
  },
): Found {
  const lead = mergeLead({ ...site, sources: [candidate.source] });
  // What a list of businesses has left without a publisher's name is nobody's.
  const sighted = sightedOf(candidate);
  if (site.isListing && lead.company === null)
    return { kind: 'empty', key, reason: 'about_others', ...sighted };
  const isReachable =
    lead.emails.length + lead.phones.length + lead.addresses.length + Object.keys(lead.socials).length > 0;
  const isNamed = lead.evidence.some(
    ({ field, confidence }) => field === 'company' && confidence >= MIN_NAME_CONFIDENCE,
  );
  if (!isReachable && !(isNamed && site.website !== null))
    return { kind: 'empty', key, reason: 'no_contacts', ...sighted };
  return { kind: 'lead', key, lead, ...sighted };
}

const sightedOf = ({ source, url, name }: Candidate): Sighted => ({ source, url, name });

/**
 * Key of a candidate: its site, else name and place, so that two sources agree on it. Null without
 * both.
 */
function candidateKey({ url, name, observations }: Candidate): string | null {
  if (url !== null) return siteKey(url);
  const address = observations.find((observation) => observation.address)?.address;
  const who = companyKey(name ?? '');
  const where = (address?.postal_code ?? address?.city ?? '').toLowerCase();
  return who === '' ? null : `name:${who}${where && `, ${where}`}`.slice(0, 250);
}

/** The URL of a home page without query and fragment. */
function homeUrl(home: string): string {
  const url = new URL(home);
  url.hash = '';
  url.search = '';
  return url.href;
}

/** Limits concurrency to `max`; waiters run in order. */
function createLimiter(max: number) {
  let running = 0;
  const waiting: (() => void)[] = [];
  const next = () => {
    if (running < max) waiting.shift()?.();
  };
  const free = () => new Promise<void>((resolve) => waiting.push(resolve));
  return {
    async run<T>(work: () => Promise<T>): Promise<T> {
      while (running >= max) await free();
      running += 1;
      try {
        return await work();
      } finally {
        running -= 1;
        next();
      }
    },
    /** Resolves when a slot is free; another caller may take it first. */
    async wait(): Promise<void> {
      if (running < max) return;
      await free();
      // This waiter takes no slot, so the next one is woken too.
      next();
    },
  };
}
