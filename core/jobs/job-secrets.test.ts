import type { JobSpec } from './job.ts';
import { scrapeRequest } from './job-schemas.ts';
import { secretsOf, shownSpec, withSecrets } from './job-secrets.ts';

const MARK = 'MARKER';
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

const full: JobSpec = scrapeRequest.parse({
  urls: [`http://ada:${MARK}1@a.example/x`, 'http://a.example/y', `https://:${MARK}2@b.example:8443`],
  headers: { 'X-Key': `${MARK}3`, authorization: `Bearer ${MARK}4` },
  cookies: [
    { name: 'session', value: `${MARK}5`, domain: 'a.example' },
    { name: 'other', value: `${MARK}6`, url: `http://u:${MARK}7@a.example/` },
  ],
  proxy: [`http://u:${MARK}8@proxy.example:8080`, 'socks5://open.example:1080'],
  actions: [
    { type: 'type', selector: '#password', text: `${MARK}9` },
    { type: 'click', selector: '#go' },
  ],
  webhook_url: `https://hook:${MARK}10@hooks.example/in?x=1`,
  crawl: { include: [`http://u:${MARK}11@a.example/docs/*`, '/docs/*'], max_pages: 3 },
  metadata: { order: 7 },
});

test('what is shown of a job holds no secret, but says which are set', () => {
  const shown = shownSpec(full);
  expect(JSON.stringify(shown)).not.toContain(MARK);
  expect(shown).toEqual({
    urls: ['http://a.example/x', 'http://a.example/y', 'https://b.example:8443/'],
    url_credentials: ['http://a.example', 'https://b.example:8443'],
    headers: { 'X-Key': '***', authorization: '***' },
    cookies: [
      { name: 'session', value: '***', domain: 'a.example' },
      { name: 'other', value: '***', url: 'http://a.example/' },
    ],
    proxy: ['http://***:***@proxy.example:8080/', 'socks5://open.example:1080'],
    actions: [
      { type: 'type', selector: '#password', text: '***' },
      { type: 'click', selector: '#go' },
    ],
    webhook_url: 'https://hooks.example/in?x=1',
    crawl: { include: ['http://a.example/docs/*', '/docs/*'], max_pages: 3 },
    metadata: { order: 7 },
  });
  expect(shownSpec(shown)).toEqual(shown);
});

test('a worker gets back what was taken out, and the logins instead of user names in URLs', () => {
  const spec = withSecrets(shownSpec(full), secretsOf(full));
  expect(spec).toMatchObject({
    urls: ['http://a.example/x', 'http://a.example/y', 'https://b.example:8443/'],
    headers: full.headers,
    proxy: full.proxy,
    actions: full.actions,
    logins: [
      { origin: 'http://a.example', authorization: basic(`ada:${MARK}1`) },
      { origin: 'https://b.example:8443', authorization: basic(`:${MARK}2`) },
    ],
  });
  expect(spec.cookies?.map(({ value }) => value)).toEqual([`${MARK}5`, `${MARK}6`]);
  expect(secretsOf(full)?.webhook?.authorization).toBe(basic(`hook:${MARK}10`));
});

test('a job without secrets is stored as it was given', () => {
  const spec: JobSpec = { urls: ['https://a.example/@ada'], formats: ['text'], metadata: { a: 'x:y@z' } };
  expect(shownSpec(spec)).toEqual(spec);
  expect(secretsOf(spec)).toBeNull();
  expect(withSecrets(spec, null)).toEqual(spec);
});

test('a field that nobody declared as shown is not shown', () => {
  expect(shownSpec({ urls: ['https://a.example/'], password: MARK } as JobSpec)).toEqual({
    urls: ['https://a.example/'],
  });
});

test('one URL with two logins is refused, and with the same one is not', () => {
  const issues = (...urls: string[]) =>
    scrapeRequest.safeParse({ urls }).error?.issues.map(({ path }) => path.join('.'));
  expect(issues('http://a:1@x.example/', 'http://b:2@x.example/p', 'http://b:2@x.example/')).toEqual([
    'urls.2',
  ]);
  expect(issues('http://a:1@x.example/', 'http://a:1@x.example')).toBeUndefined();
});
