/**
 * The promise's outcome, or a rejection with `onLate()` after `ms`. What is late goes on by itself; its later rejection is
 * swallowed, for there is nobody left to tell.
 */
export async function withTimeout<T>(promise: Promise<T>, ms: number, onLate: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(onLate()), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
