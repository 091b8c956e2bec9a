import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Lead } from '../../../core/leads/lead.ts';
import { storePages } from '../../../db/jobs/run.ts';
import { storeLead } from '../../../db/leads.ts';
import { openArtifactFolder } from '../../../db/pages/artifacts.ts';
import { isSuppressedSite, suppressInLead, suppressInPage } from '../../../workers/scraper/jobs/suppress.ts';
import { aLead, aPage, begin, expectProblem, startApi, type TestApi } from '../api/api-fixture.ts';
import {
  completed,
  createFolder,
  MARKER,
  markedJob,
  type TestFolder,
  tablesWith,
} from './deletion-fixture.ts';

let api: TestApi;
let folder: TestFolder;
beforeAll(async () => {
  [api, folder] = await Promise.all([startApi(), createFolder()]);
});
afterAll(async () => {
  await api.stop();
  await folder.remove();
});

const contactsOf = ({ company, emails, phones, faxes, addresses, socials, ...lead }: Lead) => ({
  ...{ company, emails, phones, faxes, addresses, socials },
  ...{ legal_name: null, legal_form: null, people: lead.people, registrations: [], opening_hours: [] },
  ...{ language: null, email_kinds: {}, phone_kinds: {} },
});

/** A job that runs, with a lead and a page; the page's text holds the lead's e-mail address. */
async function withLead(key: string, domain: string, fields: Partial<Lead> = {}) {
  const id = await api.submit({ urls: ['https://listing.example/'] }, key);
  const job = await begin(api.database, id);
  const lead = aLead(domain, fields);
  const progress = { done: 1, total: 1, message: null };
  await storeLead(api.database, job, { key: domain, lead, maxLeads: 9, progress });
  await openArtifactFolder(api.database, id);
  const png = { contentType: 'image/png', body: Buffer.from('a') };
  await folder.store.put({ jobId: id, position: 0, name: 'a.png' }, png);
  await storePages(api.database, job, [
    {
      ...{ position: 0, progress, counts: { pages: 1, leads: 1, errors: 0 } },
      page: aPage({
        ...{ url: 'https://listing.example/', final_url: 'https://listing.example/' },
        ...{ markdown: `one\n${lead.emails[0]}`, contacts: contactsOf(lead) },
      }),
      artifacts: [{ kind: 'screenshot', name: 'a.png', contentType: 'image/png', body: null, bytes: 8 }],
    },
  ]);
  return { id, job };
}

const erase = (body: unknown, key: string) => api.ask('POST', '/api/v1/leads/erase', { key, body });
const leadsOf = async (key: string): Promise<(Lead & { lead_id: string })[]> =>
  (await api.ask('GET', '/api/v1/leads', { key })).json.leads;

describe('a deleted lead', () => {
  test('leaves every job and every trace, by its id or by a filter', async () => {
    const { key } = await api.addUser();
    await markedJob(api, key, folder.store);
    const { id } = await withLead(key, 'kept.example');
    const [, lead] = await leadsOf(key);
    expect(lead?.domain).toBe(`${MARKER}.example`);
    const path = `/api/v1/leads/${lead?.lead_id}`;
    expect((await api.ask('DELETE', path, { key: (await api.addUser()).key })).status).toBe(404);
    expect((await api.ask('DELETE', `${path}?dry_run=true`, { key })).json.would_remove).toEqual({
      leads: 1,
    });
    const { status, json } = await api.ask('DELETE', path, { key });
    expect(status).toBe(202);
    expect((await completed(api, folder.store, json.deletion_id)).removed).toMatchObject({
      ...{ leads: 1, notifications: 1 },
    });
    expect((await leadsOf(key)).map(({ domain }) => domain)).toEqual(['kept.example']);
    const tables = await tablesWith(api.database, MARKER);
    expect(tables).not.toContain('leads');
    const events = await api.ask('GET', '/api/v1/events?type=lead.found&format=json', { key });
    expect(events.text).not.toContain(MARKER);

    expectProblem(await api.ask('POST', '/api/v1/leads/delete', { key, body: {} }), 422, 'invalid_request');
    const body = { domain: 'kept.example' };
    const preview = await api.ask('POST', '/api/v1/leads/delete', { key, body: { ...body, dry_run: true } });
    expect(preview.json).toEqual({ dry_run: true, would_remove: { businesses: 1 }, complete: true });
    const { json: second } = await api.ask('POST', '/api/v1/leads/delete', { key, body });
    await completed(api, folder.store, second.deletion_id);
    expect(await leadsOf(key)).toEqual([]);
    expect((await api.ask('GET', `/api/v1/jobs/${id}`, { key })).json.counts.leads).toBe(0);
  });
});

describe('an erased person', () => {
  const person = 'zqxgrace@erased.example';

  test('is in no lead, page or trace, and not readable in the suppression', async () => {
    const { key } = await api.addUser();
    const people = [{ name: 'Zqxgrace Hopper', role: 'CEO', email: person, phone: null }];
    const { id } = await withLead(key, 'erased.example', { emails: [person, 'info@erased.example'], people });
    const asked = { email: 'ZQXGrace+web@erased.example', name: 'zqxgrace hopper', domain: 'erased.example' };
    const preview = await erase({ ...asked, pages: true, dry_run: true }, key);
    expect(preview.json).toEqual({
      ...{ dry_run: true, complete: true, would_remove: { lead_parts: 1, pages: 1 } },
    });
    const { status, json } = await erase({ ...asked, reason: 'request 17' }, key);
    expect(status).toBe(202);
    const { removed } = await completed(api, folder.store, json.deletion_id);
    expect(removed).toEqual({ lead_parts: 1, page_contacts: 1, pages_mentioning: 1 });
    expect((await leadsOf(key))[0]).toMatchObject({ emails: ['info@erased.example'], people: [] });
    // The page's text is left, as the count says.
    expect(await tablesWith(api.database, 'zqxgrace')).toEqual(['pages']);

    const again = await erase({ ...asked, pages: true }, key);
    const after = await completed(api, folder.store, again.json.deletion_id);
    expect(after.removed).toEqual({ pages: 1, artifacts: 1 });
    expect(await tablesWith(api.database, 'zqxgrace')).toEqual([]);
    expect(await folder.store.get({ jobId: id, position: 0, name: 'a.png' })).toBeNull();
    const { json: list } = await api.ask('GET', '/api/v1/suppressions', { key });
    const suppressions: { kind: string; value: unknown; reason: string }[] = list.suppressions;
    expect(suppressions.map(({ kind, value, reason }) => [kind, value, reason]).sort()).toEqual([
      ['email', null, 'request 17'],
      ['person', null, 'request 17'],
    ]);
  });

  test('is not stored again by a later job of that user', async () => {
    const { key, userId } = await api.addUser();
    const { json } = await erase({ email: 'ada@acme.example', phone: '+49 30 12345678' }, key);
    await completed(api, folder.store, json.deletion_id);
    const lead = aLead('acme.example', {
      emails: ['Ada+x@ACME.example', 'info@acme.example'],
      phones: ['+493012345678', '030 12345678', '+13012345678'],
      description: 'ada@acme.example leads it',
    });
    const left = await suppressInLead(api.database, { userId }, lead);
    expect(left).toMatchObject({ emails: ['info@acme.example'], phones: ['+13012345678'] });
    expect(left?.description).toBe('[erased] leads it');
    const page = aPage({ final_url: 'https://acme.example/', contacts: contactsOf(lead) });
    expect((await suppressInPage(api.database, { userId }, page)).contacts?.emails).toEqual([
      'info@acme.example',
    ]);
    const other = await api.addUser();
    expect(await suppressInLead(api.database, { userId: other.userId }, lead)).toBe(lead);
    const { json: list } = await api.ask('GET', '/api/v1/suppressions', { key });
    expect(list.suppressions.map(({ hits }: { hits: number }) => hits)).toEqual([2, 2]);
    for (const { id } of list.suppressions) {
      expectProblem(
        await api.ask('DELETE', `/api/v1/suppressions/${id}`, { key: other.key }),
        404,
        'not_found',
      );
      expect((await api.ask('DELETE', `/api/v1/suppressions/${id}`, { key })).status).toBe(204);
    }
    expect(await suppressInLead(api.database, { userId }, lead)).toBe(lead);
  });
});

describe('an erased domain', () => {
  test('is erased by an admin from the jobs of all users, with what is below it', async () => {
    const [one, two] = [await api.addUser(), await api.addUser()];
    await withLead(one.key, 'shop.zqxdomain.de');
    await withLead(two.key, 'zqxdomain.de');
    await withLead(two.key, 'other.example', { emails: ['a@other.example', 'b@zqxdomain.de'] });
    const { json } = await erase({ domain: 'www.ZQXdomain.de', pages: true }, api.adminKey);
    expect((await completed(api, folder.store, json.deletion_id)).removed).toMatchObject({
      leads: 2,
      pages: 2,
    });
    expect(await leadsOf(one.key)).toEqual([]);
    expect((await leadsOf(two.key)).map(({ emails }) => emails)).toEqual([['a@other.example']]);
    expect(await tablesWith(api.database, 'zqxdomain')).toEqual([]);
    expect(await isSuppressedSite(api.database, one, 'new.zqxdomain.de')).toBe(true);
    expect(await suppressInLead(api.database, two, aLead('zqxdomain.de'))).toBeNull();
  });

  test('what is asked for must be one', async () => {
    for (const body of [
      {},
      { reason: 'x' },
      { email: 'ada' },
      { domain: 'co.uk' },
      { name: 'Ada' },
      { phone: '110' },
    ]) {
      expectProblem(await erase(body, api.adminKey), 422, 'invalid_request');
    }
  });
});
