/** A process of the bench answers calls over IPC; `child.ts` is the other end. */
export function serve(calls: Record<string, (args: never) => unknown>): void {
  process.on('message', async ({ id, name, args }: { id: number; name: string; args: never }) => {
    try {
      const result = await calls[name]?.(args);
      process.send?.({ id, result });
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? error.stack : String(error) });
    }
  });
}

/** Reports to the bench when a job starts. */
export const begun = (key: string, at: number): void => void process.send?.({ event: 'begun', key, at });
