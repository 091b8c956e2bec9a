import { createConfig, lintFromString } from '@redocly/openapi-core';
import { describedOperations } from '../../../api/openapi/document.ts';
import { createDescriptionCheck } from '../../support/described.ts';
import { startApi, type TestApi } from './api-fixture.ts';

/** Other tests check each answer they get against the document: test/support/described.ts. */

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.stop());

test('every declared route is described, in a document that needs no key', async () => {
  const { status, json } = await api.ask('GET', '/openapi.json', { key: null });
  expect(status).toBe(200);
  expect(json.openapi).toBe('3.1.1');
  const declared = api.routes.map(({ method, path }) => `${method} ${path}`);
  expect(describedOperations().sort()).toEqual(declared.sort());
});

test('the document has no error by the recommended rules of Redocly', async () => {
  const { text } = await api.ask('GET', '/openapi.json', { key: null });
  const config = await createConfig({
    extends: ['recommended'],
    // Of the installation that serves it: its address is relative.
    rules: { 'no-server-example.com': 'off' },
  });
  const problems = await lintFromString({ source: text, config });
  const errors = problems.filter(({ severity }) => severity === 'error');
  expect(errors.map(({ message, location }) => `${message} ${location[0]?.pointer}`)).toEqual([]);
});

test('what is accepted is described by the schemas that validate it', async () => {
  const { json } = await api.ask('GET', '/openapi.json', { key: null });
  const body = json.paths['/api/v1/scrape'].post.requestBody.content['application/json'].schema;
  expect(body).toMatchObject({ required: ['url'], additionalProperties: false });
  // A list is checked for its length before its items: both are described.
  expect(body.properties.formats).toMatchObject({
    minItems: 1,
    items: { enum: expect.arrayContaining(['pdf']) },
  });
  const wait = json.paths['/api/v1/scrape'].post.parameters.find(
    ({ name }: { name: string }) => name === 'wait',
  );
  expect(wait).toMatchObject({ in: 'query', required: false, schema: { type: 'integer', maximum: 120 } });
});

test('the page for people asks nothing of another address, and runs no script', async () => {
  const { status, text, headers } = await api.ask('GET', '/docs', { key: null });
  expect(status).toBe(200);
  expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-[^']+';/);
  expect(text).toContain('Scrape one page in one call');
  expect(text.match(/<script|<link|<img|<iframe|@import|url\(|\bsrc=/g)).toBeNull();
  const targets = [...text.matchAll(/href="([^"]*)"/g)].map(([, target]) => target ?? '');
  expect(targets.filter((target) => !target.startsWith('#') && target !== 'openapi.json')).toEqual([]);
  for (const target of targets.filter((each) => each.startsWith('#')))
    expect(text).toContain(`id="${target.slice(1)}"`);
});

test.each([
  ['a status', { status: 203 }],
  ['a media type', { contentType: 'text/plain' }],
  ['a field', { json: { users: [], surplus: true } }],
  ['a value', { json: { users: 'none' } }],
])('an answer with %s that is not described is found', (_what, change) => {
  const check = createDescriptionCheck(api.routes);
  const answer = { method: 'GET', path: '/api/v1/users?x=1', status: 200 };
  const right = { ...answer, contentType: 'application/json; charset=utf-8', json: { users: [] } };
  expect(() => check(right)).not.toThrow();
  expect(() => check({ ...right, ...change })).toThrow('described');
});
