export type Glob = (url: string) => boolean;

/**
 * A pattern as users write it: `*` is anything within a part of the path, `**` anything at all.
 * - `/docs/**` fits the path; with a `?` in it, path and query.
 * - `https://example.com/docs/**` fits the whole address.
 * - `*-draft` without a slash fits any one part of the path.
 */
export function compileGlob(pattern: string): Glob {
  if (/^[a-z*]*:\/\//i.test(pattern)) return matcherOf(pattern);
  if (!pattern.includes('/')) {
    const fits = matcherOf(pattern);
    return (url) => decoded(new URL(url).pathname).split('/').some(fits);
  }
  const fits = matcherOf(pattern.startsWith('/') || pattern.startsWith('*') ? pattern : `/${pattern}`);
  const withQuery = pattern.includes('?');
  return (url) => {
    const { pathname, search } = new URL(url);
    return fits(decoded(pathname) + (withQuery ? search : ''));
  };
}

/**
 * Whether a text fits the whole pattern, in time proportional to the text's length and, 32 characters at a time, the pattern's. Not
 * by a regular expression: fourteen `*a` in one took longer than anybody lives.
 *
 * Reads the text once and keeps in a set of bits all places of the pattern that it may have led to (the Shift-And way of running an
 * automaton without choosing). A place is the number of the pattern's letters that are behind it.
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

/** One character further; false where it leads nowhere. All are of one length. */
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
  /** By character, the places from which it leads one further. */
  masks: Map<number, Int32Array>;
  /** Places at which a character changes nothing: any but a slash, and any. */
  partLoops: Int32Array;
  anyLoops: Int32Array;
  /** Who comes to one of these places may as well be one further. */
  skips: Int32Array;
  accepts: Int32Array;
  /** Words of 32 bits. */
  size: number;
}

function compile(written: string): Compiled {
  const pattern = written
    .replace(/\*{2,}/g, '**')
    // Folders of any number, twice, are folders of any number.
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
  // Nothing, or anything up to a slash: what two stars before a slash mean, at the beginning or behind another slash.
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
      // `/docs/**` fits `/docs` too.
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
  // What takes any character takes any but a slash.
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
