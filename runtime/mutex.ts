export type Mutex = <T>(work: () => Promise<T>) => Promise<T>;

/** Runs pieces of work one at a time, in order. A rejection does not stop the next one. */
export function createMutex(): Mutex {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => {});
    return mine;
  };
}
