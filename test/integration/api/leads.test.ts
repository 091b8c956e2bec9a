import { strFromU8, unzipSync } from 'fflate';
import type { ClaimedJob } from '../../../core/jobs/job.ts';
import { settle } from '../../../core/jobs/job-state.ts';
import type { HandledCandidate } from '../../../core/leads/candidate.ts';
import type { Lead } from '../../../core/leads/lead.ts';
import { settleJobs } from '../../../db/jobs/settle.ts';
import { addCandidateSource, storeLeadCandidate } from '../../../db/lead-candidates.ts';
import { storeLead } from '../../../db/leads.ts';
import { statement } from '../../../db/statement.ts';
import { address, aLead, begin, expectProblem, startApi, type TestApi } from './api-fixture.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const progress = { done: 1, total: 1, message: null };
const store = (job: ClaimedJob, lead: Lead, maxLeads = 100) =>
  storeLead(api.database, job, { key: lead.domain ?? 'x', lead, maxLeads, progress });

async function jobWith(leads: Lead[], key?: string): Promise<ClaimedJob> {
  const job = await begin(api.database, await api.submit({ industry: 'dentist' }, key));
  for (const lead of leads) await store(job, lead);
  return job;
}

const eventsOf = async (jobId: string) =>
  api.database.query<{ type: string; data: Record<string, unknown> }>(
    statement('test_lead_events', `SELECT type, data FROM events WHERE job_id = $1 AND type = 'lead.found'`),
    [jobId],
  );

test('the leads of a job are followed until it has ended', async () => {
  const job = await jobWith([aLead('one.de'), aLead('two.de')]);
  const read = async (cursor: string | null) =>
    (await api.ask('GET', `/api/v1/jobs/${job.id}/leads?follow=true${cursor ? `&cursor=${cursor}` : ''}`))
      .json;
  const first = await read(null);
  expect(first.leads).toHaveLength(2);
  const none = await read(first.next_cursor);
  expect(none).toEqual({ leads: [], next_cursor: first.next_cursor });
  await store(job, aLead('three.de'));
  const transition = settle(job, { kind: 'completed' }, { baseMs: 1, capMs: 1 }, 0);
  await settleJobs(api.database, [{ run: job, transition }]);
  const last = await read(first.next_cursor);
  expect(last).toEqual({ leads: [aLead('three.de')], next_cursor: null });
  const csv = await api.ask('GET', `/api/v1/jobs/${job.id}/leads?follow=true&format=csv`);
  expect(csv.status).toBe(422);
});

describe('storing a lead', () => {
  test('twice leaves one, with one event and one in the count', async () => {
    const job = await jobWith([]);
    expect(await store(job, aLead('one.de'))).toEqual({ kind: 'stored', isNew: true, leads: 1 });
    const again = aLead('one.de', { phones: ['+491', '+492'] });
    expect(await store(job, again)).toEqual({ kind: 'stored', isNew: false, leads: 1 });
    const { json } = await api.ask('GET', `/api/v1/jobs/${job.id}/leads`);
    expect(json).toEqual({ leads: [again], next_cursor: null });
    expect((await api.ask('GET', `/api/v1/jobs/${job.id}`)).json.counts.leads).toBe(1);
    const content = { domain: 'one.de', company: 'Company of one.de', website: 'https://one.de/' };
    expect((await eventsOf(job.id)).map(({ data }) => data)).toEqual([
      { job_id: job.id, lead_id: expect.any(String), ...content },
    ]);
  });

  test('concurrently from two sides leaves one event too', async () => {
    const job = await jobWith([]);
    const stored = await Promise.all(Array.from({ length: 8 }, () => store(job, aLead('race.de'))));
    expect(stored.filter((result) => result.kind === 'stored' && result.isNew)).toHaveLength(1);
    expect(await eventsOf(job.id)).toHaveLength(1);
  });

  test('by a run that ended is refused, and nothing is written', async () => {
    const job = await jobWith([]);
    expect(await store({ ...job, workerId: 'another' }, aLead('late.de'))).toEqual({ kind: 'lost' });
    expect(await store({ ...job, attempt: job.attempt + 1 }, aLead('late.de'))).toEqual({ kind: 'lost' });
    expect((await api.ask('GET', `/api/v1/jobs/${job.id}/leads`)).json.leads).toEqual([]);
    expect(await eventsOf(job.id)).toEqual([]);
  });

  test("stops at the job's limit, and still updates present leads", async () => {
    const job = await jobWith([]);
    await store(job, aLead('a.de'), 1);
    expect(await store(job, aLead('b.de'), 1)).toEqual({ kind: 'full', leads: 1 });
    expect(await store(job, aLead('a.de'), 1)).toMatchObject({ kind: 'stored', isNew: false });
    expect(await eventsOf(job.id)).toHaveLength(1);
  });
});

describe("a job's candidates", () => {
  const record = (job: ClaimedJob, key: string, what: Partial<HandledCandidate>) =>
    storeLeadCandidate(api.database, job, {
      candidate: {
        ...{ key, url: `https://${key}/`, name: null, source: 'google', outcome: 'empty', reason: null },
        ...{ filter: null, merged_into: null, error: null, ...what },
      },
      ...{ retryable: false, errors: 0, progress },
    });
  const list = async (job: ClaimedJob, query = '') =>
    (await api.ask('GET', `/api/v1/jobs/${job.id}/candidates${query}`)).json;

  test('come in pages, with their outcome, its reason and every source', async () => {
    const job = await jobWith([aLead('lead.de')]);
    const error = { code: 'http_404', message: 'not found' };
    await record(job, 'bare.de', { reason: 'no_contacts' });
    await record(job, 'far.fr', { outcome: 'filtered', filter: 'geography' });
    await record(job, 'dead.de', { outcome: 'failed', error });
    await record(job, 'bare.de', { reason: 'no_contacts', source: 'bing' });
    await addCandidateSource(api.database, job, 'far.fr', 'bing');
    const first = await list(job, '?limit=2');
    const rest = await list(job, `?limit=2&cursor=${first.next_cursor}`);
    expect(rest.next_cursor).toBeNull();
    const nothing = { name: null, reason: null, filter: null, merged_into: null, error: null };
    const at = { checked_at: expect.stringMatching(/Z$/) };
    expect([...first.candidates, ...rest.candidates]).toEqual([
      {
        ...nothing,
        ...at,
        key: 'lead.de',
        url: 'https://lead.de/',
        name: 'Company of lead.de',
        sources: ['website'],
        outcome: 'lead',
      },
      {
        ...nothing,
        ...at,
        key: 'bare.de',
        url: 'https://bare.de/',
        sources: ['bing', 'google'],
        outcome: 'empty',
        reason: 'no_contacts',
      },
      {
        ...nothing,
        ...at,
        key: 'far.fr',
        url: 'https://far.fr/',
        sources: ['google', 'bing'],
        outcome: 'filtered',
        filter: 'geography',
      },
      {
        ...nothing,
        ...at,
        key: 'dead.de',
        url: 'https://dead.de/',
        sources: ['google'],
        outcome: 'failed',
        error,
      },
    ]);
    expect((await list(job, '?outcome=failed')).candidates).toHaveLength(1);
  });

  test('are written by the run that holds the job alone', async () => {
    const job = await jobWith([]);
    expect(await record({ ...job, workerId: 'another' }, 'late.de', {})).toBe(false);
    await addCandidateSource(api.database, { ...job, attempt: job.attempt + 1 }, 'late.de', 'bing');
    expect((await list(job)).candidates).toEqual([]);
  });

  test.each(['outcome=lost', 'limit=0', 'cursor=!', 'x=1'])('refuse ?%s', async (query) => {
    const job = await jobWith([]);
    expectProblem(await api.ask('GET', `/api/v1/jobs/${job.id}/candidates?${query}`), 422, 'invalid_request');
  });

  test("of another user's job are not found", async () => {
    const job = await jobWith([]);
    const { key } = await api.addUser();
    expectProblem(await api.ask('GET', `/api/v1/jobs/${job.id}/candidates`, { key }), 404, 'not_found');
  });
});

describe("a job's leads", () => {
  const many = Array.from({ length: 7 }, (_, index) => aLead(`site${index}.de`));

  test('come in pages, in the order they were found', async () => {
    const job = await jobWith(many);
    const domains: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const at: string = cursor && `&cursor=${cursor}`;
      const { json } = await api.ask('GET', `/api/v1/jobs/${job.id}/leads?limit=3${at}`);
      domains.push(...json.leads.map(({ domain }: Lead) => domain));
      cursor = json.next_cursor;
    }
    expect(domains).toEqual(many.map(({ domain }) => domain));
  });

  test('as NDJSON are one line each, by Accept or by format', async () => {
    const job = await jobWith(many);
    for (const answer of [
      await api.ask('GET', `/api/v1/jobs/${job.id}/leads?format=ndjson`),
      await api.ask('GET', `/api/v1/jobs/${job.id}/leads`, { headers: { accept: 'application/x-ndjson' } }),
    ]) {
      expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
      expect(
        answer.text
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line)),
      ).toEqual(many);
    }
  });

  test('as CSV have a byte order mark for Excel, stable columns and no formulas', async () => {
    const job = await jobWith([
      aLead('evil.de', {
        company: '=cmd|calc',
        description: 'Says "hi",\nand more',
        emails: ['a@b.de', 'c@d.de'],
      }),
    ]);
    const answer = await api.ask('GET', `/api/v1/jobs/${job.id}/leads`, { headers: { accept: 'text/csv' } });
    expect(answer.headers.get('content-type')).toMatch(/^text\/csv; charset=utf-8/);
    expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="leads-${job.id}.csv"`);
    const response = await fetch(`${api.url}/api/v1/jobs/${job.id}/leads?format=csv`, {
      headers: { authorization: `Bearer ${api.adminKey}` },
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    expect([...bytes.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
    const [heading, line, end] = bytes.subarray(3).toString().split('\r\n');
    expect(heading).toMatch(/^company,website,domain,emails,phones,faxes,street,postal_code,city,/);
    expect(line).toMatch(
      /^'=cmd\|calc,https:\/\/evil\.de\/,evil\.de,"a@b\.de; c@d\.de",'\+493012345678,,Hauptstr\. 1,10115,Berlin,/,
    );
    expect(line).toContain('"Says ""hi"", and more"');
    expect(end).toBe('');
  });

  test('as CSV for programs have phones as they are, no byte order mark and still no formulas', async () => {
    const job = await jobWith([aLead('programs.de', { company: '=cmd|calc' })]);
    const { text } = await api.ask('GET', `/api/v1/jobs/${job.id}/leads?format=csv&excel=false`);
    const [heading, line] = text.split('\r\n');
    expect(heading).toMatch(/^company,/);
    expect(line).toMatch(/^'=cmd\|calc,.*,\+493012345678,/);
  });

  test('as XLSX are a workbook whose cells are text', async () => {
    const job = await jobWith([aLead('sheet.de', { company: 'Müller & <Söhne> \u0001' })]);
    const response = await fetch(`${api.url}/api/v1/jobs/${job.id}/leads?format=xlsx`, {
      headers: { authorization: `Bearer ${api.adminKey}` },
    });
    expect(response.headers.get('content-type')).toContain('spreadsheetml.sheet');
    const files = unzipSync(new Uint8Array(await response.arrayBuffer()));
    const sheet = strFromU8(files['xl/worksheets/sheet1.xml'] ?? new Uint8Array());
    expect(sheet.match(/<row /g)).toHaveLength(2);
    expect(sheet).toContain(
      '<c r="A2" s="0" t="inlineStr"><is><t xml:space="preserve">Müller &amp; &lt;Söhne&gt; </t></is></c>',
    );
    expect(sheet).toContain('>+493012345678<');
    expect(sheet).not.toContain('<f>');
  });

  test('as XLSX keep text that looks like an escape unchanged', async () => {
    const job = await jobWith([aLead('escape.de', { company: 'a_x0041_b _x000D_ _xZZZZ_ _x00e9_' })]);
    const response = await fetch(`${api.url}/api/v1/jobs/${job.id}/leads?format=xlsx`, {
      headers: { authorization: `Bearer ${api.adminKey}` },
    });
    const files = unzipSync(new Uint8Array(await response.arrayBuffer()));
    const sheet = strFromU8(files['xl/worksheets/sheet1.xml'] as Uint8Array);
    // As Excel reads it back: `_x005F_` is an underscore.
    expect(sheet).toContain('>a_x005F_x0041_b _x005F_x000D_ _xZZZZ_ _x005F_x00e9_<');
  });

  test("of another user's job are not found", async () => {
    const job = await jobWith(many.slice(0, 1));
    const { key } = await api.addUser();
    expectProblem(await api.ask('GET', `/api/v1/jobs/${job.id}/leads`, { key }), 404, 'not_found');
  });

  test.each(['format=pdf', 'excel=maybe', 'cursor=!', 'cursor=zzzzzzzzzzzzz', 'limit=0', 'q=x'])(
    'refuse ?%s',
    async (query) => {
      const job = await jobWith([]);
      expectProblem(await api.ask('GET', `/api/v1/jobs/${job.id}/leads?${query}`), 422, 'invalid_request');
    },
  );
});

describe('leads across jobs', () => {
  let key: string;
  let older: ClaimedJob;
  let newer: ClaimedJob;
  beforeAll(async () => {
    ({ key } = await api.addUser());
    older = await jobWith(
      [aLead('both.de'), aLead('old.de', { emails: [], company: 'Zahnärzte am Markt' })],
      key,
    );
    newer = await jobWith(
      [
        aLead('both.de', { company: 'Both, as found last' }),
        aLead('acme-tools.fr', { addresses: [address('Lyon', 'FR')], phones: [], sources: ['bing'] }),
      ],
      key,
    );
    await jobWith([aLead('of-another-user.de')]);
  });
  const list = async (query = '') => (await api.ask('GET', `/api/v1/leads${query}`, { key })).json;
  const domainsOf = async (query: string) => (await list(query)).leads.map(({ domain }: Lead) => domain);

  test('have each business once, as it was found last, newest first, with its jobs', async () => {
    const { leads, next_cursor } = await list();
    expect(leads.map(({ domain }: Lead) => domain)).toEqual(['acme-tools.fr', 'both.de', 'old.de']);
    expect(leads[1]).toMatchObject({ company: 'Both, as found last', job_ids: [newer.id, older.id] });
    expect(Date.parse(leads[1].found_at)).toBeGreaterThan(0);
    expect(next_cursor).toBeNull();
  });

  test('continue after a cursor', async () => {
    const first = await list('?limit=2');
    expect(first.leads).toHaveLength(2);
    expect(await domainsOf(`?cursor=${first.next_cursor}`)).toEqual(['old.de']);
  });

  test.each([
    ['?q=tools', ['acme-tools.fr']],
    ['?q=ACM', ['acme-tools.fr']],
    ['?q=zahnarzte%20markt', ['old.de']],
    ['?q=lyon', ['acme-tools.fr']],
    ['?q=nowhere', []],
    ['?q=%27%20%26%20!)(', []],
    ['?domain=WWW.both.de', ['both.de']],
    ['?country=France', ['acme-tools.fr']],
    ['?country=DE', ['both.de', 'old.de']],
    ['?has_email=false', ['old.de']],
    ['?has_phone=true&has_email=true', ['both.de']],
    ['?source=bing', ['acme-tools.fr']],
    ['?q=both&country=FR', []],
  ])('%s are %j', async (query, domains) => {
    expect(await domainsOf(query)).toEqual(domains);
  });

  test('are complete page by page while some are found again', async () => {
    const { key } = await api.addUser();
    await jobWith(
      ['a.de', 'b.de', 'c.de', 'd.de'].map((domain) => aLead(domain)),
      key,
    );
    const again = await jobWith([], key);
    const seen: string[] = [];
    for (let cursor = ''; ; ) {
      const { json } = await api.ask('GET', `/api/v1/leads?limit=1${cursor}`, { key });
      seen.push(json.leads[0].domain);
      if (json.next_cursor === null) break;
      cursor = `&cursor=${json.next_cursor}`;
      // Moves to the front of a new list.
      await store(again, aLead(seen.length === 1 ? 'a.de' : 'b.de'));
    }
    expect(seen).toEqual(['d.de', 'c.de', 'b.de', 'a.de']);
    const fresh = (await api.ask('GET', '/api/v1/leads', { key })).json.leads;
    expect(fresh.map(({ domain }: Lead) => domain)).toEqual(['b.de', 'a.de', 'd.de', 'c.de']);
  });

  test('come as CSV with the jobs that found them', async () => {
    const { text } = await api.ask('GET', '/api/v1/leads?format=csv', { key });
    expect(text).toContain(`"${newer.id}; ${older.id}"`);
    expect(text.trim().split('\r\n')).toHaveLength(4);
  });

  test.each(['?country=Atlantis', '?has_email=yes', '?source=altavista', '?unknown=1'])(
    'refuse %s',
    async (query) => {
      expectProblem(await api.ask('GET', `/api/v1/leads${query}`, { key }), 422, 'invalid_request');
    },
  );
});

test.each([
  [
    { industry: 'x', source_types: ['google', 'altavista'] },
    'source_types.1',
    /expected one of website, google/,
  ],
  [
    { industry: 'x', filters: { has_mail: true } },
    'filters.has_mail',
    /unknown filter, expected one of country/,
  ],
  [{ industry: 'x', filters: { company_size: 'big' } }, 'filters.company_size', /expected a range/],
  [{ industry: 'x', source_types: ['website'] }, 'source_types', /needs urls/],
])('a job %j is refused with the path and what is allowed', async (body, path, message) => {
  const answer = await api.ask('POST', '/api/v1/jobs/scrape', { body });
  expectProblem(answer, 422, 'invalid_request');
  expect(answer.json.errors).toEqual([{ path, message: expect.stringMatching(message) }]);
});
