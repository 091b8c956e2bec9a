export type Mutex = <T>(work: () => Promise<T>) => Promise<T>;

/** Runs what it is given one after the other, in order; work that rejects does not hold up the next. */
export function createMutex(): Mutex {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => {});
    return mine;
  };
}
