import { classify, type ErrorInfo, SnoozeError } from '../../core/errors.ts';
import { isAboutOthers, siteKey } from '../../core/leads/domains.ts';
import type { SourceType } from '../../core/leads/lead.ts';
import type { Observation } from '../extraction/contacts/finding.ts';
import { companyKey, type MergedLead, mergeLead } from './merge.ts';
import { type ReadSitePage, type Visit, visitSite } from './site-visit.ts';
import type { Candidate, LeadQuery, Source, SourceFetch } from './sources/source.ts';

/** Sites read at the same time: each is asked one page after the other, so this bounds memory and not manners. */
const MAX_CONCURRENT_SITES = 4;

/** What became of a candidate. `key` names the site or, of a business without one, the business. */
export type Found =
  | { kind: 'lead'; key: string; lead: MergedLead }
  /** A site that is known already, found by another source too. */
  | { kind: 'duplicate'; key: string; source: SourceType; observations: Observation[] }
  /** Nothing on it tells whose site it is or how to reach them. */
  | { kind: 'empty'; key: string }
  | { kind: 'failed'; key: string; error: ErrorInfo; retryable: boolean };

export interface LeadSearch {
  query: LeadQuery;
  sources: readonly Source[];
  fetch(source: SourceType, signal: AbortSignal): SourceFetch;
  visit: Visit;
  readPage: ReadSitePage;
  /** Told of each candidate when it is found, before it is dealt with. */
  candidateFound(): void;
  /** Whether this site was dealt with before, by an earlier attempt. */
  isKnown(key: string): boolean;
  /** Told of each candidate, one at a time. What it throws ends the hunt. */
  report(found: Found): Promise<void>;
  /** Told when a source is at its end; `error` where it failed. */
  sourceEnded(source: SourceType, error: SourceFailure | null): void;
  /** Ends it: with its reason, which `findLeads` rejects with. */
  signal: AbortSignal;
  /** Ends it early and well: there are leads enough. */
  enough: AbortSignal;
}

export interface SourceFailure {
  error: ErrorInfo;
  retryable: boolean;
}

/**
 * Asks all sources at once, reads the site of each candidate as it comes, and reports what became of it. Each site is read once,
 * whoever finds it and however often.
 *
 * A site whose visit throws a SnoozeError is not reported and not known: it is for another time.
 *
 * @throws what `report` or a visit throws else; the signal's reason
 */
export async function findLeads(search: LeadSearch): Promise<void> {
  const failure = new AbortController();
  const ended = AbortSignal.any([search.signal, search.enough, failure.signal]);
  const siteLimit = createLimiter(MAX_CONCURRENT_SITES);
  const inProgress = new Map<string, Promise<unknown>>();
  const reporting = createLimiter(1);

  const report = (found: Found) =>
    reporting.run(async () => {
      if (!ended.aborted) await search.report(found);
    });

  await Promise.all(search.sources.map((source) => readSource(source)));
  await Promise.all(inProgress.values());
  search.signal.throwIfAborted();
  failure.signal.throwIfAborted();

  async function readSource(source: Source): Promise<void> {
    try {
      const context = { fetch: search.fetch(source.name, ended), signal: ended };
      for await (const candidate of source.discover(search.query, context)) {
        if (ended.aborted) break;
        // Held back here while all turns are taken, so that a source is asked for no more than is read.
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

  /** One after the other for each site, so that two sources that find it at the same time read it once. */
  function enqueue(key: string, candidate: Candidate): void {
    const before = inProgress.get(key);
    if (!before && !search.isKnown(key)) search.candidateFound();
    const work = (async () => {
      await before;
      await siteLimit.run(() => processCandidate(key, candidate, before !== undefined));
    })().catch((error) => {
      // A site that must wait is left for another time; who threw it knows.
      if (!(error instanceof SnoozeError)) failure.abort(error);
    });
    inProgress.set(key, work);
  }

  async function processCandidate(key: string, candidate: Candidate, isSecond: boolean): Promise<void> {
    if (ended.aborted) return;
    const { source, observations } = candidate;
    if (isSecond || search.isKnown(key)) return report({ kind: 'duplicate', key, source, observations });
    if (candidate.url === null)
      return report(evaluate(key, candidate, { website: null, domain: null, observations }));

    const site = { url: candidate.url, isNamed: source === 'website' };
    // A site may have moved: to another that is known by now, or to one that is not about this business.
    let arrived = key;
    const mayRead = (home: string): boolean => {
      arrived = siteKey(home) ?? key;
      if (arrived === key) return true;
      if (isAboutOthers(home) || inProgress.has(arrived) || search.isKnown(arrived)) return false;
      inProgress.set(arrived, Promise.resolve());
      return true;
    };
    const { visit, readPage, query } = search;
    const visited = await visitSite(site, { visit, readPage, mayRead, country: query.country });
    switch (visited.kind) {
      case 'failed': {
        // What a source knows of a business is worth having without its site.
        const known = evaluate(key, candidate, { website: candidate.url, domain: key, observations });
        return report(known.kind === 'lead' ? known : { ...visited, key });
      }
      case 'elsewhere':
        await report({ kind: 'empty', key });
        return isAboutOthers(visited.home)
          ? undefined
          : report({ kind: 'duplicate', key: arrived, source, observations });
      case 'read': {
        if (arrived !== key) await report({ kind: 'empty', key });
        const all = [...observations, ...visited.observations];
        const place = { website: homeUrl(visited.home), domain: arrived, observations: all };
        return report(evaluate(arrived, candidate, place));
      }
      default:
        return visited satisfies never;
    }
  }
}

/** Sure enough to be a name that somebody gave, and not the title of a parked domain. */
const MIN_NAME_CONFIDENCE = 0.6;

/** Whether what was seen makes a lead: it says how to reach them, or at least for sure who they are. */
function evaluate(
  key: string,
  { source }: Candidate,
  site: { website: string | null; domain: string | null; observations: Observation[] },
): Found {
  const lead = mergeLead({ ...site, sources: [source] });
  const isReachable =
    lead.emails.length + lead.phones.length + lead.addresses.length + Object.keys(lead.socials).length > 0;
  const isNamed = lead.evidence.some(
    ({ field, confidence }) => field === 'company' && confidence >= MIN_NAME_CONFIDENCE,
  );
  if (!isReachable && !(isNamed && site.website !== null)) return { kind: 'empty', key };
  return { kind: 'lead', key, lead };
}

/** By site; without one by name and place, so that two sources that know it agree. */
function candidateKey({ url, name, observations }: Candidate): string | null {
  if (url !== null) return siteKey(url);
  const address = observations.find((observation) => observation.address)?.address;
  const who = companyKey(name ?? '');
  const where = (address?.postal_code ?? address?.city ?? '').toLowerCase();
  return who === '' ? null : `name:${who}${where && `, ${where}`}`.slice(0, 250);
}

/** A home page by its address, without what only led there. */
function homeUrl(home: string): string {
  const url = new URL(home);
  url.hash = '';
  url.search = '';
  return url.href;
}

/** At most so many at a time; the others wait in order. */
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
    /** Until one is free; it may be taken by then. */
    async wait(): Promise<void> {
      if (running < max) return;
      await free();
      // Who only waited passes the turn on.
      next();
    },
  };
}
