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

const METHODS = [
  'GET',
  'GET',
  'GET',
  'POST',
  'POST',
  'PATCH',
  'DELETE',
  'HEAD',
  'PUT',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'QUERY',
];

const ROUTES = [
  ...[
    '/api/v1/jobs',
    '/api/v1/jobs/scrape',
    '/api/v1/jobs/batch',
    '/api/v1/jobs/map',
    '/api/v1/jobs/cancel',
    '/jobs/scrape',
  ],
  ...['/api/v1/jobs/:id', '/api/v1/jobs/:id/cancel', '/api/v1/jobs/:id/retry', '/api/v1/jobs/:id/pages'],
  ...[
    '/api/v1/jobs/:id/urls',
    '/api/v1/jobs/:id/leads',
    '/api/v1/jobs/:id/events',
    '/api/v1/jobs/:id/artifacts/:n/:name',
  ],
  ...['/api/v1/leads', '/api/v1/events', '/api/v1/live', '/api/v1/stats', '/api/v1/workers', '/api/v1/queue'],
  ...[
    '/api/v1/dead-letters',
    '/api/v1/dead-letters/requeue',
    '/api/v1/dead-letters/:id',
    '/api/v1/dead-letters/:id/requeue',
  ],
  ...[
    '/api/v1/users',
    '/api/v1/keys',
    '/api/v1/keys/:id',
    '/api/v1/links',
    '/api/v1/links/:code',
    '/api/v1/links/:code/qr',
  ],
  ...[
    '/api/v1/links/:code/stats',
    '/api/v1/subscriptions',
    '/api/v1/subscriptions/:id',
    '/api/v1/notifications',
  ],
  ...[
    '/api/v1/notifications/:id',
    '/api/v1/notifications/:id/read',
    '/api/v1/notifications/read',
    '/api/v1/push/public-key',
  ],
  ...[
    '/api/v1/webhooks',
    '/api/v1/webhooks/:id',
    '/api/v1/webhooks/:id/secret',
    '/api/v1/webhooks/:id/rotate-secret',
  ],
  ...[
    '/api/v1/webhooks/:id/deliveries',
    '/api/v1/webhooks/:id/deliveries/:id/redeliver',
    '/unsubscribe/:token',
  ],
  ...[
    '/share/:code',
    '/share/:code/:file',
    '/r/:code',
    '/r/:code+',
    '/health/live',
    '/health/ready',
    '/health/rabbitmq',
    '/metrics',
  ],
];

const NASTY_SEGMENTS = [
  ...[
    '%00',
    'a%00b',
    '%',
    '%zz',
    '%ff',
    '%ed%a0%80',
    '%C0%80',
    '%2e%2e',
    '..',
    '.',
    '%2F',
    '%5C',
    '__proto__',
    'constructor',
  ],
  ...[
    'toString',
    'hasOwnProperty',
    'leads.csv',
    'pages.json',
    'null',
    'undefined',
    'NaN',
    '-1',
    '0',
    '999999999999999999999',
  ],
  ...[
    '\xd9\xa1\xd9\xa2',
    '%F0%9F%92%A9',
    "'",
    '"',
    ';',
    "1'--",
    '{}',
    '[]',
    '*',
    '+',
    '%20',
    '%0d%0a',
    '%E2%80%AE',
    'a'.repeat(5000),
  ],
  ...[
    '00000000-0000-0000-0000-000000000000',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
    '00000000-0000-0000-0000-00000000000g',
    '',
  ],
];

const QUERY_NAMES = [
  ...[
    'limit',
    'limit',
    'cursor',
    'cursor',
    'status',
    'format',

    'q',
    'domain',
    'country',
    'source',
    'has_email',
    'after',
  ],
  ...[
    'last_event_id',
    'type',
    'from',
    'to',
    'interval',
    'all',
    'tz',
    'size',
    'unread',
    'code',
    'user_id',
    'created_after',
    'sort',
  ],
  ...[
    'created_before',
    'fields',
    'metadata.a',
    'metadata.',
    'metadata',
    'limit[]',
    'limit[a]',
    '__proto__',
    'constructor',
    '',
    '%00',
    'x',
  ],
];

const QUERY_VALUES = [
  ...[
    '',
    '1',
    '10',
    '-1',
    '1.5',
    '1e3',
    '0x10',
    '%00',
    '%ED%A0%80',
    '%D9%A1',
    '%EF%BC%91',
    'NaN',
    'Infinity',
    'true',
    'null',
    '%',
  ],
  ...[
    '2026-01-01',
    '2026-02-30',
    '275760-09-13',
    '+275760-09-13T00:00:00Z',
    '-000001-01-01T00:00:00Z',
    '0000-01-01T00:00:00Z',
  ],
  ...[
    '9999-12-31T23:59:59Z',
    '2026-01-01T00:00:00%2B99:99',
    '1-1',
    '7421-93',
    '18446744073709551615-9223372036854775807',
  ],
  ...[
    '99999999999999999999-1',
    '1767225600123456.0198c0de-0000-7000-8000-000000000000',
    '99999999999999999.0198c0de-0000-7000-8000-000000000000',
  ],
  ...[
    'zzzzzzzzzzzz',
    'zzzzzzzzzzzz-zzzzzzzzzzzz',
    '1y2p0ij32e8e7',
    '999999999',
    'queued',
    'queued,failed',
    'json',
    'ndjson',
    'csv',
    'xlsx',
    'sse',
  ],
  ...[
    'hour',
    'day',
    'Europe/Berlin',
    'Mars/Phobos',
    'created_at',
    '-created_at',
    'job_id,status',
    'spec',
    'x'.repeat(600),
    '%22',
    "'",
    '%5B%5D',
  ],
];

const NASTY_TEXTS = [
  ...[
    '',
    ' ',
    '\0',
    'a\0b',
    '\ud800',
    '\udc00',
    '\u202e',
    '\ufeff',
    '💩',
    'x'.repeat(9000),
    ' '.repeat(9000),
    '1'.repeat(9000),
  ],
  ...[
    '1,'.repeat(4000),
    `1${' '.repeat(9000)}x`,
    'a@'.repeat(3000),
    '('.repeat(900),
    '*'.repeat(900),
    '%'.repeat(900),
    '../'.repeat(300),
  ],
  ...[
    '__proto__',
    "'; DROP TABLE jobs; --",
    '$1',
    '{{7*7}}',
    'http://',
    'http://[',
    'http://a:99999/',
    'javascript:alert(1)',
    '0000-00-00T00:00:00Z',
  ],
  ...[
    '275760-09-13T00:00:00Z',
    '-1',
    'NaN',
    '50-',
    '>1M',
    'de-DE-x-',
    'Europe/Nowhere',
    '\u0661\u0662',
    'a\r\nb: c',
    'xn--a',
    '*://*/*',
    '[',
    'a:has(',
    '::',
  ],
];

const NASTY_NUMBERS = [
  0,
  -0,
  -1,
  1,
  1.5,
  9,
  10,
  1e9,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 63),
  1e21,
  1e308,
  5e-324,
  999_999_999,
  1_000_000_000,
];

const NAMES = [
  ...[
    'urls',
    'url',
    'industry',
    'geography',
    'keywords',
    'source_types',
    'search_query',
    'filters',
    'formats',
    'main_content',
    'extract',
  ],
  ...[
    'render',
    'crawl',
    'actions',
    'headers',
    'cookies',
    'viewport',
    'locale',
    'timezone',
    'mobile',
    'proxy',
    'timeout_ms',
    'max_leads',
  ],
  ...[
    'priority',
    'run_at',
    'max_attempts',
    'webhook_url',
    'metadata',
    'jobs',
    'limit',
    'include',
    'exclude',
    'same_origin',
    'search',
    'code',
  ],
  ...[
    'expires_at',
    'job_id',
    'lead_id',
    'share',
    'email',
    'name',
    'user_id',
    'events',
    'filter',
    'channel',
    'target',
    'active',
    'description',
  ],
  ...[
    'paused',
    'old_valid_until',
    'created_after',
    'created_before',
    'selector',
    'type',
    'many',
    'fields',
    'country',
    'company_size',
  ],
  ...[
    'exclude_domains',
    'status',
    '__proto__',
    'constructor',
    '',
    'a\0',
    'toString',
    'x'.repeat(300),
    '$',
    'a.b',
  ],
];

const GOOD_BODIES = [
  { urls: ['https://example.com/'] },
  { url: 'https://example.com/' },
  { jobs: [{ urls: ['https://example.com/'] }] },
  { name: 'a' },
  { share: false, url: 'https://example.com/' },
  { events: ['job.failed'], channel: 'in_app' },
  { email: 'a@example.com', name: 'a' },
];

const NASTY_HEADERS = [
  ...[
    'Accept: */*',
    'Accept: application/x-ndjson',
    'Accept: text/csv;q=0.1, x/y',
    `Accept: ${'a/b,'.repeat(900)}`,
    'Accept: \x00\xff'.replace('\0', ''),
  ],
  ...[
    'Accept-Encoding: gzip',
    'Accept-Encoding: br;q=9, *;q=0',
    'If-None-Match: *',
    'If-None-Match: W/"',
    'Last-Event-ID: 1-1',
    'Last-Event-ID: x',
  ],
  ...[
    'Idempotency-Key: a',
    'Idempotency-Key: b',
    'Idempotency-Key:',
    `Idempotency-Key: ${'k'.repeat(300)}`,
    'Idempotency-Key: \xe9',
    'X-Request-Id: \xff',
  ],
  ...[
    'X-Forwarded-For: 1.2.3.4:5, [::1]',
    'X-Forwarded-For: ,,,',
    'Forwarded: for=";;;',
    'Forwarded: for="[::',
    'Origin: null',
    'Upgrade: h2c',
  ],
  ...[
    'Range: bytes=0-',
    'Expect: 100-continue',
    'Content-Encoding: gzip',
    'Authorization: Basic x',
    'X-API-Key: \xe9',
    'Cookie: a=b',
    'Referer: \xff',
  ],
];
