import { randomBytes } from 'node:crypto';
import { type Database, isDatabaseUnavailable, isSerializationFailure } from '../../../db/connect.ts';
import {
  exchangePermits,
  type HostAnswer,
  type HostLimits,
  type HostRequest,
  standInLine,
} from '../../../db/sites/hosts.ts';
import { createBatcher } from '../../../runtime/batch.ts';
import type { Logger } from '../../../runtime/logger.ts';

/** Turns at hosts, shared with all other workers by way of Postgres. A turn is a permit under a lease, renewed while it is held. */
export interface Turns {
  /**
   * Waits for a turn, a moment at most; what would take longer is told how long.
   * @throws the signal's reason
   */
  take(host: string, wish: TurnWish, signal: AbortSignal): Promise<Turn>;
  /** Gives back all that is held. */
  stop(): Promise<void>;
}

export interface TurnWish {
  /** Between two starts at this host. */
  gapMs: number;
  /** It was told to come back before, and goes before those who were not. */
  isBack: boolean;
}

export type Turn = { kind: 'go'; end(pauseMs?: number): void } | { kind: 'wait'; ms: number };

/** So long a job waits in its slot. A longer wait is spent elsewhere. */
export const PATIENCE_MS = 2000;
/** How often a host that others are at is asked for again. */
const ASK_AGAIN_MS = 60;
/** A page that ended is mostly followed by another one within this time: one statement for both. */
const LINGER_MS = 10;
/**
 * So long an answer that knew of no line and no pause is trusted: turns then pass from page to page in here. A fast site's pages so share
 * a statement, and what another process is told of the host comes here that much later.
 */
const TRUST_MS = 25;
const DATABASE_PAUSE_MS = 500;

export function createTurns(options: {
  database: Database;
  logger: Logger;
  /** Pages of a host at the same time, over all workers. */
  concurrency: number;
  leaseMs: number;
}): Turns {
  const { database, logger, leaseMs } = options;
  const limits: HostLimits = { most: options.concurrency, patienceMs: PATIENCE_MS, leaseMs };
  const hosts = new Map<string, HostDesk>();
  const office: Office = {
    leaseMs,
    logger,
    // Pages of several hosts share a statement; two of one host would wait for each other's row, and its desk asks for both at once.
    exchange: createBatcher((requests) => exchangePermits(database, limits, requests), {
      maxItems: 64,
      maxRuns: 2,
    }),
    standInLine: (host, gapMs) => standInLine(database, host, gapMs),
  };

  return {
    take: (name, wish, signal) => {
      let desk = hosts.get(name);
      if (!desk) {
        desk = new HostDesk(name, office, () => hosts.delete(name));
        hosts.set(name, desk);
      }
      return desk.take(wish, signal);
    },
    stop: async () => {
      await Promise.all([...hosts.values()].map((desk) => desk.close()));
    },
  };
}

interface Office {
  leaseMs: number;
  logger: Logger;
  exchange(request: HostRequest): Promise<HostAnswer>;
  standInLine(host: string, gapMs: number): Promise<number>;
}

interface Waiter extends TurnWish {
  id: string;
  /** The one it has, its own or passed on to it. */
  permit?: Permit;
  impatientAt: number;
  /** Nobody waits for it any more. */
  gone: boolean;
  resolve(turn: Turn): void;
  reject(error: unknown): void;
}

interface Permit {
  id: string;
  renewAt: number;
}

/** What this process has to do with one host, from the first that waits to the last permit given back. One question at a time. */
class HostDesk {
  #waiting: Waiter[] = [];
  readonly #held = new Set<Permit>();
  /** Ended, and still to be given back. */
  #released: Permit[] = [];
  /** Until then they may be passed on instead. */
  #trustUntil = 0;
  #pauseMs = 0;
  #asking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #askAt = Number.POSITIVE_INFINITY;

  constructor(
    readonly host: string,
    private readonly office: Office,
    private readonly onIdle: () => void,
  ) {}

  take(wish: TurnWish, signal: AbortSignal): Promise<Turn> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const waiter: Waiter = {
        ...wish,
        id: randomBytes(9).toString('base64url'),
        impatientAt: performance.now() + PATIENCE_MS,
        gone: false,
        resolve: (turn) => {
          signal.removeEventListener('abort', leave);
          resolve(turn);
        },
        reject: (error) => {
          signal.removeEventListener('abort', leave);
          reject(error);
        },
      };
      const leave = () => {
        waiter.gone = true;
        this.#waiting = this.#waiting.filter((other) => other !== waiter);
        if (waiter.permit) this.#release(waiter.permit, 0);
        reject(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(waiter);
      this.#passOn();
      if (!waiter.permit) this.#askIn(0);
    });
  }

  async close(): Promise<void> {
    await this.#asking;
    this.#released.push(...this.#held);
    this.#held.clear();
    this.#waiting = [];
    if (this.#released.length > 0) await this.#ask();
    clearTimeout(this.#timer);
  }

  #release(permit: Permit, pauseMs: number): void {
    // A second end of one turn, or one after the desk was closed.
    if (!this.#held.delete(permit)) return;
    this.#released.push(permit);
    this.#pauseMs = Math.max(this.#pauseMs, pauseMs);
    if (pauseMs > 0) this.#trustUntil = 0;
    this.#passOn();
    this.#askIn(this.#waiting.length > 0 ? 0 : LINGER_MS);
  }

  /** Turns that ended go to those who wait here, who were told to come back first. */
  #passOn(): void {
    if (this.#trustUntil <= performance.now()) return;
    for (const waiter of this.#inOrder()) {
      // A gap counts from start to start, and only Postgres knows the last one.
      if (waiter.gapMs > 0) continue;
      const permit = this.#released.pop();
      if (!permit) return;
      this.#grant(waiter, permit, 0);
    }
  }

  #inOrder(): Waiter[] {
    return [...this.#waiting].sort((a, b) => Number(b.isBack) - Number(a.isBack));
  }

  /** In so many milliseconds, or sooner where that was agreed before. */
  #askIn(ms: number): void {
    const at = performance.now() + ms;
    if (this.#askAt <= at) return;
    this.#askAt = at;
    // While a question is under way it is only noted: what is wanted now is for the next one.
    if (this.#asking) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#askAt = Number.POSITIVE_INFINITY;
      this.#asking = this.#ask().finally(() => {
        this.#asking = undefined;
        this.#planNext();
      });
    }, ms);
  }

  async #ask(): Promise<void> {
    const now = performance.now();
    const asked = this.#inOrder();
    const renewed = [...this.#held].filter(({ renewAt }) => renewAt <= now);
    const released = this.#released.splice(0);
    const pauseMs = this.#pauseMs;
    this.#pauseMs = 0;
    if (asked.length + released.length + renewed.length === 0) return;
    const gapMs = Math.max(0, ...asked.map((waiter) => waiter.gapMs));
    try {
      const answer = await this.office.exchange({
        ...{ host: this.host, pauseMs, gapMs },
        released: released.map(({ id }) => id),
        renewed: renewed.map(({ id }) => id),
        ids: asked.map(({ id }) => id),
        back: asked.filter(({ isBack }) => isBack).length,
      });
      for (const permit of renewed) permit.renewAt = now + this.office.leaseMs / 3;
      // A short pause closes nothing: who asks is told to start behind it.
      const isOpen = answer.startMs <= 0 && !answer.hasLine && this.#pauseMs === 0;
      this.#trustUntil = isOpen ? performance.now() + TRUST_MS : 0;
      this.#handOut(asked, gapMs, answer);
    } catch (error) {
      this.#released.push(...released);
      this.#pauseMs = Math.max(this.#pauseMs, pauseMs);
      if (!isDatabaseUnavailable(error) && !isSerializationFailure(error)) {
        this.office.logger.error('turns_not_exchanged', { host: this.host, error });
        this.#waiting = this.#waiting.filter((waiter) => !asked.includes(waiter));
        for (const waiter of asked) waiter.reject(error);
      }
      // While the database is away, whoever waits goes on waiting: nothing else could be done either.
      await new Promise((resolve) => setTimeout(resolve, DATABASE_PAUSE_MS));
    }
  }

  #handOut(asked: Waiter[], gapMs: number, answer: HostAnswer): void {
    const now = performance.now();
    for (const [place, waiter] of asked.entries()) {
      if (place < answer.granted) {
        const permit = { id: waiter.id, renewAt: now + this.office.leaseMs / 3 };
        // Gone, or one was passed on to it meanwhile.
        if (waiter.gone || waiter.permit) this.#released.push(permit);
        else this.#grant(waiter, permit, answer.startMs + place * gapMs);
      } else if (waiter.gone || waiter.permit) continue;
      else if (
        answer.closedMs > PATIENCE_MS ||
        waiter.impatientAt <= now ||
        (answer.hasLine && !waiter.isBack)
      ) {
        this.#waiting = this.#waiting.filter((other) => other !== waiter);
        void this.#sendAway(waiter, gapMs, answer.closedMs);
      }
    }
  }

  #grant(waiter: Waiter, permit: Permit, startMs: number): void {
    this.#waiting = this.#waiting.filter((other) => other !== waiter);
    waiter.permit = permit;
    this.#held.add(permit);
    const go = () => waiter.resolve({ kind: 'go', end: (pauseMs = 0) => this.#release(permit, pauseMs) });
    // A timer may fire a little early, and the next one's little late: never the other way round.
    if (startMs > 0) setTimeout(go, Math.ceil(startMs) + 1);
    else go();
  }

  async #sendAway(waiter: Waiter, gapMs: number, closedMs: number): Promise<void> {
    const ms = await this.office.standInLine(this.host, gapMs).catch(() => closedMs);
    waiter.resolve({ kind: 'wait', ms: Math.max(ms, PATIENCE_MS) });
  }

  #planNext(): void {
    const noted = this.#askAt;
    this.#askAt = Number.POSITIVE_INFINITY;
    if (noted < Number.POSITIVE_INFINITY) {
      this.#askIn(Math.max(0, noted - performance.now()));
    } else if (this.#waiting.length > 0) {
      this.#askIn(ASK_AGAIN_MS * (0.5 + Math.random()));
    } else if (this.#released.length > 0) {
      this.#askIn(LINGER_MS);
    } else if (this.#held.size > 0) {
      const renewAt = Math.min(...[...this.#held].map((permit) => permit.renewAt));
      this.#askIn(Math.max(0, renewAt - performance.now()));
    } else {
      this.onIdle();
    }
  }
}
