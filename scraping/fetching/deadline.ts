/**
 * The end of a page: its time is up, its job was aborted, or its browser died, whichever comes first. Everything awaited for
 * the page is awaited through `race`, because a hostile page can keep any call to the browser from ever coming back.
 */
export class Deadline {
  readonly #endsAt: number;
  readonly #timer: NodeJS.Timeout;
  readonly #ended: Promise<never>;
  readonly #controller = new AbortController();
  readonly #signal: AbortSignal;
  readonly #onAbort = () => this.end(this.#signal.reason);

  /** @param timeUp makes the error thrown when the time is up */
  constructor(ms: number, signal: AbortSignal, timeUp: () => Error) {
    this.#signal = signal;
    this.#endsAt = Date.now() + ms;
    this.#ended = new Promise((_, reject) => {
      this.signal.addEventListener('abort', () => reject(this.signal.reason), { once: true });
    });
    // Nobody may be waiting at the moment it ends.
    this.#ended.catch(() => {});
    this.#timer = setTimeout(() => this.end(timeUp()), ms);
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  remainingMs(): number {
    return Math.max(0, this.#endsAt - Date.now());
  }

  /** Ends it before its time, with the reason that `race` throws from now on. */
  end(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** Fires at the end, for work that can be stopped. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  async race<T>(promise: Promise<T>): Promise<T> {
    // The loser may fail later, when nobody listens.
    promise.catch(() => {});
    return await Promise.race([this.#ended, promise]);
  }

  /** Waits, but never beyond the end. */
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
