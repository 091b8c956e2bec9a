/**
 * Waits for a state: polls until `condition` returns a truthy value, and resolves to that. A
 * condition that throws is not met yet.
 *
 * @throws after `timeoutMs` (default 40 s), naming `what` and the last value seen
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  {
    timeoutMs = 40_000,
    what = 'the condition',
    everyMs = 25,
  }: { timeoutMs?: number; what?: string; everyMs?: number } = {},
): Promise<Exclude<T, false | null | undefined | 0 | ''>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    let seen: unknown;
    try {
      const result = await condition();
      if (result) return result as Exclude<T, false | null | undefined | 0 | ''>;
      seen = result;
    } catch (error) {
      seen = error;
    }
    if (Date.now() > deadline) {
      throw new Error(`waited ${timeoutMs} ms for ${what}; last seen: ${seen}`, { cause: seen });
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
