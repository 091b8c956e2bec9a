import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { siteKey } from '../../../core/leads/domains.ts';
import type { SourceType } from '../../../core/leads/lead.ts';
import { parseDirectories } from './directories-file.ts';
import { overpassQuery } from './openstreetmap.ts';
import { unwrapRedirect } from './redirectors.ts';
import type { Candidate, LeadQuery, SourceAnswer, SourceContext } from './source.ts';
import { createSourceReader } from './source-reader.ts';
import { createSources, defaultSources, type SourceOptions } from './sources.ts';

/**
 * The contract of every source, on saved pages: each lists the same three practices, over two pages
 * if it has paging.
 */

const saved = (name: string) =>
  readFileSync(join(import.meta.dirname, '../../../test/fixtures/sources', name), 'utf8');

const directories = parseDirectories(
  JSON.stringify({
    directories: [
      {
        name: 'Branchen',
        search_url: 'https://branchen.example/suche?was={industry}&wo={geography}&seite={page}',
        listing: 'li.entry',
        fields: { company: 'h3', website: 'a.web', phone: '.tel', address: '.addr' },
        country: 'DE',
      },
    ],
  }),
  'directories.json',
);

const OPTIONS: SourceOptions = {
  googleUrl: 'https://google.example',
  googleApiUrl: 'https://googleapi.example',
  googleApiKey: undefined,
  googleCx: undefined,
  bingUrl: 'https://bing.example',
  duckDuckGoUrl: 'https://ddg.example',
  searxngUrl: 'https://searx.example/searxng',
  overpassUrl: 'https://overpass.example/api/interpreter',
  linkedinUrl: 'https://linkedin.example',
  directories,
};

const QUERY: LeadQuery = {
  text: 'Zahnarzt Berlin',
  industry: 'Zahnarzt',
  geography: 'Berlin, Germany',
  keywords: [],
  country: 'DE',
  urls: ['https://www.zahnarzt-mitte.de/', 'https://praxis-nord.de/', 'https://www.dr-west.de/kontakt'],
  limit: 50,
};

type Reply = string | Partial<SourceAnswer>;
/** Answers by the first pattern that matches the URL. */
type Web = [pattern: RegExp, reply: Reply][];

function context(web: Web, signal = new AbortController().signal): SourceContext & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    signal,
    read: createSourceReader().readFor('website', signal),
    fetch: async (url) => {
      signal.throwIfAborted();
      asked.push(url);
      const reply = web.find(([pattern]) => pattern.test(url))?.[1];
      if (reply === undefined) throw new Error(`nothing is saved for ${url}`);
      return { status: 200, url, body: '', ...(typeof reply === 'string' ? { body: reply } : reply) };
    },
  };
}

async function collect(
  type: SourceType,
  web: Web,
  { query = QUERY, options = OPTIONS, limit = Number.POSITIVE_INFINITY } = {},
) {
  const used = context(web);
  const candidates: Candidate[] = [];
  for await (const candidate of createSources(options)[type].discover(query, used)) {
    candidates.push(candidate);
    if (candidates.length >= limit) break;
  }
  return { candidates, asked: used.asked };
}

const failure = (run: Promise<unknown>) =>
  run.then(
    () => ({ code: 'none', consequence: 'none' }),
    ({ code, consequence }) => ({ code, consequence }),
  );

const withKey = { ...OPTIONS, googleApiKey: 'key', googleCx: 'cx' };

interface Case {
  name: string;
  type: SourceType;
  options?: SourceOptions;
  found: Web;
  none: Web | null;
}

const CASES: Case[] = [
  { name: 'website', type: 'website', found: [], none: null },
  {
    name: 'google, its page',
    type: 'google',
    found: [
      [/start=10/, saved('google/page2.html')],
      [/google\.example\/search\?q=Zahnarzt\+Berlin/, saved('google/page1.html')],
    ],
    none: [[/./, saved('google/none.html')]],
  },
  {
    name: 'google, its API',
    type: 'google',
    options: withKey,
    found: [
      [/start=11/, saved('google/api2.json')],
      [/googleapi\.example\/customsearch\/v1\?key=key&cx=cx&q=Zahnarzt/, saved('google/api1.json')],
    ],
    none: [[/./, saved('google/api-none.json')]],
  },
  {
    name: 'bing',
    type: 'bing',
    found: [
      [/first=11/, saved('bing/page2.html')],
      [/bing\.example\/search\?q=Zahnarzt/, saved('bing/page1.html')],
    ],
    none: [[/./, saved('bing/none.html')]],
  },
  {
    name: 'duckduckgo',
    type: 'duckduckgo',
    found: [
      [/s=10&dc=11/, saved('duckduckgo/page2.html')],
      [/ddg\.example\/html\/\?q=Zahnarzt/, saved('duckduckgo/page1.html')],
    ],
    none: [[/./, saved('duckduckgo/none.html')]],
  },
  {
    name: 'searxng',
    type: 'searxng',
    found: [
      [/pageno=3/, saved('searxng/none.json')],
      [/pageno=2/, saved('searxng/page2.json')],
      [/searx\.example\/searxng\/search\?q=Zahnarzt.*format=json/, saved('searxng/page1.json')],
    ],
    none: [[/./, saved('searxng/none.json')]],
  },
  {
    name: 'linkedin',
    type: 'linkedin',
    options: { ...OPTIONS, searxngUrl: undefined },
    found: [
      [/ddg\.example.*site%3Alinkedin\.com/, saved('linkedin/search.html')],
      [/linkedin\.example\/company\/zahnarzt-mitte$/, saved('linkedin/zahnarzt-mitte.html')],
      [/linkedin\.example\/company\/praxis-nord$/, saved('linkedin/praxis-nord.html')],
      [/linkedin\.example\/company\/dr-west$/, saved('linkedin/dr-west.html')],
    ],
    none: [[/./, saved('duckduckgo/none.html')]],
  },
  {
    name: 'openstreetmap',
    type: 'openstreetmap',
    found: [[/overpass\.example/, saved('openstreetmap/page1.json')]],
    none: [[/./, saved('openstreetmap/none.json')]],
  },
  {
    name: 'directory',
    type: 'directory',
    found: [
      [/seite=1/, saved('directory/page1.html')],
      [/seite=2/, saved('directory/page2.html')],
      [/seite=3/, { status: 404 }],
    ],
    none: [[/./, saved('directory/none.html')]],
  },
];

describe.each(CASES)('the source $name', ({ type, options = OPTIONS, found, none }) => {
  test('yields the sites it lists, each once, without those about many businesses', async () => {
    const { candidates } = await collect(type, found, { options });
    const sites = candidates.flatMap(({ url }) => (url === null ? [] : [siteKey(url)]));
    expect(sites).toEqual(['zahnarzt-mitte.de', 'praxis-nord.de', 'dr-west.de']);
    for (const candidate of candidates) {
      expect(candidate.source).toBe(type);
      for (const observation of candidate.observations) {
        expect(observation).toMatchObject({
          method: expect.stringMatching(/./),
          url: expect.stringMatching(/^https:/),
        });
        expect(observation.value.trim()).toBe(observation.value);
        expect(observation.confidence).toBeGreaterThan(0);
        expect(observation.confidence).toBeLessThanOrEqual(1);
      }
    }
  }, 20_000);

  test('fetches no more than the limit needs', async () => {
    const { candidates, asked } = await collect(type, found, { options, limit: 1 });
    expect(candidates).toHaveLength(1);
    expect(asked.length).toBeLessThanOrEqual(type === 'linkedin' ? 2 : 1);
    const limited = await collect(type, found, { options, query: { ...QUERY, limit: 2 } });
    expect(limited.candidates.length).toBeLessThanOrEqual(type === 'website' ? 3 : 2);
  }, 20_000);

  test('returns if it finds nothing', async () => {
    if (none === null) {
      expect((await collect(type, [], { query: { ...QUERY, urls: [] } })).candidates).toEqual([]);
      return;
    }
    expect((await collect(type, none, { options })).candidates).toEqual([]);
  });

  test('fails with an error code', async () => {
    // It sends no request.
    if (none === null) return expect(collect(type, [])).resolves.toBeDefined();
    const failing = (reply: Partial<SourceAnswer>) => failure(collect(type, [[/./, reply]], { options }));
    expect(await failing({ status: 503 })).toMatchObject({ consequence: 'retryable' });
    expect(await failing({ status: 429, body: '{}' })).toEqual({
      code: 'source_rate_limited',
      consequence: 'retryable',
    });
    if (type !== 'directory') {
      expect(await failing({ body: '<h1>Something else</h1>' })).toEqual({
        code: 'source_unreadable',
        consequence: 'permanent',
      });
    }
  });
});

test.each<[string, SourceType, Web, SourceOptions, string]>([
  ['a consent page', 'google', [[/./, saved('google/consent.html')]], OPTIONS, 'source_consent'],
  [
    'a redirect to consent',
    'google',
    [[/./, { url: 'https://consent.google.com/m?x' }]],
    OPTIONS,
    'source_consent',
  ],
  [
    'a captcha',
    'google',
    [[/./, { status: 429, body: saved('google/captcha.html') }]],
    OPTIONS,
    'source_captcha',
  ],
  [
    'a key that is wrong',
    'google',
    [[/./, { status: 400, body: saved('google/api-denied.json') }]],
    withKey,
    'source_denied',
  ],
  [
    'a quota',
    'google',
    [[/./, { status: 403, body: saved('google/api-quota.json') }]],
    withKey,
    'source_rate_limited',
  ],
  ['a captcha', 'bing', [[/./, saved('bing/captcha.html')]], OPTIONS, 'source_captcha'],
  [
    'a captcha',
    'duckduckgo',
    [[/./, { status: 202, body: saved('duckduckgo/captcha.html') }]],
    OPTIONS,
    'source_captcha',
  ],
  ['no JSON', 'searxng', [[/./, { status: 403 }]], OPTIONS, 'source_denied'],
  ['silent engines', 'searxng', [[/./, saved('searxng/silent.json')]], OPTIONS, 'source_unavailable'],
  ['no instance', 'searxng', [], { ...OPTIONS, searxngUrl: undefined }, 'source_not_configured'],
  ['no file', 'directory', [], { ...OPTIONS, directories: [] }, 'source_not_configured'],
  [
    'a server without time',
    'openstreetmap',
    [[/./, saved('openstreetmap/busy.json')]],
    OPTIONS,
    'source_unavailable',
  ],
  [
    'the auth wall',
    'linkedin',
    [
      [/ddg/, saved('linkedin/search.html')],
      [/./, { url: 'https://linkedin.example/authwall?x', body: saved('linkedin/wall.html') }],
    ],
    { ...OPTIONS, searxngUrl: undefined },
    'source_auth_wall',
  ],
])(
  '%s of %s is recognised',
  async (_what, type, web, options, code) => {
    expect((await failure(collect(type, web, { options }))).code).toBe(code);
  },
  20_000,
);

test('openstreetmap gives contacts, and businesses without a site', async () => {
  const { candidates } = await collect('openstreetmap', [[/./, saved('openstreetmap/page1.json')]]);
  const mitte = candidates[0]?.observations.map(({ field, value }) => `${field} ${value}`);
  expect(mitte).toEqual(
    expect.arrayContaining([
      'company Zahnarzt Mitte',
      'email info@zahnarzt-mitte.de',
      'phone +493023125100',
      'phone +493023125101',
      'fax +493023125109',
      'social https://www.facebook.com/zm',
    ]),
  );
  expect(candidates.at(-1)).toMatchObject({ url: null, name: 'Praxis ohne Seite' });
});

test('an Overpass query has tags and place, and resists injection', () => {
  expect(overpassQuery('Berlin, Germany', QUERY)).toBe(
    '[out:json][timeout:60];area["ISO3166-1"="DE"][admin_level="2"]->.country;(rel(area.country)["boundary"="administrative"]["name"="Berlin"];rel(area.country)["boundary"="administrative"]["name:en"="Berlin"];);map_to_area->.place;(nwr["amenity"="dentist"](area.place);nwr["healthcare"="dentist"](area.place););out tags center 2000;',
  );
  const evil = overpassQuery('x"];out;', { industry: 'a")b', keywords: [], country: null });
  expect(evil).toContain('["name"="x\\"];out;"]');
  expect(evil).toContain('["name"~"a\\"\\\\)b",i]');
});

test.each([
  ['/url?q=https://acme.de/&sa=U', 'https://acme.de/'],
  ['//duckduckgo.com/l/?uddg=https%3A%2F%2Facme.de%2Fa&rut=1', 'https://acme.de/a'],
  ['https://www.bing.com/ck/a?u=a1aHR0cHM6Ly9hY21lLmRlLw', 'https://acme.de/'],
  ['https://acme.de/url', 'https://acme.de/url'],
  ['javascript:alert(1)', null],
])('the result %s leads to %s', (href, target) => {
  expect(unwrapRedirect(href, 'https://engine.example/search')).toBe(target);
});

test.each<[string, Partial<LeadQuery>, Partial<SourceOptions>, SourceType[]]>([
  ['URLs only', { text: '' }, {}, ['website']],
  [
    'nothing configured',
    { urls: [], geography: null },
    { searxngUrl: undefined, directories: [] },
    ['duckduckgo'],
  ],
  [
    'industry and place',
    { urls: [] },
    { searxngUrl: undefined, directories: [] },
    ['duckduckgo', 'openstreetmap'],
  ],
  ['everything configured', {}, withKey, ['website', 'google', 'searxng', 'directory', 'openstreetmap']],
])('the default sources of a job, with %s', (_what, query, options, expected) => {
  expect(defaultSources({ ...QUERY, ...query }, { ...OPTIONS, ...options })).toEqual(expected);
});

test('an invalid directories file is reported in one line', () => {
  const text = JSON.stringify({
    directories: [{ name: 'X', search_url: 'ftp://x', listing: 'li', fields: { fon: 'b' } }],
  });
  expect(() => parseDirectories(text, 'file.json')).toThrow(
    /^file\.json: directories\.0\.search_url: expected an http or https URL; directories\.0\.fields: .*fon/,
  );
});
