/**
 * Group commit: calls that arrive during a run share the next one. On an idle system no call waits;
 * a busy one runs one statement instead of dozens.
 *
 * @param run gets the items of several calls, returns their results in the same order; a rejection
 *   reaches each caller
 * @param limits `maxItems` per run; `maxRuns` at the same time
 */
export function createBatcher<Item, Result>(
  run: (items: Item[]) => Promise<Result[]>,
  limits: { maxItems: number; maxRuns: number },
): (item: Item) => Promise<Result> {
  type Waiting = { item: Item; resolve(result: Result): void; reject(error: unknown): void };
  let waiting: Waiting[] = [];
  let running = 0;
  let scheduled = false;

  const flush = () => {
    scheduled = false;
    while (waiting.length > 0 && running < limits.maxRuns) {
      const batch = waiting.slice(0, limits.maxItems);
      waiting = waiting.slice(limits.maxItems);
      running += 1;
      void settleBatch(batch).finally(() => {
        running -= 1;
        schedule();
      });
    }
  };
  // setImmediate, so that all calls of one event-loop tick go into one run.
  const schedule = () => {
    if (scheduled || waiting.length === 0 || running >= limits.maxRuns) return;
    scheduled = true;
    setImmediate(flush);
  };
  const settleBatch = async (batch: Waiting[]) => {
    try {
      const results = await run(batch.map(({ item }) => item));
      if (results.length !== batch.length) throw new Error('a batch must return one result per item');
      for (const [index, { resolve }] of batch.entries()) resolve(results[index] as Result);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  };

  return (item) =>
    new Promise<Result>((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      schedule();
    });
}
