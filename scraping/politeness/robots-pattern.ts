/**
 * Whether a path matches a robots.txt pattern: `*` is any run of characters, `$` at the end is the
 * end; without it the pattern is a prefix.
 *
 * The parts between stars are searched from left to right, each at its first occurrence: a later
 * one would only leave less for the rest. So there is no backtracking; time is linear in both
 * lengths.
 */
export function matches(path: string, pattern: string): boolean {
  const isWhole = pattern.endsWith('$');
  const end = isWhole ? pattern.length - 1 : pattern.length;
  let star = pattern.indexOf('*');
  if (star < 0) return isWhole ? path === pattern.slice(0, end) : path.startsWith(pattern);
  if (!path.startsWith(pattern.slice(0, star))) return false;
  let at = star;
  for (;;) {
    const from = star + 1;
    star = pattern.indexOf('*', from);
    if (star < 0) {
      const last = pattern.slice(from, end);
      if (isWhole) return path.length - last.length >= at && path.endsWith(last);
      return find(path, last, at) >= 0;
    }
    const part = pattern.slice(from, star);
    const found = find(path, part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
}

/** The literal prefix of every matching path. */
export function prefixOf(pattern: string): string {
  const star = pattern.indexOf('*');
  return star < 0 ? pattern : pattern.slice(0, star);
}

/** Up to this length `indexOf` is fast in any case. */
const SHORT = 8;

/** `indexOf` may take the product of both lengths; this takes their sum (Knuth, Morris, Pratt). */
function find(text: string, part: string, from: number): number {
  if (part.length > text.length - from) return -1;
  if (part.length <= SHORT) return text.indexOf(part, from);
  const borders = bordersOf(part);
  let fitting = 0;
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    while (fitting > 0 && part.charCodeAt(fitting) !== code) fitting = borders[fitting - 1] ?? 0;
    if (part.charCodeAt(fitting) === code) fitting += 1;
    if (fitting === part.length) return at - part.length + 1;
  }
  return -1;
}

/** Per index, the length of the longest proper prefix of the text that also ends there. */
function bordersOf(text: string): Int32Array {
  const borders = new Int32Array(text.length);
  let length = 0;
  for (let at = 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    while (length > 0 && text.charCodeAt(length) !== code) length = borders[length - 1] ?? 0;
    if (text.charCodeAt(length) === code) length += 1;
    borders[at] = length;
  }
  return borders;
}
