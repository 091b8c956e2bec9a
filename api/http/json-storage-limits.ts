/** Levels of arrays and objects; what reads JSON recursively (JSON.stringify, Postgres) gives up at some thousands. */
const MAX_DEPTH = 100;

/** Where a JSON value cannot be kept, and why. */
export interface StorageProblem {
  path: PropertyKey[];
  message: string;
}

/**
 * Finds what Postgres cannot keep in a JSON value: NUL characters, halves of surrogate pairs, and nesting without end. Free
 * fields such as `metadata` hold whatever a client sends; one such value would break statements that serve other users too.
 */
export function storageProblem(value: unknown): StorageProblem | null {
  const open: { value: unknown; path: PropertyKey[] }[] = [{ value, path: [] }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { value: current, path } = next;
    if (typeof current === 'string' && !isStorableText(current)) {
      return { path, message: 'expected text without NUL characters and unpaired surrogates' };
    }
    if (current === null || typeof current !== 'object') continue;
    if (path.length >= MAX_DEPTH) {
      return { path: path.slice(0, 10), message: `expected at most ${MAX_DEPTH} levels of nesting` };
    }
    for (const [name, item] of Object.entries(current)) {
      if (!isStorableText(name)) return { path, message: 'expected field names without NUL characters' };
      // Postgres would keep it; zod drops it from a record without a word, and what is kept must be what was sent.
      if (name === '__proto__')
        return { path: [...path, name], message: 'expected another name than __proto__' };
      open.push({ value: item, path: [...path, name] });
    }
  }
  return null;
}

const isStorableText = (text: string): boolean => text.isWellFormed() && !text.includes('\0');
