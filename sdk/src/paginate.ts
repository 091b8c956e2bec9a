/** One answer of a list. */
export interface Part<T> {
  items: T[];
  next_cursor: string | null;
}

/** Every item of a list, one request per part, when they are wanted. */
export async function* paginate<T>(
  read: (cursor: string | undefined) => Promise<Part<T>>,
): AsyncGenerator<T, void, undefined> {
  let cursor: string | undefined;
  do {
    const part = await read(cursor);
    yield* part.items;
    cursor = part.next_cursor ?? undefined;
  } while (cursor !== undefined);
}

/**
 * Every item of a list that grows, until it is complete (`next_cursor` null).
 *
 * @param idle waits until there may be more; `rounds` is how often in a row there was nothing
 */
export async function* follow<T>(
  read: (cursor: string | undefined) => Promise<Part<T>>,
  idle: (rounds: number) => Promise<void>,
): AsyncGenerator<T, void, undefined> {
  let cursor: string | undefined;
  for (let rounds = 0; ; ) {
    const part = await read(cursor);
    yield* part.items;
    if (part.next_cursor === null) return;
    cursor = part.next_cursor;
    rounds = part.items.length > 0 ? 0 : rounds + 1;
    if (rounds > 0) await idle(rounds);
  }
}
