import { randomBytes } from 'node:crypto';
import { isDatabaseUnavailable, isSerializationFailure } from '../../../db/connect.ts';
import type { HostAnswer, HostRequest } from '../../../db/sites/hosts.ts';
import type { Logger } from '../../../runtime/log/logger.ts';

export interface PermitWish {
  /** Between the starts of two pages of this host. */
  gapMs: number;
  /** The job was snoozed for this host before, and precedes jobs that were not. */
  isResumed: boolean;
}

export type HostDecision = HostPermit | { kind: 'wait'; ms: number };

/** A lease on one of the host's permits, renewed while it is held. */
export interface HostPermit {
  kind: 'granted';
  /** @param pauseMs the host asked for a pause of this length */
  release(pauseMs?: number): void;
}

export interface PermitStore {
  sync(request: HostRequest): Promise<HostAnswer>;
  joinQueue(host: string, gapMs: number): Promise<number>;
}

/** Mean interval between requests for permits while all of the host's are taken. */
const POLL_MS = 60;
/** Another page usually follows within this time: the release and its request share a statement. */
const LINGER_MS = 10;
/**
 * For this long after an answer that showed no queue and no pause, a freed permit may be reused in
 * this process without asking Postgres. Pages of a fast site share a statement this way; a queue or
 * pause set by another process takes effect here that much later.
 */
const REUSE_MS = 25;
const DATABASE_PAUSE_MS = 500;

interface Waiting extends PermitWish {
  id: string;
  /** Its own, or a reused one. */
  lease?: Lease;
  giveUpAt: number;
  isAborted: boolean;
  resolve(decision: HostDecision): void;
  reject(error: unknown): void;
}

interface Lease {
  id: string;
  renewAt: number;
}

/**
 * Batches this process's requests to one host's permits, from the first request to the last
 * release, one statement at a time: permits requested, renewed and released.
 */
export class PermitBatcher {
  #waiting: Waiting[] = [];
  readonly #held = new Set<Lease>();
  /** Released here, not yet in Postgres. */
  #released: Lease[] = [];
  #reuseUntil = 0;
  #pauseMs = 0;
  #syncing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #syncAt = Number.POSITIVE_INFINITY;

  constructor(
    readonly host: string,
    private readonly options: {
      store: PermitStore;
      leaseMs: number;
      maxWaitMs: number;
      logger: Logger;
      onIdle: () => void;
    },
  ) {}

  acquire(wish: PermitWish, signal: AbortSignal): Promise<HostDecision> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const waiting: Waiting = {
        ...wish,
        id: randomBytes(9).toString('base64url'),
        giveUpAt: performance.now() + this.options.maxWaitMs,
        isAborted: false,
        resolve: (decision) => {
          signal.removeEventListener('abort', abort);
          resolve(decision);
        },
        reject: (error) => {
          signal.removeEventListener('abort', abort);
          reject(error);
        },
      };
      const abort = () => {
        waiting.isAborted = true;
        this.#forget(waiting);
        if (waiting.lease) this.#release(waiting.lease, 0);
        reject(signal.reason);
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.push(waiting);
      this.#reuseReleased();
      if (!waiting.lease) this.#syncIn(0);
    });
  }

  async stop(): Promise<void> {
    await this.#syncing;
    this.#released.push(...this.#held);
    this.#held.clear();
    this.#waiting = [];
    if (this.#released.length > 0) await this.#sync();
    clearTimeout(this.#timer);
  }

  #release(lease: Lease, pauseMs: number): void {
    // Not held: a second release of one permit, or one after `stop`.
    if (!this.#held.delete(lease)) return;
    this.#released.push(lease);
    this.#pauseMs = Math.max(this.#pauseMs, pauseMs);
    if (pauseMs > 0) this.#reuseUntil = 0;
    this.#reuseReleased();
    this.#syncIn(this.#waiting.length > 0 ? 0 : LINGER_MS);
  }

  /** Reuses freed permits for requests that wait in this process, resumed jobs first. */
  #reuseReleased(): void {
    if (this.#reuseUntil <= performance.now()) return;
    for (const waiting of this.#inOrder()) {
      // A gap counts from start to start, and only Postgres knows the host's last start.
      if (waiting.gapMs > 0) continue;
      const lease = this.#released.pop();
      if (!lease) return;
      this.#grant(waiting, lease, 0);
    }
  }

  #inOrder(): Waiting[] {
    return [...this.#waiting].sort((a, b) => Number(b.isResumed) - Number(a.isResumed));
  }

  #forget(waiting: Waiting): void {
    this.#waiting = this.#waiting.filter((other) => other !== waiting);
  }

  /** Syncs in `ms`, or earlier if an earlier sync is scheduled. */
  #syncIn(ms: number): void {
    const at = performance.now() + ms;
    if (this.#syncAt <= at) return;
    this.#syncAt = at;
    // During a statement only the time is noted, for `#planNext`.
    if (this.#syncing) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#syncAt = Number.POSITIVE_INFINITY;
      this.#syncing = this.#sync().finally(() => {
        this.#syncing = undefined;
        this.#planNext();
      });
    }, ms);
  }

  async #sync(): Promise<void> {
    const { store, leaseMs, logger } = this.options;
    const now = performance.now();
    const requested = this.#inOrder();
    const renewed = [...this.#held].filter(({ renewAt }) => renewAt <= now);
    const released = this.#released.splice(0);
    const pauseMs = this.#pauseMs;
    this.#pauseMs = 0;
    if (requested.length + released.length + renewed.length === 0) return;
    const gapMs = Math.max(0, ...requested.map((waiting) => waiting.gapMs));
    try {
      const answer = await store.sync({
        ...{ host: this.host, pauseMs, gapMs },
        released: released.map(({ id }) => id),
        renewed: renewed.map(({ id }) => id),
        ids: requested.map(({ id }) => id),
        resumed: requested.filter(({ isResumed }) => isResumed).length,
      });
      for (const lease of renewed) lease.renewAt = now + leaseMs / 3;
      // A pause shorter than the longest wait still grants permits, with a later start.
      const isOpen = answer.startMs <= 0 && !answer.hasQueue && this.#pauseMs === 0;
      this.#reuseUntil = isOpen ? performance.now() + REUSE_MS : 0;
      this.#decide(requested, gapMs, answer);
    } catch (error) {
      this.#released.push(...released);
      this.#pauseMs = Math.max(this.#pauseMs, pauseMs);
      if (!isDatabaseUnavailable(error) && !isSerializationFailure(error)) {
        logger.error('host_permit_sync_failed', { host: this.host, error });
        this.#waiting = this.#waiting.filter((waiting) => !requested.includes(waiting));
        for (const waiting of requested) waiting.reject(error);
      }
      // While the database is unavailable, pages keep waiting: no other work could be stored
      // either.
      await new Promise((resolve) => setTimeout(resolve, DATABASE_PAUSE_MS));
    }
  }

  #decide(requested: Waiting[], gapMs: number, answer: HostAnswer): void {
    const { leaseMs, maxWaitMs } = this.options;
    const now = performance.now();
    for (const [place, waiting] of requested.entries()) {
      // During the statement it may have been aborted, or served with a reused permit.
      const isServed = waiting.isAborted || waiting.lease !== undefined;
      if (place < answer.granted) {
        const lease = { id: waiting.id, renewAt: now + leaseMs / 3 };
        if (isServed) this.#released.push(lease);
        else this.#grant(waiting, lease, answer.startMs + place * gapMs);
      } else if (
        !isServed &&
        (answer.closedMs > maxWaitMs || waiting.giveUpAt <= now || (answer.hasQueue && !waiting.isResumed))
      ) {
        void this.#sendToQueue(waiting, gapMs, answer.closedMs);
      }
    }
  }

  #grant(waiting: Waiting, lease: Lease, startMs: number): void {
    this.#forget(waiting);
    waiting.lease = lease;
    this.#held.add(lease);
    const start = () =>
      waiting.resolve({ kind: 'granted', release: (pauseMs = 0) => this.#release(lease, pauseMs) });
    // Rounded up, because a timer may fire early: the gap must not be shorter than requested.
    if (startMs > 0) setTimeout(start, Math.ceil(startMs) + 1);
    else start();
  }

  async #sendToQueue(waiting: Waiting, gapMs: number, closedMs: number): Promise<void> {
    this.#forget(waiting);
    const ms = await this.options.store.joinQueue(this.host, gapMs).catch(() => closedMs);
    waiting.resolve({ kind: 'wait', ms: Math.max(ms, this.options.maxWaitMs) });
  }

  #planNext(): void {
    const noted = this.#syncAt;
    this.#syncAt = Number.POSITIVE_INFINITY;
    if (noted < Number.POSITIVE_INFINITY) {
      this.#syncIn(Math.max(0, noted - performance.now()));
    } else if (this.#waiting.length > 0) {
      this.#syncIn(POLL_MS * (0.5 + Math.random()));
    } else if (this.#released.length > 0) {
      this.#syncIn(LINGER_MS);
    } else if (this.#held.size > 0) {
      const renewAt = Math.min(...[...this.#held].map((lease) => lease.renewAt));
      this.#syncIn(Math.max(0, renewAt - performance.now()));
    } else {
      this.options.onIdle();
    }
  }
}
