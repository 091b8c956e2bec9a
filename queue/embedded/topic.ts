/**
 * A topic pattern as a regular expression over `routing key + '.'`, in the dialect that JavaScript
 * and Postgres share: `*` is one word, `#` any number of words including none. The trailing dot
 * ends every word alike, so `a.#` needs no special case.
 */
export function topicExpression(pattern: string): string {
  const words = pattern.split('.').map((word) => {
    if (word === '#') return '(?:[^.]*\\.)*';
    if (word === '*') return '[^.]*\\.';
    return `${literal(word)}\\.`;
  });
  return `^${words.join('')}$`;
}

/** A direct exchange compares whole keys; `*` and `#` are literal. */
export const directExpression = (key: string): string => `^${literal(key)}\\.$`;

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
