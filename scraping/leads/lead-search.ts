import { classify, type ErrorInfo, SnoozeError } from '../../core/errors.ts';
import { isAggregatorSite, siteKey } from '../../core/leads/domains.ts';
import type { SourceType } from '../../core/leads/lead.ts';
import type { Sighting } from '../extraction/contacts/finding.ts';
import { companyKey, type MergedLead, mergeLead } from './merge.ts';
import { type ReadSitePage, type Visit, visitSite } from './site-visit.ts';
import type { Candidate, LeadQuery, Source, SourceFetch } from './sources/source.ts';

/** Sites read at the same time: each is asked one page after the other, so this bounds memory and not manners. */
const SITES_AT_ONCE = 4;

/** What became of a candidate. `key` names the site or, of a business without one, the business. */
export type Found =
  | { kind: 'lead'; key: string; lead: MergedLead }
  /** A site that is known already, found by another source too. */
  | { kind: 'again'; key: string; source: SourceType; sightings: Sighting[] }
  /** Nothing on it tells whose site it is or how to reach them. */
  | { kind: 'empty'; key: string }
  | { kind: 'failed'; key: string; error: ErrorInfo; retryable: boolean };

export interface LeadHunt {
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
export async function findLeads(hunt: LeadHunt): Promise<void> {
  const broken = new AbortController();
  const ended = AbortSignal.any([hunt.signal, hunt.enough, broken.signal]);
  const turns = createTurns(SITES_AT_ONCE);
  const underWay = new Map<string, Promise<unknown>>();
  const reporting = createTurns(1);

  const report = (found: Found) =>
    reporting.take(async () => {
      if (!ended.aborted) await hunt.report(found);
    });

  await Promise.all(hunt.sources.map((source) => askSource(source)));
  await Promise.all(underWay.values());
  hunt.signal.throwIfAborted();
  broken.signal.throwIfAborted();

  async function askSource(source: Source): Promise<void> {
    try {
      const context = { fetch: hunt.fetch(source.name, ended), signal: ended };
      for await (const candidate of source.discover(hunt.query, context)) {
        if (ended.aborted) break;
        // Held back here while all turns are taken, so that a source is asked for no more than is read.
        await turns.wait();
        if (ended.aborted) break;
        const key = keyOf(candidate);
        if (key !== null) begin(key, candidate);
      }
      if (!ended.aborted) hunt.sourceEnded(source.name, null);
    } catch (error) {
      if (ended.aborted) return;
      const { code, message, consequence } = classify(error);
      hunt.sourceEnded(source.name, { error: { code, message }, retryable: consequence !== 'permanent' });
    }
  }

  /** One after the other for each site, so that two sources that find it at the same time read it once. */
  function begin(key: string, candidate: Candidate): void {
    const before = underWay.get(key);
    if (!before && !hunt.isKnown(key)) hunt.candidateFound();
    const work = (async () => {
      await before;
      await turns.take(() => dealWith(key, candidate, before !== undefined));
    })().catch((error) => {
      // A site that must wait is left for another time; who threw it knows.
      if (!(error instanceof SnoozeError)) broken.abort(error);
    });
    underWay.set(key, work);
  }

  async function dealWith(key: string, candidate: Candidate, isSecond: boolean): Promise<void> {
    if (ended.aborted) return;
    const { source, sightings } = candidate;
    if (isSecond || hunt.isKnown(key)) return report({ kind: 'again', key, source, sightings });
    if (candidate.url === null)
      return report(judged(key, candidate, { website: null, domain: null, sightings }));

    const site = { url: candidate.url, isNamed: source === 'website' };
    // A site may have moved: to another that is known by now, or to one that is not about this business.
    let arrived = key;
    const mayRead = (home: string): boolean => {
      arrived = siteKey(home) ?? key;
      if (arrived === key) return true;
      if (isAggregatorSite(home) || underWay.has(arrived) || hunt.isKnown(arrived)) return false;
      underWay.set(arrived, Promise.resolve());
      return true;
    };
    const { visit, readPage, query } = hunt;
    const visited = await visitSite(site, { visit, readPage, mayRead, country: query.country });
    switch (visited.kind) {
      case 'failed': {
        // What a source knows of a business is worth having without its site.
        const known = judged(key, candidate, { website: candidate.url, domain: key, sightings });
        return report(known.kind === 'lead' ? known : { ...visited, key });
      }
      case 'elsewhere':
        await report({ kind: 'empty', key });
        return isAggregatorSite(visited.home)
          ? undefined
          : report({ kind: 'again', key: arrived, source, sightings });
      case 'read': {
        if (arrived !== key) await report({ kind: 'empty', key });
        const all = [...sightings, ...visited.sightings];
        const place = { website: rootOf(visited.home), domain: arrived, sightings: all };
        return report(judged(arrived, candidate, place));
      }
      default:
        return visited satisfies never;
    }
  }
}

/** Sure enough to be a name that somebody gave, and not the title of a parked domain. */
const SURE_OF_NAME = 0.6;

/** Whether what was seen makes a lead: it says how to reach them, or at least for sure who they are. */
function judged(
  key: string,
  { source }: Candidate,
  site: { website: string | null; domain: string | null; sightings: Sighting[] },
): Found {
  const lead = mergeLead({ ...site, sources: [source] });
  const isReachable =
    lead.emails.length + lead.phones.length + lead.addresses.length + Object.keys(lead.socials).length > 0;
  const isNamed = lead.evidence.some(
    ({ field, confidence }) => field === 'company' && confidence >= SURE_OF_NAME,
  );
  if (!isReachable && !(isNamed && site.website !== null)) return { kind: 'empty', key };
  return { kind: 'lead', key, lead };
}

/** By site; without one by name and place, so that two sources that know it agree. */
function keyOf({ url, name, sightings }: Candidate): string | null {
  if (url !== null) return siteKey(url);
  const address = sightings.find((sighting) => sighting.address)?.address;
  const who = companyKey(name ?? '');
  const where = (address?.postal_code ?? address?.city ?? '').toLowerCase();
  return who === '' ? null : `name:${who}${where && `, ${where}`}`.slice(0, 250);
}

/** A home page by its address, without what only led there. */
function rootOf(home: string): string {
  const url = new URL(home);
  url.hash = '';
  url.search = '';
  return url.href;
}

/** At most so many at a time; the others wait in order. */
function createTurns(max: number) {
  let taken = 0;
  const waiting: (() => void)[] = [];
  const next = () => {
    if (taken < max) waiting.shift()?.();
  };
  const free = () => new Promise<void>((resolve) => waiting.push(resolve));
  return {
    async take<T>(work: () => Promise<T>): Promise<T> {
      while (taken >= max) await free();
      taken += 1;
      try {
        return await work();
      } finally {
        taken -= 1;
        next();
      }
    },
    /** Until one is free; it may be taken by then. */
    async wait(): Promise<void> {
      if (taken < max) return;
      await free();
      // Who only waited passes the turn on.
      next();
    },
  };
}
