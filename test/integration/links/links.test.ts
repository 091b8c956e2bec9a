import { request as httpRequest } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createLinkCache } from '../../../api/links/redirect/link-cache.ts';
import type { Sql } from '../../../db/connect.ts';
import type { Statement } from '../../../db/statement.ts';
import { silentLogger } from '../../../runtime/log/logger.ts';
import { waitFor } from '../../support/wait-for.ts';
import {
  aPage,
  begin,
  expectProblem,
  PUBLIC_URL,
  startApi,
  storePages,
  type TestApi,
} from '../api/api-fixture.ts';

let api: TestApi;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.stop());

const make = async (
  body: Record<string, unknown> = { url: 'https://example.com/a?b=1' },
  key = api.adminKey,
) => {
  const answer = await api.ask('POST', '/api/v1/links', { body, key });
  expect(answer.status).toBe(201);
  return answer.json as { code: string; short_url: string; [field: string]: unknown };
};

/** As a visitor: without a key, and without following redirects. */
const visit = async (path: string, method = 'GET', headers: Record<string, string> = {}) => {
  const response = await fetch(`${api.url}${path}`, { method, redirect: 'manual', headers });
  return {
    status: response.status,
    location: response.headers.get('location'),
    headers: response.headers,
    text: await response.text(),
  };
};

/** The database, whose answers about links can be held back. */
function gated(database: TestApi['database']) {
  let letGo = () => {};
  let held: Promise<void> = Promise.resolve();
  let asked = 0;
  let followed = 0;
  const sql: Sql = {
    secrets: database.secrets,
    query: async <Row>(statement: Statement, values?: unknown[]) => {
      const rows = await database.query<Row>(statement, values);
      if (statement.name === 'follow_links') followed += 1;
      if (statement.name !== 'find_link_target') return rows;
      asked += 1;
      await held;
      return rows;
    },
  };
  const more = (count: () => number, by: number) => {
    const target = count() + by;
    return waitFor(() => count() >= target);
  };
  return {
    sql,
    hold: () => {
      asked = 0;
      held = new Promise((resolve) => {
        letGo = resolve;
      });
    },
    letGo: () => letGo(),
    untilAsked: (times: number) => waitFor(() => asked >= times),
    untilFollowed: (times: number) => more(() => followed, times),
  };
}

describe('a link', () => {
  test('has a short code, and redirects to its target', async () => {
    const link = await make();
    expect(link).toMatchObject({
      code: expect.stringMatching(/^[2-9a-hjkmnp-z]{8}$/),
      short_url: `${PUBLIC_URL}/r/${link.code}`,
      url: 'https://example.com/a?b=1',
      expires_at: null,
    });
    for (const method of ['GET', 'HEAD']) {
      expect(await visit(`/r/${link.code}?utm=x`, method)).toMatchObject({
        status: 302,
        location: 'https://example.com/a?b=1',
        text: '',
      });
    }
    expect((await visit(`/r/${link.code}`)).headers.get('cache-control')).toBe('no-store');
  });

  test('is in memory from its first visit on, however new the process is', async () => {
    const { code } = await make();
    const cache = createLinkCache({
      ...{ sql: api.database, logger: silentLogger },
      locationOf: ({ url }) => url,
    });
    // Its loop has not begun.
    expect(cache.cached(code)).toBeUndefined();
    await cache.find(code);
    expect(cache.cached(code)).toMatchObject({ kind: 'target', code });
  });

  test('that is looked up while its creation is read from the ledger stays in memory', async () => {
    const gate = gated(api.database);
    const cache = createLinkCache({
      ...{ sql: gate.sql, logger: silentLogger },
      locationOf: ({ url }) => url,
    });
    cache.start();
    await cache.find('nothing');
    const { code } = await make();
    gate.hold();
    const lookups = [cache.find(code), cache.find('Not-Yet')];
    await gate.untilAsked(2);
    await make({ url: 'https://example.com/', code: 'Not-Yet' });
    await gate.untilFollowed(2);
    gate.letGo();
    expect(await Promise.all(lookups)).toMatchObject([{ kind: 'target', code }, { kind: 'missing' }]);
    expect(cache.cached(code)).toMatchObject({ kind: 'target', code });
    // What was found missing is not remembered as such.
    expect(cache.cached('Not-Yet')).toBeUndefined();
    await cache.stop();
  });

  test('may have a custom code, which is unique', async () => {
    await make({ url: 'https://example.com/', code: 'Spring-Sale' });
    expect((await visit('/r/Spring-Sale')).status).toBe(302);
    const taken = await api.ask('POST', '/api/v1/links', {
      body: { url: 'https://example.com/', code: 'Spring-Sale' },
    });
    expectProblem(taken, 409, 'code_taken');
  });

  test('keeps a target beyond ASCII as browsers write it', async () => {
    const { code } = await make({ url: 'https://exämple.com/ü' });
    expect((await visit(`/r/${code}`)).location).toBe('https://xn--exmple-cua.com/%C3%BC');
  });

  test('is visible only to its owner', async () => {
    const { code } = await make();
    const { key } = await api.addUser();
    for (const [method, body] of [
      ['GET', undefined],
      ['PATCH', { expires_at: null }],
      ['DELETE', undefined],
    ] as const) {
      expectProblem(await api.ask(method, `/api/v1/links/${code}`, { key, body }), 404, 'not_found');
    }
    expectProblem(await api.ask('GET', `/api/v1/links/${code}/stats`, { key }), 404, 'not_found');
    expect((await api.ask('GET', '/api/v1/links', { key })).json).toEqual({ links: [], next_cursor: null });
  });

  test('is listed newest first, page by page', async () => {
    const codes: string[] = [];
    for (let left = 5; left > 0; left -= 1) codes.unshift((await make()).code);
    const listed: string[] = [];
    for (let cursor = ''; ; ) {
      const { json } = await api.ask('GET', `/api/v1/links?limit=2${cursor && `&cursor=${cursor}`}`);
      listed.push(...json.links.map(({ code }: { code: string }) => code));
      if (json.next_cursor === null) break;
      cursor = json.next_cursor;
    }
    expect(listed).toEqual(codes);
  });

  test('changes and ends at once in the process that changed it, although it was cached', async () => {
    const { code } = await make();
    expect((await visit(`/r/${code}`)).status).toBe(302);
    const changed = await api.ask('PATCH', `/api/v1/links/${code}`, {
      body: { url: 'https://example.org/' },
    });
    expect(changed.json.url).toBe('https://example.org/');
    expect((await visit(`/r/${code}`)).location).toBe('https://example.org/');
    expect((await api.ask('DELETE', `/api/v1/links/${code}`)).status).toBe(204);
    expect((await visit(`/r/${code}`)).status).toBe(404);
    const again = await api.ask('POST', '/api/v1/links', { body: { url: 'https://example.net/', code } });
    expectProblem(again, 409, 'code_taken');
  });

  test('that expired does not redirect', async () => {
    const { code } = await make();
    expect((await visit(`/r/${code}`)).status).toBe(302);
    const soon = new Date(Date.now() + 500).toISOString();
    await api.ask('PATCH', `/api/v1/links/${code}`, { body: { expires_at: soon } });
    await waitFor(async () => (await visit(`/r/${code}`)).status === 410, { what: 'the link to expire' });
    await api.ask('PATCH', `/api/v1/links/${code}`, { body: { expires_at: null } });
    expect((await visit(`/r/${code}`)).status).toBe(302);
  });

  test('is shown without being followed in its preview', async () => {
    const { code } = await make({ url: 'https://example.com/?a=%22&b="<script>' });
    for (const path of [`/r/${code}+`, `/${code}+`]) {
      const { status, text, headers } = await visit(path);
      expect(status).toBe(200);
      expect(text).toContain('href="https://example.com/?a=%22&amp;b=%22%3Cscript%3E"');
      expect(text).not.toContain('<script');
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(headers.get('x-robots-tag')).toContain('noindex');
    }
    expect((await visit('/nothing-here+')).status).toBe(404);
  });

  test('has a QR code', async () => {
    const { code } = await make();
    const svg = await api.ask('GET', `/api/v1/links/${code}/qr`);
    expect(svg.headers.get('content-type')).toBe('image/svg+xml');
    expect(svg.text).toMatch(/^<svg /);
    const png = await fetch(`${api.url}/api/v1/links/${code}/qr?format=png&size=300`, {
      headers: { 'x-api-key': api.adminKey },
    });
    expect(png.headers.get('content-type')).toBe('image/png');
    expect(
      Buffer.from(await png.arrayBuffer())
        .subarray(1, 4)
        .toString(),
    ).toBe('PNG');
  });

  test.each([
    [{ url: 'ftp://example.com/' }, 'url'],
    [{ url: 'javascript:alert(1)' }, 'url'],
    [{ url: 'http://169.254.169.254/' }, 'url'],
    [{ url: `${PUBLIC_URL}/r/abcdefgh` }, 'url'],
    [{}, 'url'],
    [{ url: 'https://example.com/', code: 'a b' }, 'code'],
    [{ url: 'https://example.com/', expires_at: '2020-01-01T00:00:00Z' }, 'expires_at'],
    [{ url: 'https://example.com/', job_id: '11111111-1111-4111-8111-111111111111' }, 'job_id'],
    [{ share: true }, 'job_id'],
    [{ url: 'https://example.com/', extra: 1 }, 'extra'],
  ])('is refused with what is wrong: %j', async (body, path) => {
    const answer = await api.ask('POST', '/api/v1/links', { body });
    expectProblem(answer, 422, 'invalid_request');
    expect(answer.json.errors.map((error: { path: string }) => error.path)).toContain(path);
  });
});

describe('the redirect', () => {
  test('answers an unknown code with a page', async () => {
    for (const path of ['/r/abcdefgh', '/r/', '/r/a%20b', '/r/../etc', `/r/${'x'.repeat(500)}`]) {
      const status = await rawStatus(path);
      expect([path, status]).toEqual([path, 404]);
    }
    expect((await visit('/r/abcdefgh', 'POST')).status).toBe(405);
  });

  test('looks a code up once, whether there is such a link or not', async () => {
    const { code } = await make();
    const lookups = () => api.statements.filter((name) => name === 'find_link_target').length;
    await waitFor(() => api.statements.includes('follow_links'), { what: 'the ledger to be followed' });
    const before = lookups();
    for (let left = 20; left > 0; left -= 1) {
      await visit(`/r/${code}`);
      await visit('/r/unknown2');
    }
    expect(lookups() - before).toBe(2);
  });

  test('learns of changes by another process', async () => {
    const other = await make();
    expect((await visit('/r/made-later')).status).toBe(404);
    expect((await visit(`/r/${other.code}`)).status).toBe(302);
    // Written directly, as another process would.
    await api.database.knex.raw(
      `WITH link AS (UPDATE links SET url = 'https://example.org/new' WHERE code = ? RETURNING id, code, url, user_id)
       INSERT INTO events (type, version, user_id, correlation_id, data)
       SELECT 'link.changed', '1.0', user_id, 'x', json_build_object('link_id', id, 'code', code, 'url', url) FROM link`,
      [other.code],
    );
    await api.database.knex.raw(
      `WITH link AS (INSERT INTO links (code, url, user_id) SELECT 'made-later', 'https://example.net/', id FROM users LIMIT 1
                     RETURNING id, code, url, user_id)
       INSERT INTO events (type, version, user_id, correlation_id, data)
       SELECT 'link.created', '1.0', user_id, 'x', json_build_object('link_id', id, 'code', code, 'url', url) FROM link`,
    );
    await waitFor(async () => (await visit(`/r/${other.code}`)).location === 'https://example.org/new');
    await waitFor(async () => (await visit('/r/made-later')).location === 'https://example.net/');
  });
});

describe('a shared result', () => {
  const share = async () => {
    const job_id = await api.submit({
      urls: ['https://example.com/'],
      headers: { authorization: 'Bearer secret-of-the-owner' },
    });
    const job = await begin(api.database, job_id);
    await storePages(api.database, job, [
      aPage({ title: '<img src=x onerror=alert(1)>', markdown: 'Some text' }),
      aPage({ url: 'javascript:alert(1)', title: '=1+1' }),
    ]);
    return { link: await make({ share: true, job_id }), job_id };
  };

  test('is readable with the link, as a page and as files', async () => {
    const { link } = await share();
    expect(link.code).toHaveLength(16);
    expect(Date.parse(String(link.expires_at))).toBeGreaterThan(Date.now());
    const { status, location } = await visit(`/r/${link.code}`);
    expect([status, location]).toEqual([302, `../share/${link.code}`]);

    const html = await visit(`/share/${link.code}`);
    expect(html.status).toBe(200);
    expect(html.text).toContain('&lt;img src=x onerror=alert(1)&gt;');
    expect(html.text).not.toMatch(/<img|<script|href="javascript/);
    expect(html.text).not.toContain('secret-of-the-owner');
    expect(html.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(html.headers.get('x-robots-tag')).toContain('noindex');

    const json = JSON.parse((await visit(`/share/${link.code}/pages.json`)).text);
    expect(json.pages.map(({ markdown }: { markdown?: string }) => markdown)).toEqual([
      'Some text',
      undefined,
    ]);
    const csv = await visit(`/share/${link.code}/pages.csv`);
    expect(csv.headers.get('content-disposition')).toContain('attachment');
    expect(csv.text.split('\r\n')[2]).toContain("'=1+1");
    expect(JSON.parse((await visit(`/share/${link.code}/leads.json`)).text)).toEqual({ leads: [] });
  });

  test('ends with its link, and another’s job cannot be shared', async () => {
    const { link, job_id } = await share();
    const { key } = await api.addUser();
    expectProblem(
      await api.ask('POST', '/api/v1/links', { body: { share: true, job_id }, key }),
      422,
      'invalid_request',
    );
    expect((await api.ask('DELETE', `/api/v1/links/${link.code}`)).status).toBe(204);
    expect((await visit(`/share/${link.code}`)).status).toBe(404);
    expect((await visit(`/share/${link.code}/pages.json`)).status).toBe(404);
  });

  test('is not available by the code of a plain link', async () => {
    const job_id = await api.submit();
    const { code } = await make({ url: 'https://example.com/', job_id });
    expect((await visit(`/share/${code}`)).status).toBe(404);
  });
});

/** `fetch` normalizes paths. */
function rawStatus(path: string): Promise<number | undefined> {
  const { hostname, port } = new URL(api.url);
  return new Promise((resolve, reject) => {
    httpRequest({ hostname, port, path }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    })
      .on('error', reject)
      .end();
  });
}
