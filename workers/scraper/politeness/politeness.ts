import { pageError } from '../../../core/jobs/page-errors.ts';
import type { Database } from '../../../db/connect.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { HttpClient } from '../../../scraping/http/client.ts';
import type { Admission, Hindrance, Manners, Onward } from '../../../scraping/politeness/politeness.ts';
import { productTokenOf } from '../../../scraping/politeness/politeness.ts';
import { crawlDelayFor, mayFetch } from '../../../scraping/politeness/robots-permission.ts';
import { createTurns, type Turn } from './host-limiter.ts';
import { createRobotsFiles } from './robots-files.ts';

/** A site may ask for a slow crawl, and not for one that never ends. */
const LONGEST_CRAWL_DELAY_MS = 60_000;

export interface FleetManners extends Manners {
  /** Addresses of an origin's sitemaps, as its robots.txt names them. */
  sitemapsOf(url: string, signal: AbortSignal): Promise<string[]>;
  stop(): Promise<void>;
}

/** Manners that hold for the whole fleet, because what is known of a host stands in Postgres. */
export function createManners(options: {
  database: Database;
  http: Pick<HttpClient, 'get'>;
  logger: Logger;
  userAgent: string;
  /** False for sites of one's own. */
  respectRobots: boolean;
  /** Pages of a host at the same time, and milliseconds between two of their starts. */
  host: { concurrency: number; gapMs: number };
  leaseMs: number;
}): FleetManners {
  const { database, http, logger, host, leaseMs, respectRobots } = options;
  const agent = productTokenOf(options.userAgent);
  const turns = createTurns({ database, logger, leaseMs, concurrency: host.concurrency });
  const files = createRobotsFiles({ database, http, turns, logger, gapMs: host.gapMs });

  return {
    async admit(url, signal, { isBack = false } = {}): Promise<Admission> {
      const begun = new URL(url).host;
      const held = new Map<string, HeldTurn>();
      const isOver = new AbortController();
      const go = async (next: string, asking: AbortSignal): Promise<Onward> => {
        const leave = await leaveOf(next, isBack, asking);
        const { host } = new URL(next);
        if (leave.kind !== 'go' || held.has(host)) return leave;
        const turn = await turns.take(host, { gapMs: leave.gapMs, isBack }, asking);
        if (turn.kind === 'wait') return turn;
        if (isOver.signal.aborted) turn.end();
        else held.set(host, turn);
        return { kind: 'go' };
      };
      const admitted = await go(url, signal);
      if (admitted.kind !== 'go') return admitted;
      return {
        kind: 'go',
        follow: (next) => go(next, AbortSignal.any([signal, isOver.signal])),
        done: ({ pauseMs, host: asking = begun } = {}) => {
          isOver.abort(new Error('the page is over'));
          const asks = held.has(asking) ? asking : begun;
          for (const [host, turn] of held) turn.end(host === asks ? pauseMs : 0);
        },
      };
    },
    async sitemapsOf(url, signal) {
      const answer = await files.of(url, false, signal);
      return answer.kind === 'rules' ? answer.robots.sitemaps : [];
    },
    stop: () => turns.stop(),
  };

  /** What robots.txt says of an address, and the gap it wants. */
  async function leaveOf(
    url: string,
    isBack: boolean,
    signal: AbortSignal,
  ): Promise<{ kind: 'go'; gapMs: number } | Hindrance> {
    if (!respectRobots) return { kind: 'go', gapMs: host.gapMs };
    const answer = await files.of(url, isBack, signal);
    if (answer.kind === 'wait') return answer;
    if (answer.kind === 'unreachable') return { kind: 'disallowed', error: answer.error };
    if (!mayFetch(answer.robots, agent, url)) {
      return { kind: 'disallowed', error: pageError('robots_disallowed') };
    }
    const crawlDelayMs = (crawlDelayFor(answer.robots, agent) ?? 0) * 1000;
    return { kind: 'go', gapMs: Math.max(host.gapMs, Math.min(crawlDelayMs, LONGEST_CRAWL_DELAY_MS)) };
  }
}

type HeldTurn = Extract<Turn, { kind: 'go' }>;
