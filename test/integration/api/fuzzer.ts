import {
  GOOD_BODIES,
  METHODS,
  NAMES,
  NASTY_HEADERS,
  NASTY_NUMBERS,
  NASTY_SEGMENTS,
  NASTY_TEXTS,
  QUERY_NAMES,
  QUERY_VALUES,
  ROUTES,
} from './fuzz-inputs.ts';

/** Requests that no client would send, the same for the same seed. */
export function createFuzzer(seed: number, known: { key: string; ids: string[]; codes: string[] }) {
  const random = createRandom(seed);
  const below = (count: number): number => Math.floor(random() * count);
  const pick = <T>(items: readonly T[]): T => items[below(items.length)] as T;
  const chance = (probability: number): boolean => random() < probability;

  const scalar = (): unknown =>
    pick<() => unknown>([
      () => pick(NASTY_TEXTS),
      () => pick(NASTY_NUMBERS),
      () => pick([null, true, false, '', [], {}, 0]),
      () => pick(known.ids),
      () =>
        pick([
          'https://example.com/',
          'http://127.0.0.1/',
          '2026-01-31T12:00:00Z',
          'a.b > c',
          'DE',
          'job.failed',
        ]),
    ])();
  const value = (depth: number): unknown => {
    if (depth === 0 || chance(0.6)) return scalar();
    const count = below(4);
    return chance(0.5)
      ? Array.from({ length: count }, () => value(depth - 1))
      : Object.fromEntries(Array.from({ length: count }, () => [pick(NAMES), value(depth - 1)]));
  };
  const body = (): string => {
    if (chance(0.1))
      return pick(['', '{', '[]', 'null', '"x"', '\ufeff{}', '{"a":1,"a":2}', '[[[[', '{"urls":[1e999]}']);
    const fields = Object.fromEntries(Array.from({ length: 1 + below(4) }, () => [pick(NAMES), value(3)]));
    const base = chance(0.5) ? pick(GOOD_BODIES) : {};
    return latin1(JSON.stringify({ ...base, ...fields }));
  };
  const segment = (): string => pick([...known.ids, ...known.codes, ...NASTY_SEGMENTS]);
  const path = (): string => {
    const parts = pick(ROUTES)
      .split('/')
      .map((part) =>
        part.startsWith(':') ? (chance(0.6) ? pick([...known.ids, ...known.codes]) : segment()) : part,
      )
      .map((part) => (chance(0.03) ? segment() : part));
    const joined = parts.join(chance(0.03) ? '//' : '/');
    return `${chance(0.03) ? 'http://a' : ''}${joined}${chance(0.05) ? '/' : ''}`;
  };
  const query = (): string => {
    if (chance(0.5)) return '';
    const pairs = Array.from({ length: 1 + below(3) }, () => {
      const name = pick(QUERY_NAMES);
      return `${name}=${chance(0.5) ? pick(QUERY_VALUES) : encodeURIComponent(String(pick(NASTY_NUMBERS)))}`;
    });
    return `?${pairs.join('&')}`;
  };

  return {
    /** Requests so far. */
    made: 0,
    next(): { method: string; text: string } {
      this.made += 1;
      // Sound but for its headers, so that some requests get as far as being accepted.
      const isSound = chance(0.04);
      const method = isSound ? 'POST' : pick(METHODS);
      const target = isSound
        ? '/api/v1/jobs/scrape'
        : chance(0.02)
          ? pick(['*', '/', '//', '/%', '/?', '/\x80\xff', `/${'x'.repeat(9000)}`])
          : path() + query();
      const headers = ['Host: a', 'Connection: close'];
      if (chance(0.9))
        headers.push(chance(0.5) ? `Authorization: Bearer ${known.key}` : `X-API-Key: ${known.key}`);
      for (let left = below(3); left > 0; left -= 1) headers.push(pick(NASTY_HEADERS));
      let content = '';
      if (method !== 'GET' && method !== 'HEAD' && chance(0.9)) {
        content = isSound ? JSON.stringify(GOOD_BODIES[0]) : body();
        headers.push(
          `Content-Type: ${chance(0.95) ? 'application/json' : pick(['text/plain', 'application/json; charset=latin1', ''])}`,
        );
        headers.push(`Content-Length: ${content.length}`);
      }
      return {
        method,
        text: `${[`${method} ${target} HTTP/1.1`, ...headers].join('\r\n')}\r\n\r\n${content}`,
      };
    },
  };
}

/** mulberry32. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Bytes as sent, one character each. */
const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
