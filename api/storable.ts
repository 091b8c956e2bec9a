import type { FieldError } from './problem.ts';

/** Far beyond what anybody nests by hand, far below where JSON.stringify and Postgres run out of stack. */
const MAX_DEPTH = 100;

/** NUL, and half of a surrogate pair: JSON can spell both, Postgres can store neither. */
const UNSTORABLE = /[\0\p{Surrogate}]/u;

/**
 * Finds what JSON allows and the database does not. One poisoned spec would otherwise fail in the dispatcher's statement
 * long after its 202. Walks with a stack of its own: 100 KB are enough to nest 50,000 deep.
 */
export function findUnstorable(body: unknown): FieldError | null {
  const open: { value: unknown; depth: number; parent: Place | null }[] = [
    { value: body, depth: 0, parent: null },
  ];
  for (let next = open.pop(); next; next = open.pop()) {
    const { value, depth, parent } = next;
    if (typeof value === 'string') {
      if (UNSTORABLE.test(value)) return problem(parent, 'expected text without NUL and lone surrogates');
    } else if (typeof value === 'object' && value !== null) {
      if (depth >= MAX_DEPTH) return problem(parent, `expected at most ${MAX_DEPTH} levels`);
      for (const key of Object.keys(value)) {
        const place = { key, parent };
        const child = (value as Record<string, unknown>)[key];
        if (UNSTORABLE.test(key)) return problem(parent, 'expected names without NUL and lone surrogates');
        if (key === '__proto__') return problem(place, 'expected another name than __proto__');
        open.push({ value: child, depth: depth + 1, parent: place });
      }
    }
  }
  return null;
}

interface Place {
  key: string;
  parent: Place | null;
}

const problem = (place: Place | null, message: string): FieldError => ({ path: pathOf(place), message });

/** The beginning is enough to find it. */
const MAX_PATH = 10;

function pathOf(place: Place | null): string {
  const keys: string[] = [];
  for (let at = place; at; at = at.parent) keys.push(at.key);
  return keys.reverse().slice(0, MAX_PATH).join('.');
}
