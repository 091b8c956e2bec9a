import { scrapeRequest } from './job-schemas.ts';
import { redactSpec } from './redact-spec.ts';

const spec = (fields: object) => scrapeRequest.parse({ urls: ['https://example.com/'], ...fields });

test('the credentials of proxies are redacted, in a single one and in a list', () => {
  expect(redactSpec(spec({ proxy: 'http://ada:secret@proxy.example:8080' })).proxy).toBe(
    'http://***:***@proxy.example:8080/',
  );
  expect(
    redactSpec(spec({ proxy: ['socks5://ada:secret@a.example:1080', 'https://b.example'] })).proxy,
  ).toEqual(['socks5://***:***@a.example:1080', 'https://b.example/']);
});

test('everything else is unchanged', () => {
  const given = spec({ headers: { a: 'b' }, locale: 'de-DE', cookies: [{ name: 'a', value: 'b' }] });
  expect(redactSpec(given)).toEqual(given);
});
