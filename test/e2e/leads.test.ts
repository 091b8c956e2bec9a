import { join } from 'node:path';
import pg from 'pg';
import type { LeadCandidate } from '../../core/leads/candidate.ts';
import type { Lead } from '../../core/leads/lead.ts';
import { type Fleet, startFleet } from '../support/processes/fleet.ts';
import { type Hosts, startHosts } from '../support/servers/hosts.ts';
import { type Site, startSite } from '../support/servers/site.ts';

/**
 * A lead search as a user runs it: a search engine, companies of five countries, and a real worker
 * with a real browser.
 */

const COMPANIES = [
  'schreinerei-brandt.de',
  'menuiserie-dupont.fr',
  'oakfield-joinery.co.uk',
  'falegnameria-bianchi.it',
  'cascade-cabinets.com',
];
const OTHERS = ['parked-joinery.com', 'brandt-tischler.de', 'dead-joinery.com'];

let hosts: Hosts;
let search: Site;
let google: Site;
let fleet: Fleet;

const siteOf = (domain: string, path = '/') => `http://www.${domain}:${hosts.port}${path}`;

/** Like DuckDuckGo's page without scripts: links to itself, with advertisements among them. */
const resultPage = (urls: string[]) => `<!doctype html><html><body><div id="links" class="results">
  <div class="result results_links result--ad"><h2 class="result__title"><a class="result__a" href="https://ads.example/">Ad</a></h2></div>
  ${urls
    .map(
      (
        url,
      ) => `<div class="result results_links results_links_deep web-result"><div class="links_main result__body">
        <h2 class="result__title"><a rel="nofollow" class="result__a" href="//duckduckgo.com/l/?uddg=${encodeURIComponent(url)}&amp;rut=0123">A result</a></h2>
        <a class="result__snippet" href="//duckduckgo.com/l/?uddg=${encodeURIComponent(url)}">Words</a></div></div>`,
    )
    .join('\n')}</div></body></html>`;

beforeAll(async () => {
  hosts = await startHosts(join(import.meta.dirname, '../fixtures/companies'), [...COMPANIES, ...OTHERS], {
    'www.brandt-tischler.de/': (port) => `http://www.schreinerei-brandt.de:${port}/`,
    'www.dead-joinery.com/': 410,
  });
  search = await startSite({
    pages: {
      '/html/': resultPage([
        siteOf('schreinerei-brandt.de'),
        'https://www.yelp.com/search?find_desc=joiners',
        siteOf('menuiserie-dupont.fr', '/realisations'),
        siteOf('schreinerei-brandt.de', '/leistungen.html'),
        'https://de.wikipedia.org/wiki/Schreiner',
        siteOf('parked-joinery.com'),
        siteOf('brandt-tischler.de'),
        siteOf('dead-joinery.com'),
        siteOf('oakfield-joinery.co.uk'),
      ]),
      '/search': (request, response) => {
        const page = new URL(request.url ?? '', 'http://searxng').searchParams.get('pageno');
        const urls =
          page === '1'
            ? [
                siteOf('oakfield-joinery.co.uk'),
                siteOf('falegnameria-bianchi.it'),
                siteOf('cascade-cabinets.com'),
              ]
            : [];
        response.setHeader('content-type', 'application/json');
        response.end(
          JSON.stringify({ query: 'q', results: urls.map((url) => ({ url, title: 'A result' })) }),
        );
      },
    },
  });
  google = await startSite({
    pages: {
      '/search': (_request, response) => {
        response.writeHead(302, { location: '/sorry/index?continue=x' }).end();
      },
      '/sorry/index': '<title>Sorry</title><form id="captcha-form" action="index" method="post"></form>',
    },
  });
  fleet = await startFleet({
    driver: 'rabbitmq',
    workers: 1,
    env: {
      ...hosts.env,
      DUCKDUCKGO_URL: search.url,
      SEARXNG_URL: search.url,
      GOOGLE_URL: google.url,
    },
  });
});
afterAll(async () => {
  await fleet?.stop();
  await search?.close();
  await google?.close();
  await hosts?.close();
});

const leadsOf = async (id: string): Promise<Lead[]> => {
  const { leads } = (await (await fleet.client.request('GET', `/api/v1/jobs/${id}/leads`)).json()) as {
    leads: Lead[];
  };
  return leads;
};

const byDomain = (leads: Lead[]) => new Map(leads.map((lead) => [lead.domain, lead]));

describe('a search over two engines', () => {
  let id: string;
  let leads: Map<string | null, Lead>;
  beforeAll(async () => {
    id = await fleet.client.post({
      industry: 'joinery',
      keywords: ['windows'],
      source_types: ['duckduckgo', 'searxng'],
      metadata: { campaign: 7 },
    });
    const job = await fleet.client.until(id, 'completed', 'failed', 'retrying');
    expect(job).toMatchObject({ status: 'completed', attempt: 1, counts: { pages: 0, leads: 5 } });
    leads = byDomain(await leadsOf(id));
  });

  test('returns each company once, and only companies', () => {
    expect([...leads.keys()].sort()).toEqual([...COMPANIES].sort());
  });

  test.each<[string, Partial<Lead>]>([
    [
      'schreinerei-brandt.de',
      {
        company: 'Schreinerei Brandt GmbH',
        emails: ['info@schreinerei-brandt.de'],
        phones: ['+493023125417'],
        faxes: ['+493023125418'],
        socials: { facebook: 'https://www.facebook.com/schreinereibrandt' },
      },
    ],
    [
      'menuiserie-dupont.fr',
      {
        company: 'Menuiserie Dupont',
        emails: ['contact@menuiserie-dupont.fr'],
        phones: ['+33478371122'],
        faxes: [],
        socials: {
          instagram: 'https://www.instagram.com/menuiseriedupont',
          linkedin: 'https://www.linkedin.com/company/menuiserie-dupont',
        },
        logo: 'https://www.menuiserie-dupont.fr/logo.svg',
      },
    ],
    [
      'oakfield-joinery.co.uk',
      {
        company: 'Oakfield Joinery Ltd',
        emails: ['hello@oakfield-joinery.co.uk'],
        phones: ['+441134960123'],
        faxes: [],
        socials: {
          facebook: 'https://www.facebook.com/oakfieldjoinery',
          instagram: 'https://www.instagram.com/oakfieldjoinery',
        },
        sources: expect.arrayContaining(['duckduckgo', 'searxng']),
      },
    ],
    [
      'falegnameria-bianchi.it',
      {
        company: 'Falegnameria Bianchi S.r.l.',
        emails: ['info@falegnameria-bianchi.it'],
        phones: ['+39051385612'],
        faxes: ['+39051385612'],
        socials: {},
        sources: ['searxng'],
      },
    ],
    [
      'cascade-cabinets.com',
      {
        company: 'Cascade Cabinets LLC',
        emails: expect.arrayContaining(['sales@cascade-cabinets.com', 'maria@cascade-cabinets.com']),
        phones: ['+15124740199'],
        faxes: [],
        socials: {},
      },
    ],
  ])('%s has what its pages say, and no more', (domain, expected) => {
    expect(leads.get(domain)).toMatchObject(expected);
    const own = new RegExp(`@${domain.replaceAll('.', '\\.')}$`);
    for (const email of leads.get(domain)?.emails ?? []) expect(email).toMatch(own);
  });

  test.each([
    [
      'schreinerei-brandt.de',
      { street: 'Oranienstraße 185', postal_code: '10999', city: 'Berlin', country: 'DE' },
    ],
    [
      'menuiserie-dupont.fr',
      { street: '12 rue de la République', postal_code: '69002', city: 'Lyon', country: 'FR' },
    ],
    ['oakfield-joinery.co.uk', { postal_code: 'LS3 1LH', city: 'Leeds', country: 'GB' }],
    [
      'falegnameria-bianchi.it',
      { street: 'Via Emilia Ponente 120', postal_code: '40133', city: 'Bologna', country: 'IT' },
    ],
    [
      'cascade-cabinets.com',
      { street: '2400 E Cesar Chavez St', postal_code: '78702', city: 'Austin', country: 'US' },
    ],
  ])('%s has its address in parts, once', (domain, parts) => {
    expect(leads.get(domain)?.addresses).toEqual([expect.objectContaining(parts)]);
  });

  test('every value has evidence: a page of the site that contains it', () => {
    for (const lead of leads.values()) {
      const values = [
        lead.company,
        ...lead.emails,
        ...lead.phones,
        ...lead.faxes,
        ...Object.values(lead.socials),
      ];
      for (const value of values) {
        const evidence = lead.evidence.filter((item) => item.value === value);
        expect({ value, evidence: evidence.length }).not.toEqual({ value, evidence: 0 });
        for (const { url, confidence, method, snippet } of evidence) {
          expect(new URL(url).hostname).toBe(`www.${lead.domain}`);
          expect(confidence).toBeGreaterThan(0);
          expect(confidence).toBeLessThanOrEqual(1);
          expect(method).not.toBe('');
          expect(snippet).not.toBe('');
        }
      }
      for (const address of lead.addresses) {
        expect(lead.evidence.some(({ field, value }) => field === 'address' && value === address.text)).toBe(
          true,
        );
      }
    }
  });

  test('fetches each page once, and none without contact data', () => {
    const pages = hosts.requests.filter((page) => page.endsWith('.html') || page.endsWith('/'));
    // The home page of a site that another one moved to is reached twice.
    const moved = pages.indexOf('www.schreinerei-brandt.de/');
    const others = pages.filter((page, index) => page !== 'www.schreinerei-brandt.de/' || index === moved);
    expect(others).toEqual([...new Set(others)]);
    expect(hosts.requests).not.toContain('www.schreinerei-brandt.de/datenschutz.html');
    expect(hosts.requests).not.toContain('www.cascade-cabinets.com/blog/contact-cement.html');
    expect(hosts.requests).toContain('www.schreinerei-brandt.de/impressum.html');
  });

  test('reports each lead with one event', async () => {
    const client = new pg.Client({ connectionString: fleet.env.DATABASE_URL });
    await client.connect();
    const { rows } = await client.query(
      `SELECT data->>'domain' AS domain FROM events WHERE type = 'lead.found' AND job_id = $1`,
      [id],
    );
    await client.end();
    expect(rows.map(({ domain }) => domain).sort()).toEqual([...COMPANIES].sort());
  });

  test('reports its progress', async () => {
    const { progress } = await fleet.client.job(id);
    expect(progress).toMatchObject({
      done: 8,
      total: 8,
      message: expect.stringMatching(/^5 leads from 8 sites/),
    });
  });

  test('tells what became of each candidate', async () => {
    const answer = await fleet.client.request('GET', `/api/v1/jobs/${id}/candidates?limit=1000`);
    const { candidates } = (await answer.json()) as { candidates: LeadCandidate[] };
    const of = new Map(candidates.map((candidate) => [candidate.key, candidate]));
    expect([...of.keys()].sort()).toEqual([...COMPANIES, ...OTHERS].sort());
    for (const domain of COMPANIES) expect(of.get(domain)).toMatchObject({ outcome: 'lead', error: null });
    expect(of.get('parked-joinery.com')).toMatchObject({ outcome: 'empty', reason: 'no_contacts' });
    expect(of.get('brandt-tischler.de')).toMatchObject({
      ...{ outcome: 'merged', merged_into: 'schreinerei-brandt.de', sources: ['duckduckgo'] },
    });
    expect(of.get('dead-joinery.com')).toMatchObject({
      ...{ outcome: 'failed', url: siteOf('dead-joinery.com'), error: { code: expect.any(String) } },
    });
    expect(of.get('oakfield-joinery.co.uk')?.sources.sort()).toEqual(['duckduckgo', 'searxng']);
  });

  test('is exported as a table that opens correctly', async () => {
    const answer = await fleet.client.request('GET', `/api/v1/jobs/${id}/leads?format=csv`);
    const lines = (await answer.text()).trim().split('\r\n');
    expect(lines).toHaveLength(6);
    expect(lines.find((line) => line.includes('schreinerei-brandt'))).toMatch(
      /^Schreinerei Brandt GmbH,.*,info@schreinerei-brandt\.de,'\+493023125417,'\+493023125418,Oranienstraße 185,10999,Berlin,,DE,/,
    );
  });
});

test('given sites become leads, up to the wanted number', async () => {
  const urls = COMPANIES.map((domain) => siteOf(domain));
  const id = await fleet.client.post({ urls, source_types: ['website'], max_leads: 2 });
  expect(await fleet.client.until(id, 'completed', 'failed', 'retrying')).toMatchObject({
    status: 'completed',
    counts: { leads: 2 },
  });
  for (const lead of await leadsOf(id)) {
    expect(COMPANIES).toContain(lead.domain);
    expect(lead.sources).toEqual(['website']);
  }
});

test('filters exclude what does not match, and mark what could not be checked', async () => {
  const id = await fleet.client.post({
    urls: COMPANIES.map((domain) => siteOf(domain)),
    source_types: ['website'],
    filters: { country: ['Germany', 'FR'], has_email: true, company_size: '5-50' },
  });
  await fleet.client.until(id, 'completed', 'failed', 'retrying');
  const leads = await leadsOf(id);
  expect(leads.map(({ domain }) => domain).sort()).toEqual(['menuiserie-dupont.fr', 'schreinerei-brandt.de']);
  for (const { employees, unverified_filters } of leads) {
    expect(unverified_filters).toEqual(employees === null ? ['company_size'] : []);
  }
  const answer = await fleet.client.request('GET', `/api/v1/jobs/${id}/candidates?outcome=filtered`);
  const { candidates } = (await answer.json()) as { candidates: LeadCandidate[] };
  expect(candidates.map(({ key, filter }) => [key, filter]).sort()).toEqual([
    ['cascade-cabinets.com', 'country'],
    ['falegnameria-bianchi.it', 'country'],
    ['oakfield-joinery.co.uk', 'country'],
  ]);
});

test('a blocked source is reported, and does not fail a job that has another', async () => {
  const id = await fleet.client.post({ search_query: 'joinery', source_types: ['google', 'searxng'] });
  const job = await fleet.client.until(id, 'completed', 'failed', 'retrying');
  expect(job).toMatchObject({ status: 'completed', counts: { leads: 3 } });
  expect((job.progress as { message: string }).message).toContain('google failed: source_captcha');
});

test('a job whose only source is blocked fails with the kind of block', async () => {
  const id = await fleet.client.post({ search_query: 'joinery', source_types: ['google'] });
  expect(await fleet.client.until(id, 'completed', 'failed', 'retrying')).toMatchObject({
    status: 'failed',
    attempt: 1,
    error: { code: 'source_captcha' },
  });
});

test('leads of several jobs are one list, each company once', async () => {
  const { leads } = (await (await fleet.client.request('GET', '/api/v1/leads?q=bianchi')).json()) as {
    leads: (Lead & { job_ids: string[] })[];
  };
  expect(leads.map(({ domain }) => domain)).toEqual(['falegnameria-bianchi.it']);
  expect(leads[0]?.job_ids.length).toBeGreaterThan(1);
});
