import { authorizationFor, splitLogin, withoutLogin } from './url-login.ts';

const loginOf = (url: string) => {
  const authorization = splitLogin(url).login?.authorization ?? '';
  return Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString('latin1');
};

describe('a URL is split into itself and its login', () => {
  it.each([
    ['http://ada:lace@example.com/a?b=c@d#e', 'http://example.com/a?b=c@d#e', 'ada:lace'],
    ['https://ada@example.com', 'https://example.com/', 'ada:'],
    ['https://:lace@example.com:8443/', 'https://example.com:8443/', ':lace'],
    ['http://a%3Ab:p%40s%2Fs@example.com/', 'http://example.com/', 'a:b:p@s/s'],
    ['http://ada:p@ss@example.com/', 'http://example.com/', 'ada:p@ss'],
    ['http://ada:100%@example.com/', 'http://example.com/', 'ada:100%'],
    ['http://ada:%zz%41@example.com/', 'http://example.com/', 'ada:%zzA'],
    ['http://ada:%ff@example.com/', 'http://example.com/', 'ada:\xff'],
    ['http://ada:p%20w+x@example.com/', 'http://example.com/', 'ada:p w+x'],
    ['HTTP:\\\\ada:lace@EXAMPLE.com', 'http://example.com/', 'ada:lace'],
    ['ht\ntp://ada:la\tce@example.com/', 'http://example.com/', 'ada:lace'],
    ['http://ada:lace@[::1]:8080/x', 'http://[::1]:8080/x', 'ada:lace'],
    ['ftp://ada:lace@example.com/', 'ftp://example.com/', 'ada:lace'],
  ])('%j', (given, url, login) => {
    expect(splitLogin(given).url).toBe(url);
    expect(loginOf(given)).toBe(login);
  });

  it('with UTF-8 for what is not ASCII', () => {
    expect(splitLogin('http://münchen:schlüssel@example.com/').login?.authorization).toBe(
      `Basic ${Buffer.from('münchen:schlüssel').toString('base64')}`,
    );
  });

  it.each([
    'http://example.com/a@b',
    'http://example.com/?mail=ada:lace@example.com',
    'http://@example.com/',
    'http://:@example.com/',
    'mailto:ada@example.com',
    'not a url: a:b@c',
  ])('%s has none, and stays as it is', (url) => {
    expect(splitLogin(url)).toEqual({ url, login: null });
    expect(withoutLogin(url)).toBe(url);
  });
});

describe('a login goes to its own origin alone', () => {
  const logins = ['http://ada:1@a.example/x', 'http://bob:2@a.example/y', 'https://eve:3@b.example/'].flatMap(
    (url) => splitLogin(url).login ?? [],
  );
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

  it.each([
    ['http://a.example/style.css', 'http://a.example/x', basic('ada:1')],
    ['http://a.example/style.css', 'http://a.example/y', basic('bob:2')],
    ['http://a.example/z', 'http://a.example/z', basic('ada:1')],
    ['http://a.example:80/z', 'http://a.example/z', basic('ada:1')],
    ['https://b.example/', 'http://a.example/x', basic('eve:3')],
    ['https://a.example/', 'http://a.example/x', null],
    ['http://a.example:8080/', 'http://a.example/x', null],
    ['http://b.example/', 'https://b.example/', null],
    ['http://sub.a.example/', 'http://a.example/x', null],
    ['http://a.example.evil.example/', 'http://a.example/x', null],
    ['data:text/plain,x', 'http://a.example/x', null],
  ])('%s, requested for %s', (url, page, expected) => {
    expect(authorizationFor(logins, url, page)).toBe(expected);
  });
});
