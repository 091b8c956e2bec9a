import { parseUrl } from '../../core/parse-url.ts';

export type Glob = (url: string) => boolean;

/**
 * Compiles a user's pattern: `*` matches within a path segment, `**` across segments.
 * - `/docs/**` is matched with the path; with a `?` in it, with path and query.
 * - `https://example.com/docs/**` is matched with the whole URL.
 * - `*-draft` without a slash is matched with each path segment.
 */
export function compileGlob(pattern: string): Glob {
  const whole = /^([a-z*]*:\/\/[^/?#]*)(.*)$/is.exec(pattern);
  if (whole) {
    const [, origin = '', rest = ''] = whole;
    // URLs have a path; `**` at the end of the host stands for one too.
    const path = rest.startsWith('/') || origin.endsWith('**') ? rest : `/${rest}`;
    const fits = matcherOf(originAsInUrls(origin) + path);
    return (url) => fits(decoded(url));
  }
  if (!pattern.includes('/')) {
    const fits = matcherOf(pattern);
    return (url) => decoded(new URL(url).pathname).split('/').some(fits);
  }
  const fits = matcherOf(pattern.startsWith('/') || pattern.startsWith('*') ? pattern : `/${pattern}`);
  const withQuery = pattern.includes('?');
  return (url) => {
    const { pathname, search } = new URL(url);
    return fits(decoded(pathname) + (withQuery ? decoded(search) : ''));
  };
}

/** URLs have their host in lower case and Punycode, and no default port. */
function originAsInUrls(origin: string): string {
  return origin.includes('*') ? origin.toLowerCase() : (parseUrl(origin)?.origin ?? origin);
}

/**
 * Matches a text with the whole pattern, in time proportional to the text's length times the
 * pattern's divided by 32. Not a regular expression: fourteen `*a` in one backtrack practically for
 * ever.
 *
 * Simulates a nondeterministic automaton with a bit set of states (Shift-And). A state is the
 * number of pattern characters matched so far.
 */
function matcherOf(pattern: string): (text: string) => boolean {
  const { masks, partLoops, anyLoops, skips, accepts, size } = compile(decoded(pattern));
  const none = new Int32Array(size);
  return (text) => {
    let places = new Int32Array(size);
    let next = new Int32Array(size);
    places[0] = 1 | ((skips[0] ?? 0) & 1 ? 2 : 0);
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (!step(places, next, masks.get(code) ?? none, code === SLASH ? anyLoops : partLoops, skips)) {
        return false;
      }
      [places, next] = [next, places];
    }
    return places.some((word, place) => (word & (accepts[place] ?? 0)) !== 0);
  };
}

/** Consumes one character; false if no state is left. All arrays have the same length. */
function step(
  places: Int32Array,
  next: Int32Array,
  mask: Int32Array,
  loops: Int32Array,
  skips: Int32Array,
): boolean {
  let carried = 0;
  let carriedSkip = 0;
  let any = 0;
  for (let word = 0; word < places.length; word += 1) {
    const here = places[word] as number;
    const steps = here & (mask[word] as number);
    const entered = (steps << 1) | carried;
    const skipped = entered & (skips[word] as number);
    const all = entered | (here & (loops[word] as number)) | (skipped << 1) | carriedSkip;
    carried = steps >>> 31;
    carriedSkip = skipped >>> 31;
    next[word] = all;
    any |= all;
  }
  return any !== 0;
}

const SLASH = 0x2f;

interface Compiled {
  /** Per character, the states it advances. */
  masks: Map<number, Int32Array>;
  /** States that loop on any character but a slash, and on any character. */
  partLoops: Int32Array;
  anyLoops: Int32Array;
  /** States that may advance without a character. */
  skips: Int32Array;
  accepts: Int32Array;
  /** Number of 32-bit words. */
  size: number;
}

function compile(written: string): Compiled {
  const pattern = written
    .replace(/\*{2,}/g, '**')
    // `/**/**` is the same as `/**`.
    .replace(/\/\*\*(?:\/\*\*)+(?=\/|$)/g, '/**')
    .replace(/^\*\*(?:\/\*\*)+\//, '**/');
  const size = (pattern.length >>> 5) + 1;
  const words = () => new Int32Array(size);
  const compiled = { partLoops: words(), anyLoops: words(), skips: words(), accepts: words() };
  const masks = new Map<number, Int32Array>();
  let place = 0;
  const mark = (bits: Int32Array) => {
    bits[place >>> 5] = (bits[place >>> 5] ?? 0) | (1 << (place & 31));
  };
  const letter = (code: number) => {
    const mask = masks.get(code) ?? words();
    mark(mask);
    masks.set(code, mask);
    place += 1;
  };
  // `**/` at the start or after a slash: nothing, or anything up to a slash.
  const folders = () => {
    mark(compiled.anyLoops);
    mark(compiled.skips);
    letter(SLASH);
  };
  for (let at = 0; at < pattern.length; ) {
    if (at === 0 && pattern.startsWith('**/')) {
      folders();
      at = 3;
    } else if (pattern.startsWith('/**/', at)) {
      letter(SLASH);
      folders();
      at += 4;
    } else if (pattern.startsWith('/**', at) && at + 3 === pattern.length) {
      // `/docs/**` matches `/docs` too.
      mark(compiled.accepts);
      letter(SLASH);
      mark(compiled.anyLoops);
      at += 3;
    } else if (pattern.startsWith('**', at)) {
      mark(compiled.anyLoops);
      at += 2;
    } else if (pattern[at] === '*') {
      mark(compiled.partLoops);
      at += 1;
    } else {
      letter(pattern.charCodeAt(at));
      at += 1;
    }
  }
  mark(compiled.accepts);
  // A loop on any character includes all but a slash.
  for (const [word, bits] of compiled.anyLoops.entries()) {
    compiled.partLoops[word] = (compiled.partLoops[word] ?? 0) | bits;
  }
  return { ...compiled, masks, size };
}

function decoded(text: string): string {
  try {
    return decodeURI(text);
  } catch {
    return text;
  }
}
