/**
 * The end of a page: timeout, abort of its job, or crash of its browser, whichever comes first. All
 * calls for the page are awaited through `race`, because a hostile page can block any browser call
 * for ever.
 */
export class Deadline {
  readonly #endsAt: number;
  readonly #timer: NodeJS.Timeout;
  readonly #ended: Promise<never>;
  readonly #controller = new AbortController();
  readonly #signal: AbortSignal;
  readonly #onAbort = () => this.end(this.#signal.reason);

  /** @param timeUp creates the error for the timeout */
  constructor(ms: number, signal: AbortSignal, timeUp: () => Error) {
    this.#signal = signal;
    this.#endsAt = Date.now() + ms;
    this.#ended = new Promise((_, reject) => {
      this.signal.addEventListener('abort', () => reject(this.signal.reason), { once: true });
    });
    // It may end while nothing awaits it.
    this.#ended.catch(() => {});
    this.#timer = setTimeout(() => this.end(timeUp()), ms);
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  remainingMs(): number {
    return Math.max(0, this.#endsAt - Date.now());
  }

  /** Ends it early; `race` throws this reason from now on. */
  end(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** Fires at the end, for work that can be aborted. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  async race<T>(promise: Promise<T>): Promise<T> {
    // The loser may reject later, without a listener.
    promise.catch(() => {});
    return await Promise.race([this.#ended, promise]);
  }

  /** Waits, at most until the end. */
  async sleep(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const slept = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    try {
      await this.race(slept);
    } finally {
      clearTimeout(timer);
    }
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this.#onAbort);
  }
}

/** Whether the promise resolved within the time. */
export async function resolvesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const resolved = promise.then(
    () => true as const,
    () => false as const,
  );
  try {
    return await Promise.race([resolved, late]);
  } finally {
    clearTimeout(timer);
  }
}
