import { expect, test } from '@jest/globals';
import type { Page } from '../../../core/jobs/page.ts';
import type { Lead } from '../../../core/leads/lead.ts';
import { jsonOf, PAGES, sharedLead, sharedPage } from './tables.ts';

test.each([0, 1, 3])('JSON of %i rows parses to the same rows', async (count) => {
  const rows = Array.from({ length: count }, (_, number) => ({ number, text: '"</script>"' }));
  let text = '';
  const given = async function* () {
    yield* rows;
  };
  for await (const part of jsonOf('rows', given())) text += part;
  expect(JSON.parse(text)).toEqual({ rows });
});

const page: Page = {
  url: 'http://ada:secret@a.example/',
  final_url: 'http://ada:secret@a.example/in',
  status_code: 200,
  content_type: 'text/html',
  title: 'A page',
  markdown: '# A page',
  screenshot: '/api/v1/jobs/1/artifacts/0/screenshot',
  engine: 'http',
  fetched_at: '2026-01-01T00:00:00.000Z',
  duration_ms: 5,
  error: { code: 'action_failed', message: 'secret' },
};

test('of a page only the listed fields are shared, and no user name or password', () => {
  const given = { ...page, added_later: 'secret' };
  expect(sharedPage(given)).toEqual({
    ...{ url: 'http://a.example/', final_url: 'http://a.example/in', status_code: 200 },
    ...{ content_type: 'text/html', title: 'A page', markdown: '# A page', engine: 'http' },
    ...{ fetched_at: page.fetched_at, duration_ms: 5, error: { code: 'action_failed' } },
  });
  expect(PAGES.cells(given).join()).not.toContain('secret');
});

test('of a lead only the listed fields are shared', () => {
  const lead = { company: 'Acme', emails: ['a@acme.example'], user_id: 'secret' } as unknown as Lead;
  expect(sharedLead(lead)).toEqual({ company: 'Acme', emails: ['a@acme.example'] });
});
